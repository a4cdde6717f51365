// A linear classifier with many outputs over vectors and features that hold or do not: what training makes and scoring uses.
import type { KindRange } from "./kinds";

/** What the inputs of a classifier are. */
export interface Shape {
  /** Vectors of an input: numbers in each, and by what each is multiplied. */
  blocks: readonly { dims: number; scale: number }[];
  /** Features that hold or do not. */
  features: number;
  outputs: number;
}

/** One input. */
export interface Input {
  /** One for each block; undefined counts as zeros. */
  vectors: readonly (Float32Array | undefined)[];
  /** Places of the features that hold. */
  features: readonly number[];
}

/** @returns rows of weights: those of the blocks, those of the features, and the constant one */
export function rowsOf({ blocks, features }: Shape): number {
  return blocks.reduce((sum, { dims }) => sum + dims, 0) + features + 1;
}

/**
 * Adds a vector's part to scores.
 * @param row the first of the block's rows of weights
 */
export function addVector(
  scores: Float64Array,
  vector: Float32Array,
  scale: number,
  weights: ArrayLike<number>,
  row: number,
  { from, to }: KindRange,
): void {
  const outputs = scores.length;
  for (let place = 0; place < vector.length; place++) {
    const value = vector[place] * scale;
    if (value === 0) continue;
    const at = (row + place) * outputs;
    for (let output = from; output < to; output++) scores[output] += value * weights[at + output];
  }
}

/** Adds one row of weights to scores. */
export function addRow(
  scores: Float64Array,
  weights: ArrayLike<number>,
  row: number,
  { from, to }: KindRange,
): void {
  const at = row * scores.length;
  for (let output = from; output < to; output++) scores[output] += weights[at + output];
}

/** @returns scores of an input, as logits; 0 for outputs outside of the range */
export function scoresOf(
  shape: Shape,
  weights: ArrayLike<number>,
  input: Input,
  range: KindRange,
): Float64Array {
  const scores = new Float64Array(shape.outputs);
  let row = 0;
  for (const [place, { dims, scale }] of shape.blocks.entries()) {
    const vector = input.vectors[place];
    if (vector !== undefined) addVector(scores, vector, scale, weights, row, range);
    row += dims;
  }
  for (const feature of input.features) addRow(scores, weights, row + feature, range);
  addRow(scores, weights, row + shape.features, range);
  return scores;
}

/** @returns 0 to 1 */
export function likelihood(logit: number): number {
  return 1 / (1 + Math.exp(-logit));
}
