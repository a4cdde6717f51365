// Binary logarithm of a 64-bit integer in Q14, by repeated squaring of the mantissa: no table, no floating point.
// Error at most 2 units of Q14 (0.0004 dB of power). Not a sample stage: no rate, no latency.

/** Fraction bits of a logarithm. */
export const LOG2_FRACTION_BITS: i32 = 14;

/** log2(value) in Q14 for value >= 1. */
export function log2Q14(value: i64): i32 {
  const exponent = 63 - i32(clz(value));
  // 1.0 <= mantissa < 2.0 in Q31
  let mantissa: u64 = exponent > 31 ? u64(value) >> (exponent - 31) : u64(value) << (31 - exponent);
  let logarithm = exponent;
  for (let bit = 0; bit < LOG2_FRACTION_BITS; bit++) {
    mantissa = (mantissa * mantissa) >> 31;
    const carry = i32(mantissa >> 32);
    mantissa >>= carry;
    logarithm = (logarithm << 1) | carry;
  }
  return logarithm;
}
