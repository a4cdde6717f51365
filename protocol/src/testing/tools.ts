// What several tests of the host tools need: folders that are removed again, programs of the system, a look at file modes.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ExitCode, ToolError } from "../team/errors";

/** Registers hooks of the suite that calls it. @returns a function that gives the folder of the running test */
export function useFolder(): () => string {
  let folder = "";
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "salestag-test-"));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));
  return () => folder;
}

/** @returns permission bits of a file or folder */
export function modeOf(path: string): number {
  return statSync(path).mode & 0o777;
}

/**
 * Skips the running test where a program is not installed; fails it where CI says that everything must be there, but for programs that
 * SALESTAG_TESTS_WITHOUT names (with commas between).
 * @param version makes the program print its version and end with 0, or looks whether it is there
 */
export function requireProgram(
  test: Mocha.Context,
  program: string,
  version: string | (() => boolean) = "--version",
): void {
  if (typeof version === "string" ? spawnSync(program, [version]).status === 0 : version()) return;
  const given = (process.env.SALESTAG_TESTS_WITHOUT ?? "").split(",");
  if (process.env.CI && !given.includes(program))
    throw new Error(`'${program}' is not installed; this test must not be skipped in CI`);
  test.skip();
}

/** Runs a program to its end. @returns standard output; throws with its standard error when it fails */
export function runProgram(program: string, args: string[], input?: Buffer | string): Buffer {
  const { status, stdout, stderr, error } = spawnSync(program, args, { input, maxBuffer: 1 << 28 });
  if (error !== undefined) throw error;
  if (status !== 0) throw new Error(`${program} ended with ${status}: ${stderr.toString("utf8")}`);
  return stdout;
}

/** @returns a check for assert.throws and assert.rejects: this exit code, these words, one line, no key */
export function toolError(exitCode: ExitCode, words: RegExp): (error: unknown) => true {
  return (error) => {
    if (!(error instanceof ToolError)) throw error;
    const { message } = error;
    if (error.exitCode !== exitCode)
      throw new Error(`exit code is ${ExitCode[error.exitCode]}, not ${ExitCode[exitCode]}: ${message}`);
    if (!words.test(message)) throw new Error(`message does not match ${words}: ${message}`);
    if (/[0-9a-f]{64}/i.test(message) || /AGE-SECRET-KEY-1\w/.test(message) || message.includes("\n"))
      throw new Error("message holds a key or more than one line");
    return true;
  };
}

/** Deterministic bytes that look random. */
export function bytesOf(seed: number, lengthBytes: number): Buffer {
  let state = (seed * 2654435761 + 1) >>> 0;
  return Buffer.from(
    Array.from({ length: lengthBytes }, () => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return state >>> 24;
    }),
  );
}
