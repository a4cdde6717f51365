// What was said in a conversation: turns with their words, each in its place in time. Made by a transcriber, or, where there is none, by the badge itself.

/** Who speaks. `rep`: the wearer, near the badge. `other`: whom the rep talks with. `unsure`: the badge could not tell. */
export const SPEAKERS = ["rep", "other", "unsure"] as const;
export type Speaker = (typeof SPEAKERS)[number];

/** One word. Times are ms after the conversation's start. */
export interface Word {
  /** As it is written, with the punctuation that follows it. */
  text: string;
  startMs: number;
  endMs: number;
}

/** One speaker, until somebody else speaks or a pause ends it. */
export interface Turn {
  speaker: Speaker;
  startMs: number;
  endMs: number;
  /** The words' texts, joined by blanks: what quotes of it are checked against. Empty where nobody knows what was said. */
  text: string;
  /** In order. */
  words: Word[];
}

/** What was said, and by whose word. */
export interface Transcript {
  /** `badge`: turns and key phrases that the badge heard, no more. Else what the transcriber calls itself. */
  source: string;
  /** BCP 47, such as `en`. */
  language: string;
  durationMs: number;
  /** In order of their start. */
  turns: Turn[];
}

/** Source of a transcript that no transcriber made. */
export const BADGE_SOURCE = "badge";
