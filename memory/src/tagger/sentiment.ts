// How a turn sounds: words of feeling with their weight, turned over by a negation, stronger or weaker by the word before, as the sum of them squeezed
// into -1 to 1.
import { DEGREES, FEELINGS } from "./lexicon";
import { PatternReader } from "./pattern";
import type { TokenizedTurn } from "./tokens";

/** One word of feeling in its place. */
export interface Feeling {
  /** After negation and degree; -3 to 3 and a little beyond. */
  weight: number;
  firstWord: number;
  lastWord: number;
}

/** "Not great" is bad, but less so than "great" is good. */
const NEGATED_FACTOR = -0.7;
const NEGATION_REACH = 3;
/** The sum of weights at which a turn sounds 0.7 good or bad. */
const SUM_HALF = 4;
const NEGATIONS = new Set(["not", "never", "no", "nothing", "hardly", "without", "none"]);

const reader = new PatternReader({});
const BY_FIRST = new Map<
  string,
  { weight: number; match: ReturnType<PatternReader["read"]>["match"]; length: number }[]
>();
for (const { phrase, weight } of FEELINGS) {
  const { match, firsts } = reader.read(phrase);
  for (const first of firsts ?? []) {
    const list = BY_FIRST.get(first) ?? [];
    list.push({ weight, match, length: phrase.split(" ").length });
    BY_FIRST.set(
      first,
      list.sort((one, other) => other.length - one.length),
    );
  }
}

/** @returns the words of feeling, in order */
export function feelingsOf({ tokens }: TokenizedTurn): Feeling[] {
  const feelings: Feeling[] = [];
  for (let at = 0; at < tokens.length; at++) {
    const entry = BY_FIRST.get(tokens[at].stem)?.find(({ match }) => match(tokens, at) > at);
    if (entry === undefined) continue;
    const end = entry.match(tokens, at);
    const degree = at > 0 ? (DEGREES[tokens[at - 1].text] ?? 1) : 1;
    const turned = negatedAt(tokens, at) ? NEGATED_FACTOR : 1;
    feelings.push({
      weight: entry.weight * degree * turned,
      firstWord: tokens[at].word,
      lastWord: tokens[end - 1].word,
    });
    at = end - 1;
  }
  return feelings;
}

function negatedAt(tokens: TokenizedTurn["tokens"], at: number): boolean {
  for (let back = at - 1; back >= Math.max(0, at - NEGATION_REACH); back--) {
    if (tokens[back].clause !== tokens[at].clause) return false;
    if (NEGATIONS.has(tokens[back].text)) return true;
  }
  return false;
}

/** @returns -1 very bad to 1 very good; 0 where no word of feeling falls */
export function sentimentOf(turn: TokenizedTurn): number {
  const sum = feelingsOf(turn).reduce((total, { weight }) => total + weight, 0);
  return sum / Math.hypot(sum, SUM_HALF);
}
