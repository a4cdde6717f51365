// The household of the sample conversation, computed: a room, a refrigerator, a knock at the door, a clatter, a kettle. Seeded, so
// that the same samples come out each time. Samples are floats, full scale 1, 16 kHz.
import type { Random } from "../src/emulator/random";

export const RATE_HZ = 16_000;

export const amplitude = (dbfs: number): number => 10 ** (dbfs / 20);

/** White noise of unit RMS. */
export function noise(random: Random, length: number): Float64Array {
  return Float64Array.from({ length }, () => (random.uint32() / 2 ** 32 - 0.5) * Math.sqrt(12));
}

/** One-pole low-pass. */
export function lowPass(samples: Float64Array, cornerHz: number): Float64Array {
  const share = 1 - Math.exp((-2 * Math.PI * cornerHz) / RATE_HZ);
  let state = 0;
  return samples.map((sample) => {
    state += share * (sample - state);
    return state;
  });
}

/** Scales to an RMS in dBFS over all samples. */
export function toLevel(samples: Float64Array, dbfs: number): Float64Array {
  const rms = Math.sqrt(samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length);
  return samples.map((sample) => (sample * amplitude(dbfs)) / rms);
}

/** The room itself: soft noise and the hum of a refrigerator, without end. */
export function room(random: Random, length: number): Float64Array {
  const air = toLevel(lowPass(noise(random, length), 700), -61);
  return air.map((sample, i) => {
    const t = (2 * Math.PI * i) / RATE_HZ;
    return (
      sample + amplitude(-66) * (Math.sin(50 * t) + 0.6 * Math.sin(100 * t + 1) + 0.3 * Math.sin(150 * t + 2))
    );
  });
}

/** Three knocks on a wooden door. */
export function knock(random: Random): Float64Array {
  const length = Math.round(0.9 * RATE_HZ);
  const wood = lowPass(noise(random, length), 350);
  return toLevel(
    wood.map((sample, i) => {
      const sinceMs = ((i / RATE_HZ) * 1000) % 280;
      return sample * Math.exp(-sinceMs / 25);
    }),
    -27,
  );
}

/** A pan on a stove. */
export function clatter(random: Random): Float64Array {
  const length = Math.round(0.5 * RATE_HZ);
  const hits = noise(random, length);
  return toLevel(
    hits.map((sample, i) => {
      const t = i / RATE_HZ;
      const ring = Math.sin(2 * Math.PI * 2100 * t) + 0.5 * Math.sin(2 * Math.PI * 3370 * t);
      return (0.3 * sample + ring) * Math.exp(-t / 0.08);
    }),
    -42,
  );
}

/** A kettle that comes to the boil. */
export function kettle(random: Random, durationMs: number): Float64Array {
  const length = Math.round((durationMs / 1000) * RATE_HZ);
  const steam = lowPass(noise(random, length), 2500);
  return toLevel(
    steam.map((sample, i) => sample * Math.sin((Math.PI * i) / length) ** 2),
    -50,
  );
}

/** A voice across a room: a handful of early reflections and a short tail. */
export function reverberate(samples: Float64Array, random: Random): Float64Array {
  const tail = Math.round(0.25 * RATE_HZ);
  const taps = Array.from({ length: 40 }, () => {
    const delay = Math.round((random.uint32() / 2 ** 32) ** 1.5 * tail) + 80;
    return { delay, gain: ((random.uint32() & 1) * 2 - 1) * 0.28 * Math.exp((-5 * delay) / tail) };
  });
  const out = new Float64Array(samples.length + tail + 81);
  out.set(samples);
  for (const { delay, gain } of taps)
    for (let i = 0; i < samples.length; i++) out[i + delay] += gain * samples[i];
  return out;
}
