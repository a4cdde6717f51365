// What turns sentences into vectors: sentences that mean alike lie close. The tagger learns on them, the search may look by them.

export interface SentenceEncoder {
  /** Names it and its version: vectors of another name are not comparable. */
  readonly name: string;
  /** Numbers in a vector. */
  readonly dims: number;
  /**
   * The same text gives the same vector, whatever it is encoded with.
   * @param texts any number; of each, the first `TEXT_CHARACTERS_MAX` characters count
   * @returns for each text a vector of length 1, or of zeros where it has no letter and no digit
   * @throws SentenceError when it cannot be done; the signal's reason when it is aborted
   */
  encode(texts: readonly string[], signal?: AbortSignal): Promise<Float32Array[]>;
}

/** Vectors could not be made. */
export class SentenceError extends Error {
  override name = "SentenceError";
}

/** More of a text is not read: a sentence is far shorter, and the time it takes grows with the square of the length. */
export const TEXT_CHARACTERS_MAX = 600;
