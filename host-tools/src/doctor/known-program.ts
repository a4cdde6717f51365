// The badge program that the doctor compares a badge's with: a file that was named, or the one that was built in this checkout.
import { existsSync } from "node:fs";
import { BUILT_PROGRAM, readProgramFile } from "../deploy/program-file";
import { openBundle } from "../flash/bundle";
import { sha256 as digestOf } from "../flash/images";
import type { KnownProgram } from "./badge-checks";

/**
 * @param path of bytecode; undefined: what was built here
 * @param bundle instead: a bundle. It is only compared with, so nobody has to have signed it
 * @returns undefined when nothing was named and nothing was built
 * @throws ToolError when the file is no badge program, or no bundle
 */
export function knownProgram(path: string | undefined, bundle: string | undefined): KnownProgram | undefined {
  if (bundle !== undefined) {
    const { version, images } = openBundle(bundle);
    return { from: bundle, sha256: digestOf(images.program), version };
  }
  if (path === undefined && !existsSync(BUILT_PROGRAM)) return undefined;
  const { sha256, version } = readProgramFile(path ?? BUILT_PROGRAM);
  return { from: path ?? "this checkout", sha256, version };
}
