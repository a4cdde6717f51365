// Sentences as vectors.
export { ENCODER_DIMS, ENCODER_NAME, sentenceEncoder } from "./encoder";
export { type SentenceEncoder, SentenceError, TEXT_CHARACTERS_MAX } from "./sentence-encoder";
