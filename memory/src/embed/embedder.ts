// What makes a text into a vector, so that texts of near meaning lie near each other.

/** Makes texts into vectors. */
export interface Embedder {
  /** Names it and its version where its vectors are stored, such as `local/use-lite/0.2.0`: another name means that they are made anew. */
  readonly name: string;
  /** Numbers in a vector. */
  readonly dims: number;
  /** How much a place in its list counts beside a place in that of full text, 0 to 1. */
  readonly weight: number;
  /**
   * @param texts any number, of any length: what is too long is cut
   * @returns for each text a vector of length 1, or of zeros where the text says nothing
   * @throws EmbeddingError when it cannot be done now; the signal's reason when it is aborted
   */
  embed(texts: readonly string[], signal: AbortSignal): Promise<Float32Array[]>;
}

/** That texts could not be made into vectors; the message says why, and what to do. */
export class EmbeddingError extends Error {
  override name = "EmbeddingError";
}

/** Dimensions that pgvector has an index for. */
export const DIMS_MAX = 2000;

/** @returns the vector with length 1; zeros stay zeros */
export function unit(vector: Float32Array): Float32Array {
  const length = Math.hypot(...vector);
  return length === 0 ? vector : vector.map((value) => value / length);
}

/** @returns the direction of their mean; zeros where they have none */
export function meanOf(vectors: readonly Float32Array[], dims: number): Float32Array {
  const sum = new Float32Array(dims);
  for (const vector of vectors) for (let at = 0; at < dims; at++) sum[at] += vector[at];
  return unit(sum);
}

/** @returns the vector as the database reads it */
export function vectorText(vector: Float32Array): string {
  return `[${Array.from(vector, (value) => Number(value.toPrecision(6))).join(",")}]`;
}
