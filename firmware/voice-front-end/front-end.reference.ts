// Double-precision model of the front end, for its tests: written from firmware/services/voice-front-end.md with
// a plain DFT, the closed mel formula and a full autocorrelation, sharing no table or step with the module.
// Rate 16 kHz, hop 320, window 512. Samples are in units of the 16-bit converter.

const SAMPLE_RATE_HZ = 16000;
const HOP_SAMPLES = 320;
const WINDOW_SAMPLES = 512;
const FULL_SCALE = 32768;
const BAND_COUNT = 24;

/** What the model measures in one hop, unrounded. */
export interface ReferenceFeatures {
  levelHalfDb: number;
  /** 0..1 */
  harmonicity: number;
  /** Value of each band before rounding and clamping. */
  bands: number[];
}

function power(samples: number[]): number {
  return samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length;
}

/** One-pole high pass with the pole at 1 - 2^-7. */
function dcBlock(samples: Int16Array): number[] {
  let mean = 0;
  return Array.from(samples, (sample) => {
    const difference = sample - mean;
    mean += difference / 128;
    return difference;
  });
}

const HANN = Array.from({ length: WINDOW_SAMPLES }, (_, n) => Math.sin((Math.PI * n) / WINDOW_SAMPLES) ** 2);
const COSINES = Array.from({ length: WINDOW_SAMPLES }, (_, n) =>
  Math.cos((2 * Math.PI * n) / WINDOW_SAMPLES),
);

/** Power of the bins 0..256 where a full-scale sine at a bin centre has a total of 1. */
function binPowers(window: number[]): number[] {
  const weighted = window.map((sample, n) => sample * HANN[n]);
  return Array.from({ length: WINDOW_SAMPLES / 2 + 1 }, (_, bin) => {
    let re = 0;
    let im = 0;
    for (let n = 0; n < WINDOW_SAMPLES; n++) {
      re += weighted[n] * COSINES[(bin * n) % WINDOW_SAMPLES];
      im += weighted[n] * COSINES[(bin * n + WINDOW_SAMPLES / 4) % WINDOW_SAMPLES];
    }
    return (re * re + im * im) / FULL_SCALE ** 2;
  });
}

const mel = (hz: number) => 2595 * Math.log10(1 + hz / 700);
const hzOfMel = (value: number) => 700 * (10 ** (value / 2595) - 1);

/** Edge i of the mel bands, in Hz: lower foot of band i, centre of band i - 1. */
function edgeHz(i: number): number {
  return hzOfMel(mel(100) + ((mel(7600) - mel(100)) * i) / (BAND_COUNT + 1));
}

function bandValue(band: number, powers: number[]): number {
  const [low, centre, high] = [edgeHz(band), edgeHz(band + 1), edgeHz(band + 2)];
  let weightSum = 0;
  let sum = 0;
  powers.forEach((binPower, bin) => {
    const hz = (bin * SAMPLE_RATE_HZ) / WINDOW_SAMPLES;
    const weight = Math.max(0, Math.min((hz - low) / (centre - low), (high - hz) / (high - centre)));
    weightSum += weight;
    sum += weight * binPower;
  });
  return 8 * Math.log2((sum / weightSum) * 2 ** 20 + 1) - 16;
}

/** Normalised autocorrelation of a signal at a lag, over all pairs that it holds. */
function correlation(signal: number[], lag: number): number {
  let product = 0;
  let energy = 0;
  for (let n = 0; n + lag < signal.length; n++) {
    product += signal[n] * signal[n + lag];
    energy += signal[n] ** 2 + signal[n + lag] ** 2;
  }
  return energy > 0 ? (2 * product) / energy : 0;
}

function harmonicity(window: number[]): number {
  const slow = Array.from(
    { length: 255 },
    (_, i) => window[2 * i] + 2 * window[2 * i + 1] + window[2 * i + 2],
  );
  let best = 0;
  for (let lag = 20; lag <= 133; lag++) {
    const here = correlation(slow, lag);
    if (here >= correlation(slow, lag - 1) && here >= correlation(slow, lag + 1)) best = Math.max(best, here);
  }
  return best;
}

/** Features of every whole hop of the samples. */
export function referenceFeatures(samples: Int16Array): ReferenceFeatures[] {
  const filtered = [...new Array<number>(WINDOW_SAMPLES - HOP_SAMPLES).fill(0), ...dcBlock(samples)];
  return Array.from({ length: Math.floor(samples.length / HOP_SAMPLES) }, (_, hop) => {
    const window = filtered.slice(hop * HOP_SAMPLES, hop * HOP_SAMPLES + WINDOW_SAMPLES);
    const powers = binPowers(window);
    return {
      levelHalfDb: -20 * Math.log10(power(window.slice(-HOP_SAMPLES)) / FULL_SCALE ** 2),
      harmonicity: harmonicity(window),
      bands: Array.from({ length: BAND_COUNT }, (__, band) => bandValue(band, powers)),
    };
  });
}
