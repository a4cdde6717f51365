// Log power of 24 mel bands, 100 Hz to 7600 Hz: triangles of height 1 whose feet are their neighbours' centres.
// Block 512 with a hop of 320 (bins of 31.25 Hz), latency 0 on top of the spectrum's. In: i64 bin powers, squared
// Q15.4 units >> 8. Weights Q14; a band's sum stays below 2^62. Out: u8, 8 units to an octave of power.
// Formula: round(8 log2(P 2^20 + 1) - 16), P the mean of |X|^2 for samples of +-1, with P 2^20 + 1 taken as
// (band + unit) / unit.

import { LOG2_FRACTION_BITS, log2Q14 } from "./log2";
import {
  BAND_COUNT,
  BAND_POWER,
  BAND_UNIT,
  BIN_INTERVAL,
  BIN_WEIGHT,
  FEATURE_BANDS_OFFSET,
  FEATURES,
  POWER,
} from "./memory";

const WEIGHT_BITS: i32 = 14;
const EDGE_FRACTION_BITS: i32 = 8;
/** Power at which a band reads 8 log2(2) - offset, as a shift: P * 2^20 is 1. */
const FLOOR_BITS: i32 = 20;
const UNITS_PER_OCTAVE: i32 = 8;
const BAND_OFFSET: i32 = 16;
/** |X|^2 = 1 for samples of +-1, as a shift: samples of 2^15 in Q4, squared, shifted right by 8. */
const UNIT_POWER_BITS: i32 = 2 * (15 + 4) - 8;

/**
 * The 26 edges in bins, Q8: 100 Hz to 7600 Hz in equal steps of 2595 log10(1 + f / 700). Edge i is the lower foot
 * of band i, the centre of band i - 1 and the upper foot of band i - 2.
 */
const EDGES = memory.data<u16>([
  819, 1462, 2168, 2943, 3794, 4729, 5756, 6883, 8120, 9479, 10972, 12610, 14410, 16386, 18556, 20939, 23555,
  26428, 29583, 33048, 36852, 41029, 45617, 50654, 56185, 62259,
]);

function edge(i: i32): i32 {
  return i32(load<u16>(EDGES + (usize(i) << 1)));
}

/** Places every bin in its interval of the mel scale and computes each band's unit. */
export function initMelBands(): void {
  for (let interval = 0; interval <= BAND_COUNT; interval++) {
    const low = edge(interval);
    const high = edge(interval + 1);
    const first = (low + (1 << EDGE_FRACTION_BITS) - 1) >> EDGE_FRACTION_BITS;
    const end = (high + (1 << EDGE_FRACTION_BITS) - 1) >> EDGE_FRACTION_BITS;
    for (let bin = first; bin < end; bin++) {
      const weight = (((bin << EDGE_FRACTION_BITS) - low) << WEIGHT_BITS) / (high - low);
      store<i16>(BIN_WEIGHT + (usize(bin) << 1), i16(weight));
      store<u8>(BIN_INTERVAL + usize(bin), u8(interval));
      store<i64>(POWER + (usize(bin) << 3), 1);
    }
  }
  sumBands();
  for (let band = 0; band < BAND_COUNT; band++) {
    const weightSum = load<i64>(BAND_POWER + (usize(band + 1) << 3));
    store<i64>(BAND_UNIT + (usize(band) << 3), weightSum << (UNIT_POWER_BITS - FLOOR_BITS));
  }
}

function firstBin(): i32 {
  return (edge(0) + (1 << EDGE_FRACTION_BITS) - 1) >> EDGE_FRACTION_BITS;
}

function endBin(): i32 {
  return (edge(BAND_COUNT + 1) + (1 << EDGE_FRACTION_BITS) - 1) >> EDGE_FRACTION_BITS;
}

/** Weighted sum of bin powers for each band; band b is entry b + 1. */
function sumBands(): void {
  for (let i = 0; i < BAND_COUNT + 2; i++) store<i64>(BAND_POWER + (usize(i) << 3), 0);
  const end = endBin();
  for (let bin = firstBin(); bin < end; bin++) {
    const power = load<i64>(POWER + (usize(bin) << 3));
    const rising = power * i64(load<i16>(BIN_WEIGHT + (usize(bin) << 1)));
    const lower = BAND_POWER + (usize(load<u8>(BIN_INTERVAL + usize(bin))) << 3);
    store<i64>(lower, load<i64>(lower) + ((power << WEIGHT_BITS) - rising));
    store<i64>(lower, load<i64>(lower, 8) + rising, 8);
  }
}

/** Writes the 24 band bytes to the features. */
export function melBands(): void {
  sumBands();
  for (let band = 0; band < BAND_COUNT; band++) {
    const unit = load<i64>(BAND_UNIT + (usize(band) << 3));
    const power = load<i64>(BAND_POWER + (usize(band + 1) << 3));
    const octavesQ14 = log2Q14(power + unit) - log2Q14(unit);
    const half = 1 << (LOG2_FRACTION_BITS - 1);
    const value = ((octavesQ14 * UNITS_PER_OCTAVE + half) >> LOG2_FRACTION_BITS) - BAND_OFFSET;
    store<u8>(FEATURES + FEATURE_BANDS_OFFSET + usize(band), u8(min<i32>(max<i32>(value, 0), 255)));
  }
}
