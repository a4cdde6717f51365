// Transcription: a transcriber by one setting, its words put together with the badge's turns, and what the badge heard where there is none.
export { type BadgeTurn, transcriptOf } from "./align";
export { type BadgePhrase, badgeTranscript } from "./badge";
export { SettingError, transcriberOf } from "./setting";
export {
  type Heard,
  type HeardWord,
  messageOf,
  type PlacedPacket,
  type Speech,
  type Transcriber,
  TranscriptionError,
} from "./transcriber";
