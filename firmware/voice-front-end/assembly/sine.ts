// Sine table of 512 points a turn and the Hann window, both Q30, computed once at start-up.
// Integer Taylor series, so that no platform's libm or floating point decides a bit. Error at most 4 units of Q30.
// Not a sample stage: no rate, no latency.

import { HANN, SINE, SINE_ENTRIES, TURN_POINTS } from "./memory";

const ONE_Q30: i64 = 1 << 30;
/** pi in Q30. */
const PI_Q30: i64 = 3373259426;
/** Highest power of the series; the next term at pi/2 is below 2^-30. */
const TAYLOR_ORDER: i64 = 15;

/** Sine in Q30 of an angle in [0, pi/2], in Q30 radians. */
function sineOfFirstQuarter(angleQ30: i64): i32 {
  const squareQ30: i64 = (angleQ30 * angleQ30) >> 30;
  let sum: i64 = ONE_Q30;
  for (let order: i64 = TAYLOR_ORDER; order > 1; order -= 2) {
    sum = ONE_Q30 - ((squareQ30 * sum) >> 30) / (order * (order - 1));
  }
  return i32((angleQ30 * sum) >> 30);
}

/** Fills the sine table and the Hann window. */
export function initSine(): void {
  const quarter = TURN_POINTS / 4;
  for (let i = 0; i < SINE_ENTRIES; i++) {
    const folded = i <= quarter ? i : i <= 2 * quarter ? 2 * quarter - i : i - 2 * quarter;
    const magnitude = sineOfFirstQuarter((i64(folded) * PI_Q30) / (TURN_POINTS / 2));
    store<i32>(SINE + (usize(i) << 2), i <= 2 * quarter ? magnitude : -magnitude);
  }
  for (let i = 0; i <= TURN_POINTS / 2; i++) {
    store<i32>(HANN + (usize(i) << 2), i32((ONE_Q30 - i64(cosine(i))) >> 1));
  }
}

/** Sine in Q30 of 2 pi i / 512, for i in 0..384. */
export function sine(i: i32): i32 {
  return load<i32>(SINE + (usize(i) << 2));
}

/** Cosine in Q30 of 2 pi i / 512, for i in 0..256. */
export function cosine(i: i32): i32 {
  return load<i32>(SINE + (usize(i + TURN_POINTS / 4) << 2));
}
