// Model of the network and of the stages around it, for the tests: written from network.md over whole recordings at once, in
// double precision with products and sums that doubles hold exactly, and with Math.exp and Math.log where the module has tables.
// Shares no code with the module.

const LAYERS = [
  { inputs: 24, outputs: 64, taps: [-2, -1, 0, 1, 2] },
  { inputs: 64, outputs: 128, taps: [-1, 0, 1, 2] },
  { inputs: 128, outputs: 128, taps: [-1, 0, 1] },
  { inputs: 128, outputs: 128, taps: [-2, 0, 1] },
  { inputs: 128, outputs: 128, taps: [-3, 0, 1] },
  { inputs: 128, outputs: 42, taps: [0] },
];
const HEAD_BYTES = 16;

interface Layer {
  weights: Int8Array;
  bias: number[];
  factors: number[];
  residual: number;
}

/** The numbers of a network file; its head is not looked at. */
export interface NetworkNumbers {
  startMean: number[];
  classOffsets: number[];
  layers: Layer[];
}

/** Reads a network file's body. */
export function readNumbers(file: Uint8Array): NetworkNumbers {
  const view = new DataView(file.buffer, file.byteOffset, file.length);
  let at = HEAD_BYTES;
  const take = (count: number, bytes: number, read: (offset: number) => number) =>
    Array.from({ length: count }, () => {
      at += bytes;
      return read(at - bytes);
    });
  const startMean = take(24, 2, (o) => view.getUint16(o, true) / 256);
  const classOffsets = take(40, 2, (o) => view.getInt16(o, true) / 256);
  const layers = LAYERS.map(({ inputs, outputs, taps }, index) => {
    const weights = Int8Array.from(take(inputs * outputs * taps.length, 1, (o) => view.getInt8(o)));
    const bias = take(outputs, 4, (o) => view.getInt32(o, true));
    const factors = take(outputs, 4, (o) => view.getInt32(o, true) / 2 ** 32);
    const isResidual = index >= 2 && index <= 4;
    const [residual] = isResidual ? take(1, 4, (o) => view.getUint32(o, true) / 65536) : [0];
    return { weights, bias, factors, residual };
  });
  if (at !== file.length) throw new Error(`the model read ${at} of ${file.length} bytes`);
  return { startMean, classOffsets, layers };
}

/** The network's inputs for the band bytes of every hop. */
export function inputsOf(bands: number[][], startMean: number[]): number[][] {
  const mean = startMean.map((value) => Math.round(value * 256) * 256);
  let floor = Number.NaN;
  let count = 15;
  return bands.map((hop) => {
    const sum = 256 * hop.reduce((total, value) => total + value, 0);
    if (Number.isNaN(floor)) floor = sum;
    else floor = sum < floor ? floor + Math.floor((sum - floor) / 4) : floor + 369;
    if (sum > floor + 384 * 256) {
      count = Math.min(100, count + 1);
      hop.forEach((value, band) => {
        mean[band] += Math.trunc((value * 65536 - mean[band]) / count);
      });
    }
    return hop.map((value, band) =>
      Math.max(-127, Math.min(127, value - Math.floor((mean[band] + 32768) / 65536))),
    );
  });
}

const clampByte = (value: number) => Math.max(0, Math.min(255, value));
const rounded = (value: number) => Math.floor(value + 0.5);

/** A layer's sums in its output's scale, at step `at` of the vectors below; what is outside of them is 0. */
function scaledAt(index: number, layer: Layer, below: number[][], at: number): number[] {
  const { inputs, outputs, taps } = LAYERS[index];
  return Array.from({ length: outputs }, (_, output) => {
    let sum = layer.bias[output];
    taps.forEach((tap, t) => {
      const vector = below[at + tap];
      if (vector === undefined) return;
      const start = (output * taps.length + t) * inputs;
      for (let i = 0; i < inputs; i++) sum += layer.weights[start + i] * vector[i];
    });
    return sum * layer.factors[output];
  });
}

/** Logits in 1/256 nat, whole numbers, of every pair whose look-ahead is in the inputs. */
export function logitsOf(inputs: number[][], { layers }: NetworkNumbers): number[][] {
  const known = (length: number, make: (at: number) => number[]) =>
    Array.from({ length: Math.max(0, length) }, (_, at) => make(at));
  const hops = known(inputs.length - 2, (t) =>
    scaledAt(0, layers[0], inputs, t).map((value) => clampByte(rounded(value))),
  );
  let pairs = known(Math.floor((hops.length - 1) / 2), (k) =>
    scaledAt(1, layers[1], hops, 2 * k).map((value) => clampByte(rounded(value))),
  );
  for (const index of [2, 3, 4]) {
    const below = pairs;
    pairs = known(below.length - 1, (k) =>
      scaledAt(index, layers[index], below, k).map((value, channel) =>
        clampByte(Math.max(0, rounded(value)) + rounded(below[k][channel] * layers[index].residual)),
      ),
    );
  }
  return known(pairs.length, (k) => scaledAt(5, layers[5], pairs, k).map(rounded));
}

/** Natural log posteriors less the class offsets, unrounded, for logits of one pair. */
export function relativeLogPosteriors(logits: number[], { classOffsets }: NetworkNumbers): number[] {
  const nats = logits.slice(0, 40).map((value) => value / 256);
  const top = Math.max(...nats);
  const logSum = top + Math.log(nats.reduce((sum, value) => sum + Math.exp(value - top), 0));
  return nats.map((value, c) => value - logSum - classOffsets[c]);
}

/** Tilt before clamping and truncation, and contrast in half decibels, for hops given by their levels and bands. */
export function cuesOf(levels: number[], bands: number[][], hop: number): { tilt: number; contrast: number } {
  const mean = (from: number, end: number) =>
    bands[hop].slice(from, end).reduce((sum, value) => sum + value, 0) / (end - from);
  const recent = levels.slice(Math.max(0, hop - 15), hop + 1);
  return { tilt: 128 + mean(16, 24) - mean(4, 12), contrast: Math.max(...recent) - Math.min(...recent) };
}
