// What a transcriber is: it gets what a badge recorded of a conversation and says which words fell when. The ways to make one are in setting.ts.
import type { PlacedPacket } from "@salestag/protocol/team";

/** What a badge recorded of a conversation. Where there is no packet, nobody spoke or something was lost. */
export interface Speech {
  /** Of 20 ms, mono, in order, without overlap. */
  packets: PlacedPacket[];
  durationMs: number;
}

/** A word as a transcriber heard it. Times are ms after the conversation's start, `endMs` at or after `startMs`. */
export interface HeardWord {
  text: string;
  startMs: number;
  endMs: number;
}

/** What a transcriber heard in a conversation. */
export interface Heard {
  /** In order: no word starts before the one before it. */
  words: HeardWord[];
  /** BCP 47, such as `en`; `und` where nobody says. */
  language: string;
  /** How many words have no times of their own: they are spread by length over the sentence, or the whole part, that they are known to lie in. */
  spreadWords: number;
  /** What was put right or left out, a sentence each, without what was said. */
  notes: string[];
}

/** Turns speech into words. */
export interface Transcriber {
  /** What it calls itself where its transcripts are stored, such as `openai/whisper-1`: never BADGE_SOURCE, no secret, no address. */
  readonly name: string;
  /** @throws TranscriptionError; the signal's reason when it is aborted */
  transcribe(speech: Speech, signal: AbortSignal): Promise<Heard>;
}

/** Containers that audio is handed over in: 16 kHz mono, 16 bit in WAV. */
export const AUDIO_FORMATS = ["wav", "ogg"] as const;
export type AudioFormat = (typeof AUDIO_FORMATS)[number];

/** A file of audio, whole. */
export interface AudioFile {
  format: AudioFormat;
  bytes: Buffer;
  durationMs: number;
}

/** A word or a stretch of text as it came from outside, checked for its type alone. Times are ms after the start of the audio; NaN where none came. */
export interface RawText {
  text: string;
  startMs: number;
  endMs: number;
}

/** What was recognised in one file. */
export interface Answer {
  texts: RawText[];
  /** As it came: a name or a code. Empty where none did. */
  language: string;
}

/** Recognises one file of at most a few minutes; the common part of all transcribers (in-parts.ts) makes a Transcriber of it. */
export interface Recogniser {
  readonly name: string;
  readonly format: AudioFormat;
  /** @throws TranscriptionError; the signal's reason when it is aborted */
  recognise(audio: AudioFile, signal: AbortSignal): Promise<Answer>;
}

/**
 * A transcriber could not do it. `later`: the same audio may succeed when the other side is well again, or its setting is put right.
 * `never`: it is about this audio, and asking the same again would be in vain.
 */
export class TranscriptionError extends Error {
  constructor(
    message: string,
    readonly retry: "later" | "never",
    /** Shortest wait that the other side asks for, ms; none where it does not say. */
    readonly retryAfterMs?: number,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = "TranscriptionError";
  }
}
