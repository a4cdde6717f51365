// The command line as a process of its own, for tests.
import { strict as assert } from "node:assert";
import { type SpawnOptions, spawn } from "node:child_process";
import { join } from "node:path";
import type { Writable } from "node:stream";
import { fileURLToPath } from "node:url";

/** The program that `salestag` runs. */
export const PROGRAM = fileURLToPath(new URL("../../bin/salestag.mjs", import.meta.url));
const COLORS = { NO_COLOR: "1", FORCE_COLOR: undefined };

/** How a process ended, and what it said. */
export interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** @returns an environment in which nothing of the user's own is found */
export function homeEnvironment(home: string): NodeJS.ProcessEnv {
  return { ...process.env, ...COLORS, HOME: home, XDG_CONFIG_HOME: join(home, "config") };
}

/** Runs `salestag`; checks of every run that no key is in its output. */
export async function salestag(home: string, ...args: string[]): Promise<Ended> {
  return await runToEnd(process.execPath, [PROGRAM, ...args], { env: homeEnvironment(home) });
}

/** Runs `salestag` with a passphrase on descriptor 3. */
export async function salestagWith(home: string, passphrase: string, ...args: string[]): Promise<Ended> {
  const options = { env: homeEnvironment(home) };
  return await runToEnd(
    process.execPath,
    [PROGRAM, ...args, "--passphrase-fd", "3"],
    options,
    `${passphrase}\n`,
  );
}

/**
 * Runs a program to its end and checks that no key is in its output.
 * @param secret written to its descriptor 3
 */
export async function runToEnd(
  program: string,
  args: string[],
  options: SpawnOptions = {},
  secret?: string,
): Promise<Ended> {
  const child = spawn(program, args, { ...options, stdio: ["ignore", "pipe", "pipe", "pipe"] });
  (child.stdio[3] as Writable).on("error", () => undefined).end(secret); // it may end without reading it
  const output = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const)
    child[name]?.setEncoding("utf8").on("data", (text: string) => {
      output[name] += text;
    });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  for (const text of [output.stdout, output.stderr]) assertNoKey(text);
  return { code, ...output };
}

/** Checks that a text holds no key. */
export function assertNoKey(text: string): void {
  assert.doesNotMatch(text, /(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])/i, "64 hexadecimal digits in the output");
  assert.doesNotMatch(text, /AGE-SECRET-KEY-1\w/, "a secret key in the output");
}

/** Checks a failed run: its exit code, one sentence that says `words`, nothing of it on standard output. */
export function assertFailed({ code, stderr }: Ended, expectedCode: number, words: RegExp): void {
  assert.equal(code, expectedCode, stderr);
  assert.match(stderr, /^salestag: [^\n]+\.\n$|^salestag: [^\n]+: chmod 600 [^\n]+\n$/);
  assert.match(stderr, words);
  assert.doesNotMatch(stderr, /\n\s+at /);
}
