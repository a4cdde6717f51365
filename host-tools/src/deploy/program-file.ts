// A badge program in a file: DeviceScript bytecode, as the build makes it. Looked through here as the runtime would, so that a file that it
// would refuse never takes the place of a program that runs. Layout after DeviceScript's bytecode format, version 2:
//   0 magic "DevS\n n)F1"   8 u16 patch, u8 minor, u8 major   32 ten sections, u32 start and u32 length each; the last is the configuration
import { createHash } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import { ExitCode, messageOf, ToolError } from "@salestag/protocol/team";

export interface ProgramFile {
  /** Where it came from, for people. */
  from: string;
  bytes: Buffer;
  /** 64 hexadecimal digits. */
  sha256: string;
  /** As the build named it; "" when it did not. */
  name: string;
  version: string;
  /** Checksum over the settings of the board (pins) that it brings along, NO_BOARD for none. */
  board: bigint;
  /** Version of the bytecode: major, minor, patch. */
  format: [number, number, number];
}

/** What the build makes. */
export const BUILT_PROGRAM = fileURLToPath(
  new URL("../../../firmware/.devicescript/bin/bytecode.devs", import.meta.url),
);

const MAGIC = Buffer.from("446576530a6e29f1", "hex");
const HEADER_BYTES = 32;
const SECTIONS = 10;
const SECTION_BYTES = 8;
const HEAD_BYTES = HEADER_BYTES + SECTIONS * SECTION_BYTES;
/** The runtime writes whole pieces of so many bytes. */
const ALIGN_BYTES = 32;
/** 55 pages of the 64 of the runtime's flash, less its own header. */
export const PROGRAM_BYTES_MAX = 55 * 4096 - 128;
/** The oldest bytecode that the runtime of today loads. */
const OLDEST_MINOR = 7;

const CONFIG_MAGIC = Buffer.from("444346470a9bb4ca", "hex");
const CONFIG_BOARD = 16;
/** The compiler's checksum over no settings. */
const NO_BOARD = 1n;
const CONFIG_HEAD_BYTES = 88;
const CONFIG_ENTRY_BYTES = 24;
const CONFIG_ENTRIES_MAX = 1000;
const TYPE_STRING = 2;

/** Reads a program. @throws ToolError when it cannot be read or is none */
export function readProgramFile(path: string): ProgramFile {
  try {
    const { size } = statSync(path);
    if (size > PROGRAM_BYTES_MAX) throw new Error(`${size} bytes, a badge holds ${PROGRAM_BYTES_MAX}`);
    return programOf(readFileSync(path), path === BUILT_PROGRAM ? "this build's" : basename(path));
  } catch (cause) {
    if (path === BUILT_PROGRAM && (cause as NodeJS.ErrnoException).code === "ENOENT")
      throw new ToolError(
        ExitCode.Usage,
        "the badge program is not built; run 'npm run build', or name a program with --program.",
      );
    throw new ToolError(
      ExitCode.Usage,
      `'${path}' is no badge program (${messageOf(cause)}); name the bytecode.devs of a build.`,
      { cause },
    );
  }
}

/** @param from where the bytes came from, for people @throws Error when they are no program that a runtime would take */
export function programOf(bytes: Buffer, from: string): ProgramFile {
  if (bytes.length < HEAD_BYTES || !bytes.subarray(0, MAGIC.length).equals(MAGIC))
    throw new Error("it does not begin as DeviceScript bytecode does");
  if (bytes.length > PROGRAM_BYTES_MAX || bytes.length % ALIGN_BYTES !== 0)
    throw new Error(
      `it has ${bytes.length} bytes, not a multiple of ${ALIGN_BYTES} up to ${PROGRAM_BYTES_MAX}`,
    );
  const config = lastSection(bytes);
  return {
    from,
    bytes,
    sha256: createHash("sha256").update(bytes).digest("hex"),
    name: textOf(config, "@name"),
    version: textOf(config, "@version"),
    board: isConfig(config) ? config.readBigUInt64LE(CONFIG_BOARD) : NO_BOARD,
    format: [bytes[11], bytes[10], bytes.readUInt16LE(8)],
  };
}

/** @returns true when the runtime restarts the badge once for a program: it brings other settings of the board than the one before it */
export function restartsFor(program: ProgramFile, before: ProgramFile | undefined): boolean {
  return program.board !== (before?.board ?? NO_BOARD);
}

/** @throws ToolError unless a runtime of this version loads the program */
export function checkRuntime(program: ProgramFile, runtime: [number, number, number]): void {
  const [major, minor] = program.format;
  if (major === runtime[0] && minor <= runtime[1] && minor >= OLDEST_MINOR) return;
  throw new ToolError(
    ExitCode.Usage,
    `the program ${program.from} is made for runtime ${program.format.join(".")}, the badge has ${runtime.join(".")} and would not start it; put a fitting runtime on the badge with 'salestag flash', or take a program that fits.`,
  );
}

/** Every section begins where the one before it ends, and lies in the file: one that was cut off is found out here. */
function lastSection(bytes: Buffer): Buffer {
  let end = HEAD_BYTES;
  let start = end;
  for (let i = 0; i < SECTIONS; i++) {
    start = bytes.readUInt32LE(HEADER_BYTES + i * SECTION_BYTES);
    const length = bytes.readUInt32LE(HEADER_BYTES + i * SECTION_BYTES + 4);
    if (start !== end || start % 4 !== 0 || start + length > bytes.length)
      throw new Error(`its section ${i} does not lie in it: it is cut off or damaged`);
    end = start + length;
  }
  return bytes.subarray(start, end);
}

function isConfig(bytes: Buffer): boolean {
  return bytes.length >= CONFIG_HEAD_BYTES && bytes.subarray(0, CONFIG_MAGIC.length).equals(CONFIG_MAGIC);
}

/** @returns a text of the configuration that the compiler puts into a program, or "" */
function textOf(config: Buffer, key: string): string {
  if (!isConfig(config)) return "";
  const entries = Math.min(config.readUInt16LE(12), CONFIG_ENTRIES_MAX);
  for (let i = 0; i < entries; i++) {
    const at = CONFIG_HEAD_BYTES + i * CONFIG_ENTRY_BYTES;
    if (at + CONFIG_ENTRY_BYTES > config.length) return "";
    if (config.toString("latin1", at, at + 16).replace(/\0.*$/s, "") !== key) continue;
    const typeAndSize = config.readUInt16LE(at + 18);
    const start = config.readUInt32LE(at + 20);
    if ((typeAndSize & 3) !== TYPE_STRING) return "";
    return config.toString("utf8", start, start + (typeAndSize >> 2));
  }
  return "";
}
