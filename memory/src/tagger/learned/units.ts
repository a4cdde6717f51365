// Cuts turns into units: the sentences, and the clauses of long ones. A unit is what gets a score, and what is quoted as evidence.
import type { ReadTurn } from "../engine";
import type { Token } from "../tokens";

export interface Unit {
  /** Place of the turn. */
  turn: number;
  /** Places of the first and the last word in the turn. */
  firstWord: number;
  lastWord: number;
  tokens: readonly Token[];
  /** Its words as they are written. */
  text: string;
}

/** A clause of fewer tokens is joined to its neighbour. */
const CLAUSE_TOKENS_MIN = 3;
/** A sentence of fewer tokens is not cut. */
const SENTENCE_TOKENS_CUT = 9;
/** More tokens of a unit are cut off, however long nobody makes a pause. */
const UNIT_TOKENS_MAX = 60;

/** @returns the units of a turn in order; of a sentence that is cut, the whole and its clauses */
export function unitsOf(turn: ReadTurn): Unit[] {
  return groups(turn.tokens, ({ sentence }) => sentence).flatMap((sentence) => {
    const clauses =
      sentence.length < SENTENCE_TOKENS_CUT ? [] : joined(groups(sentence, ({ clause }) => clause));
    return [sentence, ...(clauses.length > 1 ? clauses : [])].map((tokens) => unitOf(turn, tokens));
  });
}

function unitOf({ place, turn }: ReadTurn, all: readonly Token[]): Unit {
  const tokens = all.slice(0, UNIT_TOKENS_MAX);
  const firstWord = tokens[0].word;
  const lastWord = tokens[tokens.length - 1].word;
  const text = turn.words
    .slice(firstWord, lastWord + 1)
    .map((word) => word.text)
    .join(" ");
  return { turn: place, firstWord, lastWord, tokens, text };
}

/** Runs of tokens that have the same number. */
function groups(tokens: readonly Token[], numberOf: (token: Token) => number): Token[][] {
  const runs: Token[][] = [];
  for (const token of tokens) {
    const run = runs.at(-1);
    if (run !== undefined && numberOf(run[0]) === numberOf(token)) run.push(token);
    else runs.push([token]);
  }
  return runs;
}

function joined(clauses: readonly Token[][]): Token[][] {
  const long: Token[][] = [];
  for (const clause of clauses) {
    const before = long.at(-1);
    if (before !== undefined && (before.length < CLAUSE_TOKENS_MIN || clause.length < CLAUSE_TOKENS_MIN))
      before.push(...clause);
    else long.push([...clause]);
  }
  return long;
}
