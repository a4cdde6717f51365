// Sounds to mix: noises of six kinds made from a seed, and the arithmetic of levels. Samples are floats, 1 is full scale; 0 dBFS is a
// full-scale square wave, so the level of a signal is 20 log10 of its RMS.
import type { Random } from "../../src/emulator/random";
import { SAMPLE_RATE_HZ } from "./labels";

/** @returns 0 (inclusive) to 1 (exclusive) */
export const uniform = (random: Random): number => random.uint32() / 2 ** 32;
export const between = (random: Random, low: number, high: number): number =>
  low + (high - low) * uniform(random);
export const pick = <T>(random: Random, items: readonly T[]): T => items[random.uint32() % items.length];

/** @returns the items in a random order */
export function shuffled<T>(random: Random, items: readonly T[]): T[] {
  const result = [...items];
  for (let i = result.length - 1; i > 0; i--) {
    const j = random.uint32() % (i + 1);
    [result[i], result[j]] = [result[j], result[i]];
  }
  return result;
}

export const gainOfDb = (db: number): number => 10 ** (db / 20);

export function rms(samples: Float32Array): number {
  let energy = 0;
  for (const sample of samples) energy += sample * sample;
  return samples.length === 0 ? 0 : Math.sqrt(energy / samples.length);
}

/** Adds `source` times `gain` to `target` from `at`; what lies outside is left out. */
export function mixInto(target: Float32Array, source: Float32Array, gain: number, at = 0): void {
  const end = Math.min(source.length, target.length - at);
  for (let i = Math.max(0, -at); i < end; i++) target[at + i] += gain * source[i];
}

/** Rounds to 16 bits; what is too loud clips, as in a converter. */
export function toInt16(samples: Float32Array): Int16Array {
  return Int16Array.from(samples, (sample) => Math.max(-32768, Math.min(32767, Math.round(32768 * sample))));
}

export function toFloat(samples: Int16Array): Float32Array {
  return Float32Array.from(samples, (sample) => sample / 32768);
}

export type NoiseKind = "pink" | "car" | "street" | "wind" | "music";

/** Noise with RMS 1 over its whole length. */
export function makeNoise(kind: NoiseKind, length: number, random: Random): Float32Array {
  const noise = MAKERS[kind](length, random);
  const scale = 1 / rms(noise);
  for (let i = 0; i < length; i++) noise[i] *= scale;
  return noise;
}

const MAKERS: Record<NoiseKind, (length: number, random: Random) => Float32Array> = {
  pink: pinkNoise,
  car: carNoise,
  street: streetNoise,
  wind: windNoise,
  music: musicNoise,
};

/** Uniform numbers are as good as Gaussian ones once a filter has added hundreds of them. */
const white = (random: Random): number => 2 * uniform(random) - 1;

/** 1/f power: three one-pole low-passes an octave or more apart, Paul Kellet's coefficients. */
function pinkNoise(length: number, random: Random): Float32Array {
  let [slow, middle, fast] = [0, 0, 0];
  return new Float32Array(length).map(() => {
    const w = white(random);
    slow = 0.99765 * slow + 0.099046 * w;
    middle = 0.963 * middle + 0.2965164 * w;
    fast = 0.57 * fast + 1.0526913 * w;
    return slow + middle + fast + 0.1848 * w;
  });
}

/** Brown rumble (1/f^2 from about 25 Hz up) and an engine's hum with its harmonics. */
function carNoise(length: number, random: Random): Float32Array {
  const engineHz = between(random, 28, 45);
  let rumble = 0;
  return new Float32Array(length).map((_, i) => {
    rumble = 0.99 * rumble + 0.1 * white(random);
    const phase = (2 * Math.PI * engineHz * i) / SAMPLE_RATE_HZ;
    return rumble + 0.15 * Math.sin(phase) + 0.1 * Math.sin(2 * phase) + 0.05 * Math.sin(4 * phase);
  });
}

/** Pink bed with clatter: two or three decaying bursts of ringing a second. */
function streetNoise(length: number, random: Random): Float32Array {
  const noise = pinkNoise(length, random);
  for (let at = 0; at < length; at += Math.round(SAMPLE_RATE_HZ * between(random, 0.1, 0.7))) {
    const [hz, decayMs, gain] = [between(random, 300, 5000), between(random, 5, 120), between(random, 1, 8)];
    const decay = Math.exp(-1000 / (decayMs * SAMPLE_RATE_HZ));
    let amplitude = gain;
    for (let i = at; i < length && amplitude > 0.01; i++) {
      const ring = Math.sin((2 * Math.PI * hz * (i - at)) / SAMPLE_RATE_HZ);
      noise[i] += amplitude * (0.6 * ring + 0.4 * white(random));
      amplitude *= decay;
    }
  }
  return noise;
}

/** Low-passed noise whose strength wanders between calm and gust within seconds. */
function windNoise(length: number, random: Random): Float32Array {
  let [low, lower, gust, target] = [0, 0, 0.3, 0.3];
  return new Float32Array(length).map((_, i) => {
    if (i % (SAMPLE_RATE_HZ / 2) === 0) target = between(random, 0.05, 1) ** 2;
    gust += (target - gust) / (SAMPLE_RATE_HZ * 0.3);
    low += 0.08 * (white(random) - low);
    lower += 0.08 * (low - lower);
    return gust * lower;
  });
}

/** A beat of chords: three notes of six harmonics that decay, changed twice a second. */
function musicNoise(length: number, random: Random): Float32Array {
  const noise = new Float32Array(length);
  const beat = SAMPLE_RATE_HZ / 2;
  for (let at = 0; at < length; at += beat) {
    const rootHz = 110 * 2 ** ((random.uint32() % 24) / 12);
    for (const ratio of [1, pick(random, [1.2, 1.25]), 1.5]) {
      for (let harmonic = 1; harmonic <= 6; harmonic++) {
        const step = (2 * Math.PI * rootHz * ratio * harmonic) / SAMPLE_RATE_HZ;
        for (let i = at; i < Math.min(length, at + 2 * beat); i++)
          noise[i] += (Math.exp((-3 * (i - at)) / beat) * Math.sin(step * (i - at))) / harmonic;
      }
    }
  }
  return noise;
}
