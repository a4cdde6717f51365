// The badge program that the doctor compares a badge's with: a file that was named, or the one that was built in this checkout.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { ExitCode, messageOf, ToolError } from "../errors";
import type { KnownProgram } from "./badge-checks";

const BUILT = fileURLToPath(new URL("../../../firmware/.devicescript/bin/bytecode.devs", import.meta.url));
const MAGIC = Buffer.from("446576530a6e29f1", "hex");
const BYTES_MAX = 1024 * 1024;

/**
 * @param path of bytecode; undefined: what was built here
 * @returns undefined when nothing was named and nothing was built
 * @throws ToolError when the file that was named is no badge program
 */
export function knownProgram(path: string | undefined): KnownProgram | undefined {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path ?? BUILT);
  } catch (cause) {
    if (path === undefined) return undefined;
    throw new ToolError(ExitCode.Usage, `'${path}' cannot be read: ${messageOf(cause)}.`);
  }
  if (bytes.length > BYTES_MAX || !bytes.subarray(0, MAGIC.length).equals(MAGIC)) {
    if (path === undefined) return undefined;
    throw new ToolError(ExitCode.Usage, `'${path}' is no badge program; name the bytecode.devs of a build.`);
  }
  return { from: path ?? "this checkout", sha256: createHash("sha256").update(bytes).digest("hex") };
}
