// DC block: a one-pole high pass, corner 20 Hz, that subtracts a leaky mean of the samples.
// Rate 16 kHz, block 320, latency 0 samples. In: i16, Q15. Out: i32, Q15.4, magnitude at most 2^20.
// The mean is Q15.14: 16-bit samples and their difference from it fit 32 bits.

import { HOP_SAMPLES, INPUT, SAMPLE_FRACTION_BITS, WINDOW, WINDOW_SAMPLES } from "./memory";

const MEAN_FRACTION_BITS: i32 = 14;
/** The mean follows by 2^-7 a sample: 16000 / (2 pi 128) = 19.9 Hz. */
const LEAK_BITS: i32 = 7;

let mean: i32 = 0;

/** Forgets the mean. */
export function resetDcBlock(): void {
  mean = 0;
}

/** Moves the analysis window on by a hop and appends the filtered input. */
export function dcBlock(): void {
  const kept = WINDOW_SAMPLES - HOP_SAMPLES;
  for (let i = 0; i < kept; i++) {
    store<i32>(WINDOW + (usize(i) << 2), load<i32>(WINDOW + (usize(i + HOP_SAMPLES) << 2)));
  }
  const drop = MEAN_FRACTION_BITS - SAMPLE_FRACTION_BITS;
  let running = mean;
  for (let i = 0; i < HOP_SAMPLES; i++) {
    const sample = i32(load<i16>(INPUT + (usize(i) << 1)));
    const difference = (sample << MEAN_FRACTION_BITS) - running;
    running += difference >> LEAK_BITS;
    store<i32>(WINDOW + (usize(kept + i) << 2), (difference + (1 << (drop - 1))) >> drop);
  }
  mean = running;
}
