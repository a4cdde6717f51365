// Files that appear whole or not at all, and files that only their owner may read.
import { randomBytes } from "node:crypto";
import {
  closeSync,
  fsyncSync,
  linkSync,
  openSync,
  readFileSync,
  renameSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { ExitCode, messageOf, ToolError } from "./errors";

const OTHERS_MODE = 0o077;

function writePart(path: string, content: Buffer | string, mode: number): string {
  const part = join(dirname(path), `.${basename(path)}.${randomBytes(4).toString("hex")}`);
  const file = openSync(part, "wx", mode);
  try {
    writeFileSync(file, content);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  return part;
}

function syncFolder(path: string): void {
  const folder = openSync(dirname(path), "r");
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

/** Replaces a file, or makes it. */
export function replaceFile(path: string, content: Buffer | string, mode: number): void {
  renameSync(writePart(path, content, mode), path);
  syncFolder(path);
}

/** Puts a file in the place of another in the same folder, durably. */
export function moveFile(from: string, to: string): void {
  renameSync(from, to);
  syncFolder(to);
}

/** Makes a file that must not be there yet. @throws ToolError when it is */
export function createFile(path: string, content: Buffer | string, mode: number): void {
  const part = writePart(path, content, mode);
  try {
    linkSync(part, path);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "EEXIST")
      throw new ToolError(
        ExitCode.Usage,
        `'${path}' is there already and is not overwritten; choose another name or move it away.`,
      );
    throw cause;
  } finally {
    unlinkSync(part);
  }
  syncFolder(path);
}

/**
 * Reads a file that holds secrets.
 * @param bytesMax it may have at most
 * @throws ToolError when others may use it, it is too long, or it cannot be read
 */
export function readSecretFile(path: string, bytesMax: number): Buffer {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined)
    throw new ToolError(
      ExitCode.Usage,
      `There is no file '${path}'; make keys with 'salestag keys init', or name yours with --identity.`,
    );
  if (process.platform !== "win32" && (stat.mode & OTHERS_MODE) !== 0)
    throw new ToolError(
      ExitCode.Usage,
      `'${path}' holds a secret but other users may use it (mode ${(stat.mode & 0o777).toString(8)}); run: chmod 600 ${path}`,
    );
  try {
    if (stat.size > bytesMax) throw new Error(`it has ${stat.size} bytes, more than ${bytesMax}`);
    return readFileSync(path);
  } catch (cause) {
    throw new ToolError(ExitCode.Usage, `'${path}' cannot be read: ${messageOf(cause)}.`);
  }
}
