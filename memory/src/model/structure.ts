// What is made of a transcript: tags with the words that they rest on, and insights on the whole conversation.
import type { TagKind } from "./taxonomy";
import type { Speaker, Transcript } from "./transcript";

/** Something that was said, and what it means to a sales team. */
export interface Tag {
  kind: TagKind;
  /** Place of the turn in the transcript, from 0. */
  turn: number;
  /** Places of the first and the last word in the turn, from 0. */
  firstWord: number;
  lastWord: number;
  startMs: number;
  endMs: number;
  /** These words, as the turn has them: the evidence. */
  quote: string;
  /** Who says so, and why: `rules/price-too-high`, or the model's name. */
  rule: string;
  /** A short sentence for people. */
  reason: string;
  /** How sure, 0 to 1. */
  confidence: number;
}

/** On the whole conversation. */
export type Insight =
  /** Two to four sentences: what it was about, what stood against it, how it ended. */
  | { kind: "summary"; text: string }
  /** How each turn with words sounds: -1 very bad to 1 very good. */
  | { kind: "sentiment"; points: { startMs: number; endMs: number; speaker: Speaker; value: number }[] }
  /** How much the other one takes part, 0 to 1, in windows over the whole conversation. */
  | { kind: "engagement"; points: { startMs: number; endMs: number; value: number }[] };

/** All that is made of a transcript. */
export interface Structure {
  /** In order of their start. */
  tags: Tag[];
  insights: Insight[];
}

/** Makes tags and insights. */
export interface Structurer {
  /** Names it and its version where its work is stored, such as `local/2`: another name means that the work is done anew. */
  readonly name: string;
  /** @throws when it cannot be done now; it is tried again later */
  structure(transcript: Transcript, signal: AbortSignal): Promise<Structure>;
}
