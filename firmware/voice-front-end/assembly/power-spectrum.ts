// Power spectrum of the analysis window: Hann window, then a 512-point real FFT as a 256-point complex one.
// Rate 16 kHz, block 512 with a hop of 320, bins of 31.25 Hz; the window's centre lies 256 samples back.
// In: i32 Q15.4. Stages do not scale: 32 bits hold the largest sum (2^20 a sample, window sum 2^8, so 2^28).
// Twiddles and window Q30, products 64 bits, rounded. Out: i64, squared Q15.4 units shifted right by 8.

import { HANN, POWER, SPECTRUM, WINDOW, WINDOW_SAMPLES } from "./memory";
import { cosine, sine } from "./sine";

const POINTS: i32 = WINDOW_SAMPLES / 2;
const POINT_BITS: i32 = 8;
const HALF_Q30: i64 = 1 << 29;
/** The split below computes twice each amplitude, so four times each power. */
const POWER_SHIFT: i32 = 8 + 2;

/** Real part of point i; the imaginary part follows it at offset 4. */
function pointAt(i: i32): usize {
  return SPECTRUM + (usize(i) << 3);
}

function windowed(i: i32): i32 {
  const weight = load<i32>(HANN + (usize(min<i32>(i, WINDOW_SAMPLES - i)) << 2));
  return i32((i64(load<i32>(WINDOW + (usize(i) << 2))) * i64(weight) + HALF_Q30) >> 30);
}

/** Index with its 8 bits in reverse order. */
function reversed(i: i32): i32 {
  let bits = ((i & 0x55) << 1) | ((i >> 1) & 0x55);
  bits = ((bits & 0x33) << 2) | ((bits >> 2) & 0x33);
  return ((bits & 0x0f) << 4) | (bits >> 4);
}

/** Even samples become real parts, odd ones imaginary parts, in bit-reversed order. */
function packWindow(): void {
  for (let i = 0; i < POINTS; i++) {
    const point = pointAt(reversed(i));
    store<i32>(point, windowed(2 * i));
    store<i32>(point, windowed(2 * i + 1), 4);
  }
}

/** Radix-2 decimation in time, in place. */
function transform(): void {
  for (let stage = 0; stage < POINT_BITS; stage++) {
    const half = 1 << stage;
    const turnStep = WINDOW_SAMPLES >> (stage + 1);
    for (let k = 0; k < half; k++) {
      const wRe = i64(cosine(k * turnStep));
      const wIm = -i64(sine(k * turnStep));
      for (let i = k; i < POINTS; i += 2 * half) {
        const a = pointAt(i);
        const b = pointAt(i + half);
        const bRe = i64(load<i32>(b));
        const bIm = i64(load<i32>(b, 4));
        const tRe = i32((bRe * wRe - bIm * wIm + HALF_Q30) >> 30);
        const tIm = i32((bRe * wIm + bIm * wRe + HALF_Q30) >> 30);
        const aRe = load<i32>(a);
        const aIm = load<i32>(a, 4);
        store<i32>(b, aRe - tRe);
        store<i32>(b, aIm - tIm, 4);
        store<i32>(a, aRe + tRe);
        store<i32>(a, aIm + tIm, 4);
      }
    }
  }
}

function storePower(bin: i32, re: i64, im: i64): void {
  store<i64>(POWER + (usize(bin) << 3), (re * re + im * im) >> POWER_SHIFT);
}

/**
 * Separates the spectra of even and odd samples and joins them to the bins 1..255 of the real FFT.
 * Bins 0 and 256 lie outside every mel band and are left at 0.
 */
function split(): void {
  for (let k = 1; k <= POINTS / 2; k++) {
    const p = pointAt(k);
    const q = pointAt(POINTS - k);
    const evenRe = i64(load<i32>(p)) + i64(load<i32>(q));
    const evenIm = i64(load<i32>(p, 4)) - i64(load<i32>(q, 4));
    const oddRe = i64(load<i32>(p, 4)) + i64(load<i32>(q, 4));
    const oddIm = i64(load<i32>(q)) - i64(load<i32>(p));
    const wRe = i64(cosine(k));
    const wIm = -i64(sine(k));
    const tRe = (oddRe * wRe - oddIm * wIm + HALF_Q30) >> 30;
    const tIm = (oddRe * wIm + oddIm * wRe + HALF_Q30) >> 30;
    storePower(k, evenRe + tRe, evenIm + tIm);
    storePower(POINTS - k, evenRe - tRe, evenIm - tIm);
  }
}

/** Fills the power of bins 1..255 from the analysis window. */
export function powerSpectrum(): void {
  packWindow();
  transform();
  split();
}
