// Harmonicity: highest local peak of the normalised autocorrelation between 60 Hz and 400 Hz, 0..255 for 0..1.
// The 512 samples of the window, without the Hann weighting, are low-passed by [1 2 1] / 4 and decimated to 8 kHz
// (255 samples). r(lag) = 2 sum x[n] x[n + lag] / sum (x[n]^2 + x[n + lag]^2) over all pairs in the window.
// In: i32 Q15.4. Block floating point, 11 bits and sign, so that 32-bit sums of products cannot overflow.
// A shoulder without a peak (rumble below 60 Hz) does not count. Latency: the window's, centre 256 samples back.

import { DECIMATED, DECIMATED_SAMPLES, WINDOW } from "./memory";

const MANTISSA_BITS: i32 = 11;
/** Lags in samples of 8 kHz: 400 Hz is 20, 60 Hz is 133.3. */
const LAG_MIN: i32 = 20;
const LAG_MAX: i32 = 133;

function sampleAt(i: i32): usize {
  return DECIMATED + (usize(i) << 2);
}

/** Low-passes and halves the rate, then scales the block to 11 bits. A quieter block keeps its scale. */
function decimate(): void {
  let peak = 0;
  for (let i = 0; i < DECIMATED_SAMPLES; i++) {
    const source = WINDOW + (usize(i) << 3);
    const sample = load<i32>(source) + 2 * load<i32>(source, 4) + load<i32>(source, 8);
    store<i32>(sampleAt(i), sample);
    peak = max<i32>(peak, abs<i32>(sample));
  }
  const shift = max<i32>(32 - MANTISSA_BITS - i32(clz(peak)), 0);
  if (shift === 0) return;
  const half = 1 << (shift - 1);
  for (let i = 0; i < DECIMATED_SAMPLES; i++) {
    store<i32>(sampleAt(i), (load<i32>(sampleAt(i)) + half) >> shift);
  }
}

function energyOf(i: i32): i32 {
  const sample = load<i32>(sampleAt(i));
  return sample * sample;
}

/** Sum of x[n] x[n + lag] over all pairs. Four products a turn: this loop is most of the stage's time. */
function correlate(lag: i32): i32 {
  let sum = 0;
  let a = DECIMATED;
  let b = sampleAt(lag);
  const end = sampleAt(DECIMATED_SAMPLES);
  for (; b + 12 < end; a += 16, b += 16) {
    sum += load<i32>(a) * load<i32>(b);
    sum += load<i32>(a, 4) * load<i32>(b, 4);
    sum += load<i32>(a, 8) * load<i32>(b, 8);
    sum += load<i32>(a, 12) * load<i32>(b, 12);
  }
  for (; b < end; a += 4, b += 4) sum += load<i32>(a) * load<i32>(b);
  return sum;
}

/** Harmonicity of the analysis window, 0..255. Ratios are compared by cross-multiplication in 64 bits. */
export function harmonicity(): i32 {
  decimate();
  let energy: i64 = 0;
  for (let i = 0; i < DECIMATED_SAMPLES; i++) energy += i64(energyOf(i)) * 2;
  for (let lag = 1; lag < LAG_MIN; lag++)
    energy -= i64(energyOf(lag - 1)) + i64(energyOf(DECIMATED_SAMPLES - lag));

  let bestCorrelation: i64 = 0;
  let bestEnergy: i64 = 1;
  let beforeCorrelation: i64 = 0;
  let beforeEnergy: i64 = 1;
  let hereCorrelation = i64(correlate(LAG_MIN - 1));
  let hereEnergy = energy;
  for (let lag = LAG_MIN; lag <= LAG_MAX + 1; lag++) {
    const nextCorrelation = i64(correlate(lag));
    const nextEnergy = hereEnergy - i64(energyOf(lag - 1)) - i64(energyOf(DECIMATED_SAMPLES - lag));
    const isPeak =
      lag > LAG_MIN &&
      hereCorrelation * beforeEnergy >= beforeCorrelation * hereEnergy &&
      hereCorrelation * nextEnergy >= nextCorrelation * hereEnergy;
    if (isPeak && hereCorrelation * bestEnergy > bestCorrelation * hereEnergy) {
      bestCorrelation = hereCorrelation;
      bestEnergy = hereEnergy;
    }
    beforeCorrelation = hereCorrelation;
    beforeEnergy = hereEnergy;
    hereCorrelation = nextCorrelation;
    hereEnergy = nextEnergy;
  }
  const value = i32((2 * 255 * bestCorrelation + bestEnergy / 2) / bestEnergy);
  return min<i32>(value, 255);
}
