// Recogniser that is a program of this machine: it gets a WAV file, as a path or on its standard input, and prints JSON (answer.ts)
// or lays it beside that file. No shell; a process
// group of its own, which is killed when the time is up; nothing of this process's environment but where programs and homes are.
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { messageOf, systemCodeOf } from "@salestag/protocol/service";
import { readAnswer } from "./answer";
import { ANSWER_BYTES_MAX } from "./post";
import { type AudioFile, type Recogniser, TranscriptionError } from "./transcriber";

export interface CommandOptions {
  /** Absolute path, or a name that is looked for in PATH. */
  program: string;
  /** `{audio}` stands for the path of the WAV file; without it the file comes on standard input. */
  args: string[];
  /** For one part, ms. */
  timeoutMs: number;
}

/** Stands for the audio's path in an argument. */
export const AUDIO_PLACE = "{audio}";
/** All that a program learns of this process's environment, which holds more than concerns it. */
const ENVIRONMENT = ["PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "TZ"];
/** So much of what it says on standard error is told, from its end. */
const TOLD_CHARACTERS_MAX = 300;

/** How a program ended. */
interface Ended {
  code: number | null;
  killedBy: string | null;
  stdout: string;
  stderr: string;
}

/** @returns the recogniser; it is called `command/PROGRAM` */
export function commandRecogniser(options: CommandOptions): Recogniser {
  const name = basename(options.program);
  return {
    name: `command/${name}`,
    format: "wav",
    async recognise(audio, signal) {
      const ended = await withFile(audio, options, (args, input) => run(options, args, input, signal));
      if (ended.code === 0) return readAnswer(ended.stdout, audio.durationMs);
      const how = ended.code === null ? `was ended by ${ended.killedBy}` : `ended with ${ended.code}`;
      const told = ended.stderr.replace(/\p{Cc}+/gu, " ").trim();
      throw new TranscriptionError(
        `${name} ${how}${told === "" ? "" : `: ${told.slice(-TOLD_CHARACTERS_MAX)}`}`,
        "later",
      );
    },
  };
}

/** Lays the audio into a folder that only this user may enter, where the program wants a path; it is gone when the program is. */
async function withFile(
  { bytes }: AudioFile,
  { args }: CommandOptions,
  use: (args: string[], input: Buffer) => Promise<Ended>,
): Promise<Ended> {
  if (!args.some((arg) => arg.includes(AUDIO_PLACE))) return await use(args, bytes);
  const folder = await mkdtemp(join(tmpdir(), "salestag-audio-"));
  try {
    const path = join(folder, "audio.wav");
    await writeFile(path, bytes, { mode: 0o600 });
    const ended = await use(
      args.map((arg) => arg.replaceAll(AUDIO_PLACE, path)),
      Buffer.alloc(0),
    );
    return { ...ended, stdout: (await readBeside(path)) ?? ended.stdout };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** whisper-cli writes its JSON beside the audio: it cannot open a standard output that is a socket, as Node's is. */
async function readBeside(audioPath: string): Promise<string | undefined> {
  const path = `${audioPath}.json`;
  try {
    const { size } = await stat(path);
    if (size > ANSWER_BYTES_MAX)
      throw new TranscriptionError(`it wrote ${size} bytes of JSON, more than ${ANSWER_BYTES_MAX}`, "later");
    return await readFile(path, "utf8");
  } catch (cause) {
    if (systemCodeOf(cause) === "ENOENT") return undefined;
    throw cause;
  }
}

async function run(
  { program, timeoutMs }: CommandOptions,
  args: string[],
  input: Buffer,
  signal: AbortSignal,
): Promise<Ended> {
  signal.throwIfAborted();
  const env = Object.fromEntries(ENVIRONMENT.map((name) => [name, process.env[name]]));
  const timeout = AbortSignal.timeout(timeoutMs);
  const stopped = AbortSignal.any([signal, timeout]);
  const child = spawn(program, args, { env, detached: true });
  const stop = () => killGroup(child);
  stopped.addEventListener("abort", stop);
  child.stdin.on("error", () => {}); // it need not read what it is given
  child.stdin.end(input);
  try {
    const ended = await outcome(child);
    if (ended.killedBy === null || !stopped.aborted) return ended;
  } finally {
    stopped.removeEventListener("abort", stop);
    stop();
  }
  if (signal.aborted) throw signal.reason;
  throw new TranscriptionError(
    `${basename(program)} did not end within ${timeoutMs / 1000} s: is it slower than real time? Raise timeout, or lower part`,
    "later",
  );
}

/** @throws TranscriptionError when it does not start, prints too much, or was stopped */
async function outcome(child: ChildProcess): Promise<Ended> {
  const { stdout, stderr } = child;
  const printed: Buffer[] = [];
  let length = 0;
  let complaint = "";
  return await new Promise((resolve, reject) => {
    stdout?.on("data", (part: Buffer) => {
      length += part.length;
      if (length <= ANSWER_BYTES_MAX) printed.push(part);
      else reject(new TranscriptionError(`it printed more than ${ANSWER_BYTES_MAX} bytes`, "later"));
    });
    stderr?.on("data", (part: Buffer) => {
      complaint = (complaint + part.toString("utf8")).slice(-TOLD_CHARACTERS_MAX);
    });
    child.on("error", (cause) =>
      reject(
        new TranscriptionError(
          `the transcriber ${child.spawnfile} cannot be started: ${messageOf(cause)}`,
          "later",
        ),
      ),
    );
    child.on("close", (code, killedBy) =>
      resolve({ code, killedBy, stdout: Buffer.concat(printed).toString("utf8"), stderr: complaint }),
    );
  });
}

/** Ends the program and all that it started, also what outlives it. */
function killGroup(child: ChildProcess): void {
  child.stdout?.destroy();
  child.stderr?.destroy();
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, "SIGKILL");
  } catch (cause) {
    if (systemCodeOf(cause) !== "ESRCH") throw cause; // ESRCH: it is gone already
  }
}
