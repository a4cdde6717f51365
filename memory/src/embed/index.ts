// Texts to vectors: the local embedder, one behind an endpoint, and which texts of a conversation are embedded.
export { DIMS_MAX, type Embedder, EmbeddingError, vectorText } from "./embedder";
export { localEmbedder } from "./local";
export { type EmbeddingEndpoint, openAiEmbedder } from "./openai";
export { type Part, partsOf } from "./parts";
export { embedderOf } from "./setting";
