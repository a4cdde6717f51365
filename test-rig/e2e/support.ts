// What the end-to-end tests share: the bundled sample as frames, scratch folders, and the rig's own command line as a process.
import assert from "node:assert/strict";
import { type ChildProcess, type ExecFileOptions, execFile, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { Frames } from "../src/play";
import { type PreparedRecording, prepareRecording } from "../src/recording";

export const SAMPLE = fileURLToPath(new URL("../samples/solar-sale.flac", import.meta.url));

export const sample = (): Promise<PreparedRecording> => prepareRecording(SAMPLE, undefined);

/**
 * A recording several times over, with a pause between that is longer than the silence that ends a conversation.
 * @param times how often
 */
export function repeated({ frames }: PreparedRecording, times: number): Frames {
  const pauseFrames = 40 * 50;
  const periodFrames = frames.recordedFrames + pauseFrames;
  return {
    recordedFrames: times * periodFrames - pauseFrames,
    frame: (seq) => {
      // Silence after the end of a recording repeats itself, so a place deep in it will do for all of the pause.
      const place = seq < times * periodFrames ? seq % periodFrames : seq;
      const frame = Buffer.from(frames.frame(Math.min(place, frames.recordedFrames + pauseFrames)));
      frame.writeUInt32LE(seq, 0);
      return frame;
    },
  };
}

export const scratch = (): string => mkdtempSync(join(tmpdir(), "salestag-e2e-"));

export interface Run {
  code: number;
  stdout: string;
  stderr: string;
}

/** Runs one of the repository's command lines. */
export function run(launcher: string, args: string[], options: ExecFileOptions = {}): Promise<Run> {
  const path = fileURLToPath(new URL(`../../${launcher}`, import.meta.url));
  return new Promise((resolve) => {
    execFile(process.execPath, [path, ...args], options, (error, stdout, stderr) => {
      resolve({
        code: error === null ? 0 : Number(error.code),
        stdout: stdout.toString(),
        stderr: stderr.toString(),
      });
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

/** `rig badge` in a process of its own. */
export class BadgeProcess {
  private constructor(
    private readonly child: ChildProcess,
    /** Such as tcp:127.0.0.1:40123. */
    readonly url: string,
  ) {}

  static async start(state: string): Promise<BadgeProcess> {
    const path = fileURLToPath(new URL("../bin/rig.mjs", import.meta.url));
    const child = spawn(process.execPath, [path, "badge", "--state", state], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const [line] = (await once(createInterface({ input: child.stdout }), "line")) as [string];
    return new BadgeProcess(child, line.split(" ").at(-1) ?? "");
  }

  async stop(): Promise<void> {
    if (this.child.exitCode !== null) return;
    const closed = once(this.child, "close");
    this.child.kill("SIGTERM");
    await closed;
  }
}

/** One sentence on standard error, behind the program's name, and nothing that looks like a key anywhere. */
export function assertRefused(run: Run, code: number, words: RegExp): void {
  assert.equal(run.code, code, run.stderr);
  const told = run.stderr.trim().split("\n").at(-1) ?? "";
  assert.match(told, /^(rig|salestag): /);
  assert.match(told, words);
  assert.doesNotMatch(run.stderr, /\n\s+at /, "a stack trace is no sentence");
  assert.doesNotMatch(run.stdout + run.stderr, /[0-9a-f]{64}/);
}
