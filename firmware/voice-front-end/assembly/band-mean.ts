// The network's input: each band less its mean over speech, so that microphone, room and distance drop out.
// Rate 50 hops a second, latency 0. In: the 24 band bytes. Out: i8, 32 units are 1.0. Mean Q16; the gate opens 6 dB above a
// floor that falls fast and rises by 1.1 dB a second. Arithmetic: ../network.md, "Input".

import { BAND_COUNT, BAND_MEAN, FEATURE_BANDS_OFFSET, FEATURES, NETWORK_INPUT, WEIGHTS } from "./memory";

const FLOOR_FALL_BITS: i32 = 2;
const FLOOR_RISE: i32 = 369;
const GATE: i32 = 384 << 8;
const COUNT_START: i32 = 15;
const COUNT_MAX: i32 = 100;
const MEAN_BITS: i32 = 16;
const INPUT_MAX: i32 = 127;

let floorQ8: i32 = -1;
let count: i32 = COUNT_START;

function meanAt(band: i32): usize {
  return BAND_MEAN + (usize(band) << 2);
}

/** Takes the start-up mean from the weights and forgets the floor. */
export function resetBandMean(): void {
  floorQ8 = -1;
  count = COUNT_START;
  for (let band = 0; band < BAND_COUNT; band++) {
    store<i32>(meanAt(band), i32(load<u16>(WEIGHTS + (usize(band) << 1))) << 8);
  }
}

/** Takes the hop's bands into the mean, if they are speech-like, and writes the network's input. */
export function bandMean(): void {
  const bands = FEATURES + FEATURE_BANDS_OFFSET;
  let sum = 0;
  for (let band = 0; band < BAND_COUNT; band++) sum += i32(load<u8>(bands + usize(band)));
  sum <<= 8;
  if (floorQ8 < 0) floorQ8 = sum;
  else if (sum < floorQ8) floorQ8 += (sum - floorQ8) >> FLOOR_FALL_BITS;
  else floorQ8 += FLOOR_RISE;
  const speechLike = sum > floorQ8 + GATE;
  if (speechLike) count = min<i32>(count + 1, COUNT_MAX);
  for (let band = 0; band < BAND_COUNT; band++) {
    const value = i32(load<u8>(bands + usize(band)));
    let mean = load<i32>(meanAt(band));
    if (speechLike) {
      mean += ((value << MEAN_BITS) - mean) / count;
      store<i32>(meanAt(band), mean);
    }
    const input = value - ((mean + (1 << (MEAN_BITS - 1))) >> MEAN_BITS);
    store<i8>(NETWORK_INPUT + usize(band), i8(max<i32>(-INPUT_MAX, min<i32>(input, INPUT_MAX))));
  }
}
