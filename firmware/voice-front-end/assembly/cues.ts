// Cues of how near a talker is: tilt (highs against lows) and contrast (how deep the level falls between sounds).
// Rate 50 hops a second, latency 0 (tilt) and 16 hops of memory (contrast). In: level and bands. Out: u8 each.

import { BAND_COUNT, CUES, FEATURE_BANDS_OFFSET, FEATURES, LEVEL_HISTORY } from "./memory";

const LOW_FROM: i32 = 4;
const LOW_END: i32 = 12;
const HIGH_FROM: i32 = 16;
const BANDS_OF_EACH: i32 = 8;
const TILT_CENTRE: i32 = 128;
/** Levels that the contrast looks back on; a power of two. */
const HISTORY: i32 = 16;

let at: i32 = 0;

/** Forgets the levels: before the start there was silence of the level to come, so no contrast. */
export function resetCues(): void {
  at = 0;
}

function sumOfBands(from: i32, end: i32): i32 {
  let sum = 0;
  for (let band = from; band < end; band++)
    sum += i32(load<u8>(FEATURES + FEATURE_BANDS_OFFSET + usize(band)));
  return sum;
}

/** Writes tilt and contrast of the hop whose level and bands are in the features. */
export function cues(): void {
  const difference = sumOfBands(HIGH_FROM, BAND_COUNT) - sumOfBands(LOW_FROM, LOW_END);
  const tilt = TILT_CENTRE + difference / BANDS_OF_EACH;
  store<u8>(CUES, u8(max<i32>(0, min<i32>(tilt, 255))));
  store<u8>(LEVEL_HISTORY + usize(at & (HISTORY - 1)), load<u8>(FEATURES, 1));
  at++;
  const held = min<i32>(at, HISTORY);
  let loudest = 255;
  let quietest = 0;
  for (let i = 0; i < held; i++) {
    const level = i32(load<u8>(LEVEL_HISTORY + usize(i)));
    loudest = min<i32>(loudest, level);
    quietest = max<i32>(quietest, level);
  }
  store<u8>(CUES, u8(quietest - loudest), 1);
}
