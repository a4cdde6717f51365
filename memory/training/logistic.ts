// Trains a linear classifier: logistic regression with L2, all outputs at once.
import type { KindRange } from "../src/tagger/learned/kinds";
import { addRow, type Input, likelihood, rowsOf, type Shape } from "../src/tagger/learned/linear";
import { minimize } from "./lbfgs";
import { Matrix } from "./matrix";

/** One input with what should come out. */
export interface Sample extends Input {
  range: KindRange;
  /** For each output 1, 0, or -1 where it does not count. */
  targets: Int8Array;
}

export interface Penalty {
  /** On weights of vectors and of features. */
  vectors: number;
  features: number;
}

/** On the constant row: next to none. */
const CONSTANT_PENALTY = 1e-3;

/** The samples' vectors of one block, each once, and which a sample has: -1 for none. */
interface Column {
  matrix: Matrix;
  vectors: number;
  places: Int32Array;
}

/** @returns weights, as many rows as rowsOf says */
export function train(
  shape: Shape,
  samples: readonly Sample[],
  penalty: Penalty,
  rounds: number,
): Float64Array {
  const columns = shape.blocks.map(({ scale }, block) => columnOf(samples, block, scale));
  const weights = new Float64Array(rowsOf(shape) * shape.outputs);
  const penalties = penaltiesOf(shape, penalty);
  const objective = (point: Float64Array, gradient: Float64Array) => {
    gradient.fill(0);
    const { value, slopes } = lossOf(shape, samples, columns, point);
    addGradient(shape, samples, columns, slopes, gradient);
    return value + shrink(point, gradient, penalties, shape.outputs);
  };
  try {
    minimize(objective, weights, rounds);
  } finally {
    for (const { matrix } of columns) matrix.dispose();
  }
  return weights;
}

function columnOf(samples: readonly Sample[], block: number, scale: number): Column {
  const known = new Map<Float32Array, number>();
  const places = Int32Array.from(samples, ({ vectors }) => {
    const vector = vectors[block];
    if (vector === undefined) return -1;
    const place = known.get(vector) ?? known.size;
    known.set(vector, place);
    return place;
  });
  return { matrix: new Matrix([...known.keys()], scale), vectors: known.size, places };
}

function penaltiesOf(shape: Shape, { vectors, features }: Penalty): Float64Array {
  const rows = rowsOf(shape);
  const penalties = new Float64Array(rows).fill(vectors);
  penalties.fill(features, rows - 1 - shape.features);
  penalties[rows - 1] = CONSTANT_PENALTY;
  return penalties;
}

/** @returns the loss, and for each sample how it changes with each of its scores */
function lossOf(
  { blocks, outputs, features }: Shape,
  samples: readonly Sample[],
  columns: readonly Column[],
  weights: Float64Array,
): { value: number; slopes: Float64Array[] } {
  let row = 0;
  const parts = columns.map(({ matrix }, block) => {
    const { dims } = blocks[block];
    const made = matrix.times(Float32Array.from(weights.subarray(row * outputs, (row + dims) * outputs)));
    row += dims;
    return made;
  });
  let value = 0;
  const slopes = samples.map((sample, place) => {
    const scores = new Float64Array(outputs);
    for (const [block, { places }] of columns.entries())
      if (places[place] >= 0) addRow(scores, parts[block], places[place], sample.range);
    for (const feature of sample.features) addRow(scores, weights, row + feature, sample.range);
    addRow(scores, weights, row + features, sample.range);
    value += intoSlopes(scores, sample);
    return scores;
  });
  return { value, slopes };
}

/** Makes of scores what the loss changes with each of them. @returns the loss */
function intoSlopes(scores: Float64Array, { range, targets }: Sample): number {
  let loss = 0;
  for (let output = 0; output < scores.length; output++) {
    const target = targets[output];
    if (target < 0 || output < range.from || output >= range.to) {
      scores[output] = 0;
      continue;
    }
    const logit = scores[output];
    loss += Math.max(logit, 0) + Math.log1p(Math.exp(-Math.abs(logit))) - target * logit;
    scores[output] = likelihood(logit) - target;
  }
  return loss;
}

function addGradient(
  { blocks, outputs, features }: Shape,
  samples: readonly Sample[],
  columns: readonly Column[],
  slopes: readonly Float64Array[],
  gradient: Float64Array,
): void {
  let row = 0;
  for (const [block, { matrix, vectors, places }] of columns.entries()) {
    const sums = new Float32Array(vectors * outputs);
    for (const [sample, place] of places.entries())
      if (place >= 0) addInto(sums, place * outputs, slopes[sample]);
    gradient.set(matrix.turnedTimes(sums), row * outputs);
    row += blocks[block].dims;
  }
  for (const [place, sample] of samples.entries()) {
    for (const feature of sample.features) addInto(gradient, (row + feature) * outputs, slopes[place]);
    addInto(gradient, (row + features) * outputs, slopes[place]);
  }
}

function addInto(to: Float64Array | Float32Array, at: number, values: Float64Array): void {
  for (let place = 0; place < values.length; place++) to[at + place] += values[place];
}

/** Adds the penalty's gradient. @returns the penalty */
function shrink(
  point: Float64Array,
  gradient: Float64Array,
  penalties: Float64Array,
  outputs: number,
): number {
  let value = 0;
  for (let at = 0; at < point.length; at++) {
    const penalty = penalties[Math.floor(at / outputs)];
    value += 0.5 * penalty * point[at] * point[at];
    gradient[at] += penalty * point[at];
  }
  return value;
}
