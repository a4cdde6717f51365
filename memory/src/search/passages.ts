// Evidence for a hit: the turns that say what was looked for, with the words marked.
import { conceptSpans } from "../embed/concepts";
import { PASSAGE_TURNS_MAX } from "../embed/parts";
import { type TextWord, wordsOf } from "../embed/words";
import type { Speaker } from "../model/transcript";
import type { Session } from "../store/database";

/** A turn of a conversation. */
export interface SaidTurn {
  turn: number;
  speaker: Speaker;
  startMs: number;
  endMs: number;
  text: string;
}

/** What was said, and which of it was looked for. */
export interface Passage extends Omit<SaidTurn, "turn"> {
  /** null: a key phrase that the badge heard, where nobody has transcribed the talk. */
  turn: number | null;
  /** Places in the text, first character and the one after the last, in order. */
  marks: [start: number, end: number][];
}

/** Of a conversation so many turns are looked at. */
const TURNS_MAX = 3000;
const PASSAGES_MAX = PASSAGE_TURNS_MAX;
/** What a match counts: a word of the query itself, a common one, words that mean the same. */
const WORTH = { word: 1, common: 0.1, concept: 0.7, other: 0.05 };

/** @returns turns with words of each conversation, in order */
export async function turnsOf(session: Session, ids: readonly string[]): Promise<Map<string, SaidTurn[]>> {
  const rows = await session.query<{ id: string; turns: TurnList[] | null }>(
    "select id, turns from salestag.search_turns($1::uuid[], $2)",
    [ids, TURNS_MAX],
  );
  return new Map(rows.map(({ id, turns }) => [id, (turns ?? []).map(turnOf)]));
}

/** One value for a conversation is read several times as fast as a row for each turn. */
type TurnList = [turn: number, speaker: Speaker, startMs: number, endMs: number, text: string];

function turnOf([turn, speaker, startMs, endMs, text]: TurnList): SaidTurn {
  return { turn, speaker, startMs, endMs, text };
}

/** @returns what passages are taken from: turns with words, or the key phrases where there are none */
export async function sayingsOf(session: Session, ids: readonly string[]): Promise<Map<string, Saying[]>> {
  const sayings: Map<string, Saying[]> = await turnsOf(session, ids);
  const silent = ids.filter((id) => sayings.get(id)?.length === 0);
  if (silent.length === 0) return sayings;
  const rows = await session.query<Omit<Saying, "turn" | "speaker"> & { id: string }>(
    `select conversation_id as id, start_ms as "startMs", end_ms as "endMs", text from salestag.phrase
    where conversation_id = any($1::uuid[]) order by conversation_id, n limit $2`,
    [silent, TURNS_MAX],
  );
  for (const { id, ...phrase } of rows) sayings.get(id)?.push({ turn: null, speaker: "unsure", ...phrase });
  return sayings;
}

type Saying = Omit<Passage, "marks">;

/** What a text asks for. */
export interface Sought {
  stems: Set<string>;
  commonStems: Set<string>;
  concepts: Set<number>;
}

/** @returns what to look for in turns */
export function soughtIn(text: string): Sought {
  const words = wordsOf(text.replace(/(^|\s)-\S+/g, " "));
  return {
    stems: new Set(words.filter(({ common }) => !common).map(({ stem }) => stem)),
    commonStems: new Set(words.filter(({ common }) => common).map(({ stem }) => stem)),
    concepts: new Set(conceptSpans(words).flatMap(({ concepts }) => [...concepts])),
  };
}

/**
 * @param nearTurn first turn of the passage that means nearly the same
 * @returns the turns that say most of it, best first; where none does, that passage, or else what the other one said first, unmarked
 */
export function passagesOf(turns: readonly Saying[], sought: Sought, nearTurn?: number): Passage[] {
  const judged = turns
    .map((turn) => judge(turn, sought))
    .filter(({ worth }) => worth > WORTH.common * 2)
    .sort((a, b) => b.worth - a.worth || a.passage.startMs - b.passage.startMs);
  if (judged.length > 0) return judged.slice(0, PASSAGES_MAX).map(({ passage }) => passage);
  const near = nearTurn === undefined ? -1 : turns.findIndex(({ turn }) => turn === nearTurn);
  if (near >= 0) return turns.slice(near, near + PASSAGES_MAX).map((turn) => ({ ...turn, marks: [] }));
  const first = turns.find(({ speaker }) => speaker !== "rep") ?? turns[0];
  return first === undefined ? [] : [{ ...first, marks: [] }];
}

function judge(turn: Saying, sought: Sought): { passage: Passage; worth: number } {
  const words = wordsOf(turn.text);
  const marked = new Set<number>();
  const matched = new Set<string>();
  for (const [place, { stem }] of words.entries())
    if (sought.stems.has(stem)) {
      marked.add(place);
      matched.add(stem);
    }
  const common = new Set(words.filter(({ stem }) => sought.commonStems.has(stem)).map(({ stem }) => stem));
  const concepts = markConcepts(words, sought, marked);
  const worth = matched.size * WORTH.word + common.size * WORTH.common + concepts * WORTH.concept;
  const other = worth > 0 && turn.speaker !== "rep" ? WORTH.other : 0;
  return { passage: { ...turn, marks: marksOf(turn.text, words, marked) }, worth: worth + other };
}

/** @returns how many of the concepts are named */
function markConcepts(words: readonly TextWord[], sought: Sought, marked: Set<number>): number {
  const named = new Set<number>();
  for (const { first, last, concepts } of conceptSpans(words)) {
    const shared = concepts.filter((concept) => sought.concepts.has(concept));
    if (shared.length === 0) continue;
    for (const concept of shared) named.add(concept);
    for (let place = first; place <= last; place++) marked.add(place);
  }
  return named.size;
}

/** Neighbours with nothing but blanks between them become one mark. */
function marksOf(text: string, words: readonly TextWord[], marked: ReadonlySet<number>): [number, number][] {
  const marks: [number, number][] = [];
  for (const place of [...marked].sort((a, b) => a - b)) {
    const { start, end } = words[place];
    const last = marks.at(-1);
    if (last !== undefined && marked.has(place - 1) && text.slice(last[1], start).trim() === "")
      last[1] = end;
    else marks.push([start, end]);
  }
  return marks;
}
