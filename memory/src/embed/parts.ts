// Which texts of a conversation become vectors: the whole of it, and each objection with what the rep answered.
import type { Structure, Tag } from "../model/structure";
import type { Speaker, Transcript } from "../model/transcript";

/** A part of a conversation, and its text. */
export interface Part {
  part: "conversation" | "moment";
  /** 0 for the conversation; of a moment the place of its tag in the structure. */
  n: number;
  text: string;
}

/** What an answer is made of. */
interface SpokenTurn {
  speaker: Speaker;
  text: string;
}

/** The whole of a conversation is cut to so many characters: what tells most comes first. */
const CONVERSATION_CHARACTERS_MAX = 12_000;
const MOMENT_CHARACTERS_MAX = 2_000;
const MOMENTS_MAX = 200;
/** Turns of the rep that one answer may have. */
export const ANSWER_TURNS_MAX = 4;
/** Turns after an objection in which its answer is looked for. */
export const ANSWER_WITHIN_TURNS = 8;

/** @returns the conversation first, unless nothing was said, then its moments */
export function partsOf({ turns }: Transcript, { tags, insights }: Structure): Part[] {
  const summary = insights.find(({ kind }) => kind === "summary");
  const text = [
    summary?.kind === "summary" ? summary.text : "",
    ...tags.map(({ quote }) => quote),
    ...turns.filter(({ speaker }) => speaker !== "rep").map(({ text }) => text),
    ...turns.filter(({ speaker }) => speaker === "rep").map(({ text }) => text),
  ]
    .filter((part) => part !== "")
    .join("\n")
    .slice(0, CONVERSATION_CHARACTERS_MAX);
  const parts: Part[] = text === "" ? [] : [{ part: "conversation", n: 0, text }];
  for (const [n, tag] of tags.entries())
    if (isObjection(tag.kind) && parts.length <= MOMENTS_MAX)
      parts.push({ part: "moment", n, text: momentOf(tag, turns) });
  return parts;
}

/** @returns true for kinds of tags that an answer is looked for */
export function isObjection(kind: string): boolean {
  return kind.startsWith("objection.");
}

function momentOf({ turn, quote }: Tag, turns: readonly SpokenTurn[]): string {
  const after = turns.slice(turn + 1, turn + 1 + ANSWER_WITHIN_TURNS);
  const answer = answerIn(after).map(({ text }) => text);
  return [quote, turns[turn]?.text ?? "", ...answer].join("\n").slice(0, MOMENT_CHARACTERS_MAX);
}

/**
 * @param after turns that follow an objection
 * @returns the rep's turns of them, until the other one says something again after them; empty where the rep said nothing
 */
export function answerIn<T extends SpokenTurn>(after: readonly T[]): T[] {
  const answer: T[] = [];
  for (const turn of after) {
    if (turn.text === "") continue;
    if (turn.speaker === "rep") answer.push(turn);
    else if (answer.length > 0) break;
    if (answer.length === ANSWER_TURNS_MAX) break;
  }
  return answer;
}
