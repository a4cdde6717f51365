// The badge program that the doctor compares a badge's with: a file that was named, or the one that was built in this checkout.
import { existsSync } from "node:fs";
import { BUILT_PROGRAM, readProgramFile } from "../deploy/program-file";
import type { KnownProgram } from "./badge-checks";

/**
 * @param path of bytecode; undefined: what was built here
 * @returns undefined when nothing was named and nothing was built
 * @throws ToolError when the file is no badge program
 */
export function knownProgram(path: string | undefined): KnownProgram | undefined {
  if (path === undefined && !existsSync(BUILT_PROGRAM)) return undefined;
  const { sha256, version } = readProgramFile(path ?? BUILT_PROGRAM);
  return { from: path ?? "this checkout", sha256, version };
}
