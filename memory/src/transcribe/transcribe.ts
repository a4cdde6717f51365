// One conversation, from what the badge recorded to a transcript.
import type { Transcript } from "../model/transcript";
import { transcriptOf } from "./align";
import type { Speech, Transcriber } from "./transcriber";
import type { BadgeTurn } from "./turns";

/** A transcript, and how far its words and times may be trusted. */
export interface Transcribed {
  transcript: Transcript;
  /** How many words have no times of their own. */
  spreadWords: number;
  /** What was put right or left out, a sentence each, without what was said. */
  notes: string[];
}

/**
 * @param turns of the badge, in any order
 * @throws TranscriptionError; the signal's reason when it is aborted
 */
export async function transcribe(
  transcriber: Transcriber,
  speech: Speech,
  turns: readonly BadgeTurn[],
  signal: AbortSignal,
): Promise<Transcribed> {
  const heard = await transcriber.transcribe(speech, signal);
  const transcript = transcriptOf(heard, turns, transcriber.name, speech.durationMs);
  return { transcript, spreadWords: heard.spreadWords, notes: heard.notes };
}
