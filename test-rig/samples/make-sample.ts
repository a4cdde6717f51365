// Makes solar-sale.flac and solar-sale.json from the script, with Debian's `flite` (voices) and `flac`. Run it from the
// repository's root: npx tsx test-rig/samples/make-sample.ts
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Random } from "../src/emulator/random";
import { SCRIPT, type ScriptTurn, type Speaker, TAIL_MS } from "./solar-sale.script";
import { clatter, kettle, knock, RATE_HZ, reverberate, room, toLevel } from "./sounds";

interface Word {
  word: string;
  startMs: number;
  endMs: number;
}

const VOICES: Record<Speaker, { voice: string; distance: "near" | "far"; levelDbfs: number }> = {
  rep: { voice: "rms", distance: "near", levelDbfs: -21 },
  homeowner: { voice: "slt", distance: "far", levelDbfs: -34 },
};
const SEED = 20260;
/** The lowest bits are zero: that is far below the room's noise and halves the file. */
const ZERO_BITS = 4;
const FOLDER = fileURLToPath(new URL(".", import.meta.url));

function run(program: string, args: string[]): string {
  try {
    return execFileSync(program, args, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT")
      throw new Error(`'${program}' is missing: install Debian's package '${program}' and run this again`);
    throw error;
  }
}

/** @returns phones of a text with their end times in ms, pauses included */
function phonesOf(voice: string, text: string, wav: string): { phone: string; endMs: number }[] {
  const printed = run("flite", ["-voice", voice, "-psdur", "-t", text, wav]);
  return printed
    .trim()
    .split(/\s+/)
    .map((pair) => ({ phone: pair.split(":")[0], endMs: Number(pair.split(":")[1]) * 1000 }));
}

/** Gives each word its phones: those that match best the phones of the word when it is spoken alone. */
function timeWords(voice: string, text: string, phones: { phone: string; endMs: number }[]): Word[] {
  const spoken = phones
    .map(({ phone, endMs }, i) => ({ phone, startMs: phones[i - 1]?.endMs ?? 0, endMs }))
    .filter(({ phone }) => phone !== "pau");
  const words = text.split(/\s+/).map((token) => token.replace(/[.,?!]/g, ""));
  const alone = words.flatMap((word, index) =>
    run("flite", ["-voice", voice, "-ps", "-t", word, "none"])
      .trim()
      .split(/\s+/)
      .filter((phone) => phone !== "pau")
      .map((phone) => ({ phone, index })),
  );
  const owner = align(
    spoken.map(({ phone }) => phone),
    alone.map(({ phone }) => phone),
  ).map((at) => alone[at].index);
  return words.map((word, index) => {
    const own = spoken.filter((_, i) => owner[i] === index);
    if (own.length === 0) throw new Error(`no phone of '${text}' belongs to '${word}': choose other words`);
    return { word, startMs: own[0].startMs, endMs: own[own.length - 1].endMs };
  });
}

/** Edit distance. @returns for each phone in `spoken` the place in `alone` that it stands for */
function align(spoken: string[], alone: string[]): number[] {
  const cost = Array.from({ length: spoken.length + 1 }, (_, i) =>
    Array.from({ length: alone.length + 1 }, (_, j) => (i === 0 ? j : j === 0 ? i : 0)),
  );
  const differs = (i: number, j: number) => (spoken[i - 1] === alone[j - 1] ? 0 : 1);
  for (let i = 1; i <= spoken.length; i++)
    for (let j = 1; j <= alone.length; j++)
      cost[i][j] = Math.min(cost[i - 1][j - 1] + differs(i, j), cost[i - 1][j] + 1, cost[i][j - 1] + 1);
  const places: number[] = [];
  let j = alone.length;
  for (let i = spoken.length; i > 0; ) {
    if (j > 0 && cost[i][j] === cost[i - 1][j - 1] + differs(i, j)) places[--i] = --j;
    else if (cost[i][j] === cost[i - 1][j] + 1) places[--i] = Math.max(0, j - 1);
    else j--;
  }
  return places;
}

/** @returns 16-bit mono samples of a WAV that flite wrote, full scale 1 */
function readWav(path: string): Float64Array {
  const bytes = readFileSync(path);
  const data = bytes.subarray(bytes.indexOf("data") + 8);
  return Float64Array.from({ length: data.length >> 1 }, (_, i) => data.readInt16LE(2 * i) / 32768);
}

const ms = (samples: number): number => Math.round((samples / RATE_HZ) * 1000);
const samplesOf = (durationMs: number): number => Math.round((durationMs / 1000) * RATE_HZ);

function speak(turn: ScriptTurn, startMs: number, scratch: string, random: Random) {
  const { voice, distance, levelDbfs } = VOICES[turn.speaker];
  const wav = join(scratch, "turn.wav");
  const phones = phonesOf(voice, turn.text, wav);
  const words = timeWords(voice, turn.text, phones);
  const cut = samplesOf(words[0].startMs);
  const dry = readWav(wav).subarray(cut, samplesOf(words[words.length - 1].endMs));
  const level = toLevel(Float64Array.from(dry), levelDbfs);
  const moved = words.map(({ word, startMs: from, endMs }) => ({
    word,
    startMs: Math.round(startMs + from - words[0].startMs),
    endMs: Math.round(startMs + endMs - words[0].startMs),
  }));
  return {
    samples: distance === "far" ? reverberate(level, random) : level,
    words: moved,
    durationMs: ms(dry.length),
  };
}

function markTimes(turn: ScriptTurn, words: Word[]) {
  return (turn.marks ?? []).map(({ kind, text }) => {
    const wanted = text.split(" ");
    const at = words.findIndex((_, i) => wanted.every((word, j) => words[i + j]?.word === word));
    if (at < 0) throw new Error(`the mark '${text}' is not in '${turn.text}'`);
    return { kind, text, startMs: words[at].startMs, endMs: words[at + wanted.length - 1].endMs };
  });
}

function main(): void {
  const scratch = mkdtempSync(join(tmpdir(), "sample-"));
  const random = new Random(SEED);
  const placed: { atMs: number; samples: Float64Array }[] = [];
  const turns: { speaker: Speaker; startMs: number; endMs: number; text: string; words: Word[] }[] = [];
  const marks: ReturnType<typeof markTimes> = [];
  const noises: { what: string; startMs: number; endMs: number }[] = [];
  const sound = (what: string, atMs: number, samples: Float64Array) => {
    placed.push({ atMs, samples });
    noises.push({ what, startMs: atMs, endMs: atMs + ms(samples.length) });
  };
  sound("knock at the door", 600, knock(random));
  let nowMs = 0;
  for (const turn of SCRIPT) {
    if (turn.pauseMs > 5000) {
      sound("kettle", nowMs + 300, kettle(random, turn.pauseMs - 600));
      sound("clatter", nowMs + 2600, clatter(random));
    }
    nowMs += turn.pauseMs;
    const { samples, words, durationMs } = speak(turn, nowMs, scratch, random);
    placed.push({ atMs: nowMs, samples });
    turns.push({ speaker: turn.speaker, startMs: nowMs, endMs: nowMs + durationMs, text: turn.text, words });
    marks.push(...markTimes(turn, words));
    nowMs += durationMs;
  }
  const durationMs = nowMs + TAIL_MS;
  const mix = room(random, samplesOf(durationMs));
  for (const { atMs, samples } of placed)
    for (let i = 0, at = samplesOf(atMs); i < samples.length && at < mix.length; i++, at++)
      mix[at] += samples[i];
  const pcm = Buffer.alloc(2 * mix.length);
  const step = 1 << ZERO_BITS;
  for (const [i, sample] of mix.entries())
    pcm.writeInt16LE(
      Math.max(-32768, Math.min(32767 - step, Math.round((sample * 32768) / step) * step)),
      2 * i,
    );
  const raw = join(scratch, "mix.raw");
  writeFileSync(raw, pcm);
  const flac = join(FOLDER, "solar-sale.flac");
  const format = ["--force-raw-format", "--endian=little", "--sign=signed", "--channels=1", "--bps=16"];
  run("flac", [
    "-s",
    "-f",
    "-8",
    "--no-padding",
    "--no-seektable",
    ...format,
    `--sample-rate=${RATE_HZ}`,
    "-o",
    flac,
    raw,
  ]);
  const sha256 = createHash("sha256").update(readFileSync(flac)).digest("hex");
  const speakers = Object.fromEntries(
    Object.entries(VOICES).map(([name, { distance, levelDbfs }]) => [name, { distance, levelDbfs }]),
  );
  const truth = {
    schema: 1,
    audio: "solar-sale.flac",
    sha256,
    sampleRateHz: RATE_HZ,
    durationMs,
    speakers,
    turns,
    noises,
    marks,
  };
  writeFileSync(join(FOLDER, "solar-sale.json"), `${JSON.stringify(truth, null, 1)}\n`);
  rmSync(scratch, { recursive: true });
}

main();
