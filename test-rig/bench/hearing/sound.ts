// Speech and noise for the benchmarks: sentences by Debian's synthesisers, noises from a seed, mixed at known levels.
import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { readAudio } from "../../src/audio/read-audio";
import type { Seeded } from "./random";

export const RATE_HZ = 16000;
const ESPEAK_VOICES = [
  "en-us+m1",
  "en-us+f2",
  "en-us+m3",
  "en-us+f4",
  "en-us+adam",
  "en-us+linda",
  "en-gb+steph",
  "en-us+klatt4",
];
const FLITE_VOICES = ["slt", "rms", "awb", "kal16"];

/** @returns names of the synthesisers that are installed */
export function synthesisers(): string[] {
  return ["espeak-ng", "flite"].filter((program) => spawnSync("which", [program]).status === 0);
}

/** Speaks a sentence, or takes it from the cache. @returns samples of full scale 1 at 16 kHz, at their own level */
export async function speak(text: string, random: Seeded, cacheFolder: string): Promise<Float32Array> {
  const isEspeak = random.next() < 0.5;
  const voice = random.pick(isEspeak ? ESPEAK_VOICES : FLITE_VOICES);
  const rate = Math.round(random.between(135, 190));
  const pitch = Math.round(random.between(30, 65));
  const stretch = random.between(0.85, 1.2).toFixed(2);
  const command = isEspeak
    ? ["espeak-ng", "-v", voice, "-s", `${rate}`, "-p", `${pitch}`, text]
    : ["flite", "-voice", voice, "--setf", `duration_stretch=${stretch}`, "-t", text];
  const name = createHash("sha256").update(JSON.stringify(command)).digest("hex").slice(0, 24);
  const file = join(cacheFolder, `${name}.wav`);
  mkdirSync(cacheFolder, { recursive: true });
  if (!existsSync(file)) {
    const [program, ...args] = command;
    execFileSync(program, [...args, ...(isEspeak ? ["-w", file] : ["-o", file])], { stdio: "ignore" });
  }
  return await readFloats(file);
}

/** @returns samples of full scale 1 at 16 kHz. Throws what readAudio throws. */
export async function readFloats(file: string): Promise<Float32Array> {
  const { samples } = await readAudio(file);
  return Float32Array.from(samples, (sample) => sample / 32768);
}

/** Level of the loudest 30% of the 20 ms blocks: speech without its pauses. */
export function activeRms(samples: Float32Array): number {
  const blocks = Array.from({ length: Math.floor(samples.length / 320) }, (_, b) => {
    let sum = 0;
    for (let i = 0; i < 320; i++) sum += samples[b * 320 + i] ** 2;
    return sum / 320;
  }).sort((a, b) => b - a);
  const loud = blocks.slice(0, Math.max(1, Math.ceil(blocks.length * 0.3)));
  return Math.sqrt(loud.reduce((sum, power) => sum + power, 0) / loud.length) + 1e-9;
}

export function rms(samples: Float32Array): number {
  let sum = 0;
  for (const sample of samples) sum += sample * sample;
  return Math.sqrt(sum / samples.length) + 1e-12;
}

function whiteNoise(count: number, random: Seeded): Float32Array {
  const noise = new Float32Array(count);
  for (let i = 0; i < count; i++) noise[i] = random.between(-1, 1);
  return noise;
}

/** White noise through a chain of one-pole filters whose sum falls by about 3 dB an octave (Kellet's economy filter). */
function pinkNoise(count: number, random: Seeded): Float32Array {
  let [a, b, c] = [0, 0, 0];
  return whiteNoise(count, random).map((white) => {
    a = 0.99765 * a + white * 0.099046;
    b = 0.963 * b + white * 0.2965164;
    c = 0.57 * c + white * 1.0526913;
    return a + b + c + white * 0.1848;
  });
}

function brownNoise(count: number, random: Seeded): Float32Array {
  let level = 0;
  return whiteNoise(count, random).map((white) => {
    level = 0.995 * level + white;
    return level;
  });
}

/** Gusts: brown noise whose level wanders. */
function windNoise(count: number, random: Seeded): Float32Array {
  let gust = 1;
  let goal = 1;
  return brownNoise(count, random).map((sample, i) => {
    if (i % 8000 === 0) goal = random.between(0.1, 3);
    gust += (goal - gust) / 4000;
    return sample * gust;
  });
}

/** Bursts of ringing noise over a quiet bed: dishes, doors, steps. */
function clatterNoise(count: number, random: Seeded): Float32Array {
  const out = pinkNoise(count, random).map((sample) => sample * 0.15);
  for (let at = 0; at < count; at += Math.round(random.between(2000, 14000))) {
    const hz = random.between(200, 5000);
    const decay = random.between(200, 2500);
    const level = random.between(0.5, 4);
    for (let i = 0; i < 6 * decay && at + i < count; i++)
      out[at + i] +=
        level * Math.exp(-i / decay) * (Math.sin((2 * Math.PI * hz * i) / RATE_HZ) + random.between(-1, 1));
  }
  return out;
}

/** Notes of decaying harmonics. */
function musicNoise(count: number, random: Seeded): Float32Array {
  const out = new Float32Array(count);
  for (let at = 0; at < count; at += Math.round(random.between(1600, 9000))) {
    const hz = 110 * 2 ** (random.pick([0, 2, 3, 5, 7, 9, 10, 12, 15, 17, 19, 24]) / 12);
    const decay = random.between(2000, 9000);
    for (let i = 0; i < 4 * decay && at + i < count; i++)
      for (let h = 1; h <= 6; h++)
        out[at + i] += (Math.exp(-i / decay) * Math.sin((2 * Math.PI * hz * h * i) / RATE_HZ)) / h;
  }
  return out;
}

/** @param voices stretches of speech, each brought to the same active level; six of them speak at any time */
export function babbleNoise(count: number, random: Seeded, voices: Float32Array[]): Float32Array {
  const out = new Float32Array(count);
  for (let talker = 0; talker < 6; talker++)
    for (let at = -Math.round(random.between(0, 16000)); at < count; ) {
      const voice = random.pick(voices);
      const gain = 1 / activeRms(voice);
      for (let i = Math.max(0, -at); i < voice.length && at + i < count; i++) out[at + i] += voice[i] * gain;
      at += voice.length;
    }
  return out;
}

export const NOISES = {
  pink: pinkNoise,
  car: brownNoise,
  wind: windNoise,
  clatter: clatterNoise,
  music: musicNoise,
} as const;

/** Adds a noise so that speech of the given active level is `snrDb` above it. */
export function mixAt(speech: Float32Array, level: number, noise: Float32Array, snrDb: number): Float32Array {
  const gain = (level / rms(noise)) * 10 ** (-snrDb / 20);
  return speech.map((sample, i) => sample + gain * noise[i % noise.length]);
}

/** Samples as a converter gives them: 16 bit, with a last bit that rustles. */
export function toPcm(samples: Float32Array, random: Seeded): Int16Array {
  const pcm = new Int16Array(samples.length);
  for (let i = 0; i < pcm.length; i++)
    pcm[i] = Math.max(-32768, Math.min(32767, Math.round(samples[i] * 32768 + random.triangular())));
  return pcm;
}

export function joined(parts: Float32Array[]): Float32Array {
  const out = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}
