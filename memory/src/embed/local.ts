// The embedder that needs nothing: the sentence encoder that comes with the program, the same on every machine. docs/memory-search.md says what it can and cannot do.
import { messageOf } from "@salestag/protocol/service";
import { SentenceError, sentenceEncoder } from "../sentences";
import { type Embedder, EmbeddingError } from "./embedder";

/** It knows what means alike, but names, numbers and rare words by halves: it helps the words, and must not outvote them. */
const LOCAL_WEIGHT = 0.3;

/** @returns the embedder `local/` and the encoder's name: deterministic, no network */
export function localEmbedder(): Embedder {
  const encoder = sentenceEncoder();
  return {
    name: `local/${encoder.name}`,
    dims: encoder.dims,
    weight: LOCAL_WEIGHT,
    async embed(texts, signal) {
      try {
        return await encoder.encode(texts, signal);
      } catch (cause) {
        if (!(cause instanceof SentenceError)) throw cause;
        throw new EmbeddingError(messageOf(cause), { cause });
      }
    },
  };
}
