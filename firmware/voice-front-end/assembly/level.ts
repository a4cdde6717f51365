// Level of the hop and whether its input clipped.
// Rate 16 kHz, block 320, latency 0 samples. In: the hop, i32 Q15.4 (level) and i16 Q15 (clip).
// Out: level in half decibels below a full-scale square wave, 0..255. Sum of squares in 64 bits, below 2^49.

import { LOG2_FRACTION_BITS, log2Q14 } from "./log2";
import { HOP_SAMPLES, INPUT, SAMPLE_FRACTION_BITS, WINDOW, WINDOW_SAMPLES } from "./memory";

const LEVEL_SILENT: i32 = 255;
/** Sum of squares of a hop of full-scale square wave. */
const FULL_SCALE: i64 = i64(HOP_SAMPLES) << (2 * (15 + SAMPLE_FRACTION_BITS));
/** Half decibels in an octave of power, 20 log10(2), Q16. */
const HALF_DB_PER_OCTAVE_Q16: i64 = 394566;

/** Level of the last hop in the window, in half decibels below full scale. */
export function level(): i32 {
  let sum: i64 = 0;
  for (let i = WINDOW_SAMPLES - HOP_SAMPLES; i < WINDOW_SAMPLES; i++) {
    const sample = i64(load<i32>(WINDOW + (usize(i) << 2)));
    sum += sample * sample;
  }
  if (sum === 0) return LEVEL_SILENT;
  const octavesQ14 = i64(log2Q14(FULL_SCALE) - log2Q14(sum));
  const shift = 16 + LOG2_FRACTION_BITS;
  const halfDb = i32((octavesQ14 * HALF_DB_PER_OCTAVE_Q16 + (1 << (shift - 1))) >> shift);
  return min<i32>(max<i32>(halfDb, 0), LEVEL_SILENT);
}

/** Whether a sample of the input stands at the converter's lowest or highest code. */
export function clipped(): bool {
  for (let i = 0; i < HOP_SAMPLES; i++) {
    const sample = i32(load<i16>(INPUT + (usize(i) << 1)));
    if (sample === i16.MAX_VALUE || sample === i16.MIN_VALUE) return true;
  }
  return false;
}
