// Which texts of a conversation become vectors: passages of some turns, and each objection in the customer's words. What was said in a detail is found by its
// passage; one vector for all of a talk knows little more than that it is one.
import type { Structure, Tag } from "../model/structure";
import type { Speaker, Transcript } from "../model/transcript";

/** A part of a conversation, and its texts: its vector is their mean. */
export interface Part {
  part: "passage" | "moment";
  /** Of a passage its first turn, of a moment the place of its tag in the structure. */
  n: number;
  texts: string[];
}

/** What an answer is made of. */
interface SpokenTurn {
  speaker: Speaker;
  text: string;
}

/** Turns that a passage has at most. */
export const PASSAGE_TURNS_MAX = 3;
/** Encoders read no more of a text, or read it badly: what is longer becomes several texts. */
const TEXT_CHARACTERS_MAX = 600;
const PASSAGES_MAX = 1000;
/** Of one turn. */
const TEXTS_MAX = 20;
/** A longer turn has more in it than the objection: then its quote is taken alone. */
const MOMENT_CHARACTERS_MAX = 200;
const MOMENTS_MAX = 200;
/** Turns of the rep that one answer may have. */
export const ANSWER_TURNS_MAX = 4;
/** Turns after an objection in which its answer is looked for. */
export const ANSWER_WITHIN_TURNS = 8;

/** @returns passages in order, then moments */
export function partsOf({ turns }: Pick<Transcript, "turns">, { tags }: Pick<Structure, "tags">): Part[] {
  const moments = tags
    .map((tag, n): Part => ({ part: "moment", n, texts: [momentOf(tag, turns)] }))
    .filter(({ n }) => isObjection(tags[n].kind))
    .slice(0, MOMENTS_MAX);
  return [...passagesOf(turns), ...moments];
}

function passagesOf(turns: readonly SpokenTurn[]): Part[] {
  const passages: Part[] = [];
  let count = 0;
  for (const [n, { text }] of turns.entries()) {
    if (text === "") continue;
    const last = passages.at(-1);
    if (last !== undefined && count < PASSAGE_TURNS_MAX && fits(last.texts, text)) {
      last.texts[0] += ` ${text}`;
      count++;
      continue;
    }
    if (passages.length === PASSAGES_MAX) break;
    passages.push({ part: "passage", n, texts: piecesOf(text) });
    count = 1;
  }
  return passages;
}

function fits(texts: readonly string[], text: string): boolean {
  return texts.length === 1 && texts[0].length + 1 + text.length <= TEXT_CHARACTERS_MAX;
}

function piecesOf(text: string): string[] {
  const pieces: string[] = [];
  for (let at = 0; at < text.length && pieces.length < TEXTS_MAX; at += TEXT_CHARACTERS_MAX)
    pieces.push(text.slice(at, at + TEXT_CHARACTERS_MAX));
  return pieces;
}

/** @returns true for kinds of tags that an answer is looked for */
export function isObjection(kind: string): boolean {
  return kind.startsWith("objection.");
}

function momentOf({ turn, quote }: Tag, turns: readonly SpokenTurn[]): string {
  const said = turns[turn]?.text ?? "";
  return (said === "" || said.length > MOMENT_CHARACTERS_MAX ? quote : said).slice(0, TEXT_CHARACTERS_MAX);
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
