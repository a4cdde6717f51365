// What other packages use of the memory: a memory that runs, and what it is told.

export { AUDIENCE_DEFAULT, ISSUER_DEFAULT, signToken } from "./api/tokens";
export { type Embedder, embedderOf, localEmbedder } from "./embed";
export type { IngestAnswer, IngestHandler } from "./ingest/webhook";
export type { Live, LiveEvent } from "./live";
export {
  type Memory,
  type MemoryParts,
  type MemorySettings,
  type MemoryStatus,
  SETTINGS_DEFAULT,
  startMemory,
} from "./memory";
export { conversationId } from "./model/conversation-id";
export type { Claims, Database, Session } from "./store/database";
export { localStructurer } from "./tagger";
export { type Transcriber, transcriberOf } from "./transcribe";
