// A network with weights from a seed, for tests that must not depend on the trained one, and ways to damage a file.
import { crc32 } from "node:zlib";

/** [weights, outputs, has a residual] of each layer. */
const LAYERS: [number, number, boolean][] = [
  [24 * 64 * 5, 64, false],
  [64 * 128 * 4, 128, false],
  [128 * 128 * 3, 128, true],
  [128 * 128 * 3, 128, true],
  [128 * 128 * 3, 128, true],
  [128 * 42, 42, false],
];
/** Scale of the sums of each layer, chosen so that activations spread over their bytes and some leave them. */
const FACTORS = [0.012, 0.006, 0.0045, 0.0045, 0.0045, 0.06];

/** The head that belongs to a body. */
export function withHead(body: Uint8Array): Buffer {
  const head = Buffer.alloc(16);
  head.write("STNN", "latin1");
  head.writeUInt32LE(1, 4);
  head.writeUInt32LE(body.length, 8);
  head.writeUInt32LE(crc32(body), 12);
  return Buffer.concat([head, body]);
}

/** A network file whose numbers follow from the seed. `gain` multiplies all layers' scales: a high one saturates everything. */
export function seededNetwork(seed: number, gain = 1): Buffer {
  let state = seed;
  const next = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  const parts: Buffer[] = [];
  const words = (count: number, bytes: 2 | 4, make: () => number) => {
    const part = Buffer.alloc(count * bytes);
    for (let i = 0; i < count; i++) part.writeIntLE(Math.round(make()), i * bytes, bytes);
    parts.push(part);
  };
  words(24, 2, () => 20000 + next() * 8000);
  words(40, 2, () => next() * 600 - 300);
  LAYERS.forEach(([weights, outputs, isResidual], index) => {
    parts.push(Buffer.from(Int8Array.from({ length: weights }, () => Math.round(next() * 254 - 127)).buffer));
    words(outputs, 4, () => (next() - 0.3) * 20000);
    words(outputs, 4, () => Math.min(0.499, FACTORS[index] * gain * (0.5 + next())) * 2 ** 32);
    if (isResidual) words(1, 4, () => 0.7 * 65536);
  });
  return withHead(Buffer.concat(parts));
}
