// From logits to the frame's bytes: log-softmax of the phone classes less their prior, and the log odds of speech.
// Rate 25 (phones) and 50 (speech) a second. In: 42 logits, 1/256 nat. Out: u8, 1/4 nat below +2 nat, and u8, 1/16 nat about 128.
// Error of the log-softmax at most 2/256 nat against exact arithmetic. Arithmetic: ../network.md, "Output".

import { LOG2_FRACTION_BITS, log2Q14 } from "./log2";
import { EXP2, LOGITS, POSTERIORS, SPEECH, WEIGHTS, WEIGHTS_OFFSETS_OFFSET } from "./memory";

const CLASSES: i32 = 40;
const EXP2_BITS: i32 = 8;
const EXP2_ENTRIES: i32 = 1 << EXP2_BITS;
/** log2(e) in Q16 and ln(2) in Q14. */
const LOG2_E_Q16: i64 = 94548;
const LN_2_Q14: i64 = 11357;
/** 2^(-1/256) in Q60; the table is built by repeated multiplication. */
const STEP_Q60: i64 = (i64(1070838486) << 30) | 353496202;
const BYTE_MAX: i32 = 31;
/** A posterior of 2 nat above its prior reads 0. */
const TOP: i32 = 2 * 256;
const SPEECH_CENTRE: i32 = 128;

/** a * b in Q60 for a, b below 2 in Q60, by halves, so that no product leaves 64 bits. */
function timesQ60(a: u64, b: u64): u64 {
  const aHigh = a >> 30;
  const aLow = a & 0x3fffffff;
  const bHigh = b >> 30;
  const bLow = b & 0x3fffffff;
  return aHigh * bHigh + ((aHigh * bLow + aLow * bHigh) >> 30);
}

/** Fills the table of 2^(-i/256), Q30. */
export function initPosteriors(): void {
  let value: u64 = 1 << 60;
  for (let i = 0; i < EXP2_ENTRIES; i++) {
    store<u32>(EXP2 + (usize(i) << 2), u32((value + (1 << 29)) >> 30));
    value = timesQ60(value, STEP_Q60);
  }
}

function logit(output: i32): i32 {
  return load<i32>(LOGITS + (usize(output) << 2));
}

/** e^(-x) in Q30 for x >= 0 in 1/256 nat. */
function exponential(x: i32): i64 {
  const octavesQ8 = (i64(x) * LOG2_E_Q16 + (1 << 15)) >> 16;
  const whole = octavesQ8 >> EXP2_BITS;
  if (whole > 30) return 0;
  return i64(load<u32>(EXP2 + (usize(octavesQ8 & (EXP2_ENTRIES - 1)) << 2))) >> whole;
}

/** Writes the 40 posterior bytes. */
export function posteriors(): void {
  let top = logit(0);
  for (let c = 1; c < CLASSES; c++) top = max<i32>(top, logit(c));
  let sum: i64 = 0;
  for (let c = 0; c < CLASSES; c++) sum += exponential(top - logit(c));
  const octavesQ14 = i64(log2Q14(sum) - (30 << LOG2_FRACTION_BITS));
  const shift = 2 * LOG2_FRACTION_BITS - 8;
  const logSum = top + i32((octavesQ14 * LN_2_Q14 + (1 << (shift - 1))) >> shift);
  for (let c = 0; c < CLASSES; c++) {
    const offset = i32(load<i16>(WEIGHTS + usize(WEIGHTS_OFFSETS_OFFSET) + (usize(c) << 1)));
    const byte = (TOP - (logit(c) - logSum - offset) + 32) >> 6;
    store<u8>(POSTERIORS + usize(c), u8(max<i32>(0, min<i32>(byte, BYTE_MAX))));
  }
}

/** Writes the speech byte of the pair's first (0) or second (1) hop. */
export function speech(second: i32): void {
  const value = SPEECH_CENTRE + ((logit(CLASSES + second) + 8) >> 4);
  store<u8>(SPEECH, u8(max<i32>(1, min<i32>(value, 255))));
}
