// Transcription: a transcriber by one setting, its words put together with the badge's turns, and what the badge heard where there is none.
export { transcriptOf } from "./align";
export { type BadgePhrase, badgeTranscript } from "./badge";
export { transcriberOf } from "./setting";
export { type Transcribed, transcribe } from "./transcribe";
export {
  type Heard,
  type HeardWord,
  type Speech,
  type Transcriber,
  TranscriptionError,
} from "./transcriber";
export type { BadgeTurn } from "./turns";
