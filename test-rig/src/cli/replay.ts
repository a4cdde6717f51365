// `rig replay FILE`, and what `rig demo` shares with it: a recording through an emulated badge to a relay and back into a file.
import { createWriteStream } from "node:fs";
import { type ListedPhrase, phrasesOfSet, readPhraseList } from "@salestag/host-tools";
import { type Command, InvalidArgumentError } from "commander";
import { OPUS_DEFAULTS } from "../audio/opus";
import { BENCH_DEFAULTS, type DropRule } from "../bench";
import { RigError } from "../errors";
import { prepareRecording } from "../recording";
import { type ReplayOptions, type ReplayResult, replay } from "../replay";
import { clock, ReplayView } from "./view";

export interface ReplayFlags {
  badge?: string;
  out?: string;
  bitrate: number;
  complexity: number;
  seed: number;
  latencyMs: number;
  speed?: number;
  drop?: DropRule;
  phrases?: string;
  log?: string;
  json: boolean;
}

const HELP = `
Examples:
  rig replay talk.wav
  rig replay talk.flac --out results --json
  rig replay talk.wav --drop 500-504 --latency-ms 400 --seed 7
  rig replay talk.wav --badge badge1     # a badge that 'salestag provision' made ready, and its own relay`;

export function addReplay(program: Command): void {
  withReplayOptions(program.command("replay <file>"))
    .description("Play a WAV or FLAC file through an emulated badge and check that all speech arrives, once.")
    .option("--badge <dir>", "use this provisioned badge and the relay that it knows, instead of new ones")
    .addHelpText("after", HELP)
    .action(async (file: string, flags: ReplayFlags) => replayAndTell(file, flags));
}

/** @returns the command with the options that all replays have */
export function withReplayOptions(command: Command): Command {
  return command
    .option("--out <dir>", "new folder for keys, spool and results (default: a temporary one)")
    .option("--bitrate <bps>", "Opus bitrate", number(6000, 40000), OPUS_DEFAULTS.bitrateBps)
    .option("--complexity <n>", "Opus complexity", number(0, 10), OPUS_DEFAULTS.complexity)
    .option("--seed <n>", "seed of the badge's randomness", number(0, 4294967295), BENCH_DEFAULTS.seed)
    .option("--latency-ms <ms>", "badge to relay and back", number(0, 60000), BENCH_DEFAULTS.latencyMs)
    .option("--speed <x>", "at most this many times real time", number(1, 100000))
    .option("--drop <frames>", "frames to lose before the badge's program, such as 500-504,700", dropRule)
    .option("--phrases <file>", "key phrases to listen for, a list that 'salestag phrases' made")
    .option("--log <file>", "write everything that the badge logs")
    .option("--json", "print the result as JSON", false);
}

function number(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!Number.isInteger(value) || value < min || value > max)
      throw new InvalidArgumentError(`It must be a whole number from ${min} to ${max}.`);
    return value;
  };
}

function dropRule(text: string): DropRule {
  const spans = text.split(",").map((part) => {
    const ends = /^(\d+)(?:-(\d+))?$/.exec(part.trim());
    if (ends === null) throw new InvalidArgumentError("Write frame numbers, such as 500-504,700.");
    return [Number(ends[1]), Number(ends[2] ?? ends[1])];
  });
  return (seq) => spans.some(([from, to]) => seq >= from && seq <= to);
}

/** What a demonstration adds to a replay. */
export interface ReplayMore extends Pick<ReplayOptions, "onSite"> {
  /** Ready set of key phrases to listen for, where the flags name no list. */
  phraseSet?: string;
  /** Called when the result was printed. */
  after?: ReplayOptions["after"];
}

/**
 * Plays a file, shows how it goes and prints the result.
 * @throws RigError when what arrived is not what was said
 */
export async function replayAndTell(file: string, flags: ReplayFlags, more: ReplayMore = {}): Promise<void> {
  const phrases = phrasesFor(flags, more.phraseSet);
  const view = new ReplayView(
    process.stderr,
    phrases.map(({ text }) => text),
  );
  const { bitrate: bitrateBps, complexity, seed, latencyMs, speed, drop, out: folder, badge } = flags;
  const recording = await prepareRecording(file, { bitrateBps, complexity }, (done, total) =>
    view.preparing("encoding", done, total),
  );
  view.note(`${file}: ${(recording.durationMs / 1000).toFixed(1)} s of ${recording.format}`);
  const log = flags.log === undefined ? undefined : createWriteStream(flags.log, { mode: 0o600 });
  view.start(recording.durationMs);
  let ended = false;
  const end = () => {
    if (ended) return;
    ended = true;
    view.end();
    log?.end();
  };
  const tell = (result: ReplayResult) => {
    end();
    const { hit, frontEndMs, opusMs } = recording;
    const encoding = { cached: hit, frontEndMs, opusMs };
    if (flags.json) process.stdout.write(`${JSON.stringify({ file, encoding, ...toJson(result) })}\n`);
    else printResult(result, encoding, speed !== undefined);
    const { problems } = result.verification;
    if (problems.length > 0) throw new RigError(`What arrived is not what was said: ${problems.join("; ")}.`);
  };
  const { onSite, after } = more;
  const result = await replay({
    frames: recording.frames,
    badge,
    phrases,
    folder,
    seed,
    latencyMs,
    speed,
    drop,
    onTrace: (event) => {
      if (!ended) view.trace(event);
    },
    onLog: (line, atMs) => log?.write(`${atMs} ${line}\n`),
    onProgress: (playedMs) => view.progress(playedMs),
    onSite,
    after:
      after &&
      (async (result, ...hands) => {
        tell(result);
        await after(result, ...hands);
      }),
  }).finally(end);
  if (after === undefined) tell(result);
}

function phrasesFor({ phrases, badge }: ReplayFlags, setDefault: string | undefined): ListedPhrase[] {
  if (phrases !== undefined && badge !== undefined)
    throw new RigError(
      "--phrases is for a new badge; write them into this one with 'salestag phrases write'.",
    );
  if (phrases !== undefined) return readPhraseList(phrases);
  return setDefault === undefined ? [] : phrasesOfSet(setDefault, 1);
}

function toJson({ folder, report, verification, conversations, speed, overhead, load }: ReplayResult) {
  const files = conversations.map(({ opusFile, timelineFile }) => ({ opusFile, timelineFile }));
  return { folder, conversations: files, ...report, speed, overhead, load, ...verification };
}

function printResult(
  { report, verification, conversations, opened, speed, overhead, load }: ReplayResult,
  encoding: { cached: boolean; frontEndMs: number; opusMs: number },
  heldBack: boolean,
): void {
  const lines: [string, string][] = [];
  for (const { opusFile, timelineFile } of conversations)
    lines.push(["recording", opusFile ?? "no audio"], ["timeline", timelineFile]);
  if (opened && conversations.length === 0) lines.push(["recording", "none: the badge heard no speech"]);
  const speechS = (verification.speechFrames / 50).toFixed(1);
  const share = Math.round((100 * verification.speechFrames * 20) / report.recordedMs);
  const arrived = opened
    ? "every frame of it arrived once and in order"
    : "every chunk of it was acknowledged";
  const made = encoding.cached
    ? "from the cache"
    : `front end ${encoding.frontEndMs.toFixed(0)} ms, Opus ${encoding.opusMs.toFixed(0)} ms`;
  if (verification.problems.length === 0)
    lines.push(["speech", `${speechS} s, ${share}% of the recording; ${arrived}`]);
  const over = opened ? `, ${percent(overhead)} over the Opus payload` : "";
  for (const { timeline } of conversations)
    for (const { startMs, text, scoreNats, thresholdNats } of timeline.phrases)
      lines.push([
        "phrase",
        `${clock(startMs)} "${text}", ${(scoreNats - thresholdNats).toFixed(2)} nats above its threshold`,
      ]);
  const heap = (report.heapPeakBytes / 1024).toFixed(1);
  lines.push(
    ["sent", `${report.sentBytes} bytes in ${report.chunks} chunks${over}`],
    ["badge", `${percent(load)} of an ESP32-S3 (estimate), heap peak ${heap} of 64 KB`],
    [
      "speed",
      `${Math.round(speed)} times real time${heldBack ? ", held back by --speed" : ""}; frames ${made}`,
    ],
    ["lost frames", String(report.lostFrames)],
  );
  for (const [name, text] of lines) process.stdout.write(`${name.padEnd(12)} ${text}\n`);
}

function percent(share: number): string {
  return Number.isFinite(share) ? `${(100 * share).toFixed(1)}%` : "-";
}
