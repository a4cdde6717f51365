// What the end-to-end tests share: the bundled sample as frames, scratch folders, and the rig's own command line as a process.
import { execFile, spawnSync } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type PreparedRecording, prepareRecording } from "../src/recording";

export const SAMPLE = fileURLToPath(new URL("../samples/solar-sale.flac", import.meta.url));

export const sample = (): Promise<PreparedRecording> => prepareRecording(SAMPLE, undefined);

export const scratch = (): string => mkdtempSync(join(tmpdir(), "salestag-e2e-"));

export interface Run {
  code: number;
  stdout: string;
  stderr: string;
}

/** Runs one of the repository's command lines. */
export function run(launcher: string, args: string[]): Promise<Run> {
  const path = fileURLToPath(new URL(`../../${launcher}`, import.meta.url));
  return new Promise((resolve) => {
    execFile(process.execPath, [path, ...args], (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
    });
  });
}

export const rig = (...args: string[]): Promise<Run> => run("test-rig/bin/rig.mjs", args);
export const salestag = (...args: string[]): Promise<Run> => run("host-tools/bin/salestag.mjs", args);

/** True when a program is installed. Where CI is set it must be. */
export function installed(program: string): boolean {
  const found = spawnSync("which", [program]).status === 0;
  if (!found && process.env.CI) throw new Error(`'${program}' is not installed, and CI must have it`);
  return found;
}
