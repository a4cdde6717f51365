// The file of weights: a line of JSON that says what it is, then the numbers. Weights of the first pass are kept in a byte each.
import { ENCODER_DIMS } from "../../sentences";
import { LEARNED_KINDS } from "./kinds";
import { rowsOf } from "./linear";
import { type Example, firstShape, type Model, SECOND_SHAPE } from "./model";

/** Of the file's form. */
const VERSION = 1;
const KINDS = LEARNED_KINDS.length;
const SIGN_BYTES = ENCODER_DIMS / 8;
const BYTE_MAX = 127;

interface Header {
  version: number;
  encoder: string;
  checksum: string;
  kinds: readonly string[];
  features: string[];
  thresholds: readonly number[];
  /** What a byte of 1 stands for, of each kind, for vectors, features and the constant. */
  steps: number[][];
  examples: { kind: number; text: string }[];
}

/** Rows of the first pass that share a step. */
function groupsOf(features: number): { from: number; to: number }[] {
  const shape = firstShape(ENCODER_DIMS, features);
  const rows = rowsOf(shape);
  const ends = [...shape.blocks.map((_, block) => (block + 1) * ENCODER_DIMS), rows - 1, rows];
  return ends.map((to, place) => ({ from: ends[place - 1] ?? 0, to }));
}

/** @returns the file's bytes; what is read from them again differs from the model by rounding */
export function writeModel(model: Model): Buffer {
  const features = [...model.features.keys()];
  const groups = groupsOf(features.length);
  const steps = groups.map(({ from, to }) =>
    LEARNED_KINDS.map((_, kind) => stepOf(model.first, from, to, kind)),
  );
  const header: Header = {
    version: VERSION,
    encoder: model.encoder,
    checksum: model.checksum,
    kinds: LEARNED_KINDS,
    features,
    thresholds: model.thresholds,
    steps,
    examples: model.examples.map(({ kind, text }) => ({ kind, text })),
  };
  const bytes = new Int8Array(rowsOf(firstShape(ENCODER_DIMS, features.length)) * KINDS);
  for (const [group, { from, to }] of groups.entries())
    for (let at = from * KINDS; at < to * KINDS; at++)
      bytes[at] = Math.round(model.first[at] / steps[group][at % KINDS]);
  const second = Buffer.alloc(4 * model.second.length);
  for (let at = 0; at < model.second.length; at++) second.writeFloatLE(model.second[at], 4 * at);
  const signs = model.examples.map((example) => example.signs);
  return Buffer.concat([
    Buffer.from(`${JSON.stringify(header)}\n`),
    Buffer.from(bytes.buffer),
    second,
    ...signs,
  ]);
}

function stepOf(weights: ArrayLike<number>, from: number, to: number, kind: number): number {
  let largest = 0;
  for (let row = from; row < to; row++) largest = Math.max(largest, Math.abs(weights[row * KINDS + kind]));
  return largest === 0 ? 1 : largest / BYTE_MAX;
}

/** @throws Error when the bytes are no weights, or weights of another version of the program */
export function readModel(bytes: Buffer): Model {
  const end = bytes.indexOf("\n");
  const header = readHeader(bytes.toString("utf8", 0, Math.max(0, end)));
  const { features, steps, examples } = header;
  const firstBytes = rowsOf(firstShape(ENCODER_DIMS, features.length)) * KINDS;
  const secondCount = rowsOf(SECOND_SHAPE) * KINDS;
  const wanted = end + 1 + firstBytes + 4 * secondCount + SIGN_BYTES * examples.length;
  if (bytes.length !== wanted)
    throw new Error(
      `The tagger's weights have ${bytes.length} bytes instead of ${wanted}; run npm run train:tagger.`,
    );
  const first = new Float32Array(firstBytes);
  for (const [group, { from, to }] of groupsOf(features.length).entries())
    for (let at = from * KINDS; at < to * KINDS; at++)
      first[at] = bytes.readInt8(end + 1 + at) * steps[group][at % KINDS];
  const secondAt = end + 1 + firstBytes;
  const second = Float32Array.from({ length: secondCount }, (_, at) => bytes.readFloatLE(secondAt + 4 * at));
  const signsAt = secondAt + 4 * secondCount;
  return {
    encoder: header.encoder,
    checksum: header.checksum,
    features: new Map(features.map((name, place) => [name, place])),
    first,
    second,
    thresholds: header.thresholds,
    examples: examples.map((example, place): Example => {
      const at = signsAt + place * SIGN_BYTES;
      return { ...example, signs: bytes.subarray(at, at + SIGN_BYTES) };
    }),
  };
}

function readHeader(line: string): Header {
  let header: Header | undefined;
  try {
    header = JSON.parse(line) as Header;
  } catch (cause) {
    throw new Error("The tagger's weights do not begin with their header; run npm run train:tagger.", {
      cause,
    });
  }
  if (header.version !== VERSION || header.kinds.join() !== LEARNED_KINDS.join())
    throw new Error(
      `The tagger's weights are of version ${header.version} with ${header.kinds?.length} kinds, not ${VERSION} with ${KINDS}; run npm run train:tagger.`,
    );
  return header;
}
