// What the second pass is told of a turn: the first pass's scores and the rules' findings on it and around it, and its place in the talk.
import type { Finding, ReadTurn } from "../engine";
import { LEARNED_KINDS } from "./kinds";
import { likelihood } from "./linear";

const KINDS = LEARNED_KINDS.length;
const NEAR = [-2, -1, 1, 2];
const NEXT = [-1, 1];
const ENDS = 5;
const PLACES = 2 * ENDS + 4;
const PAIRS = 8;
export const CONTEXT_DIMS = KINDS * (2 + NEAR.length + NEXT.length + 2) + PLACES + PAIRS;

/** A turn that no unit has, or a kind that its speaker cannot have. */
export const LOGIT_NONE = -8;
const LOGIT_MAX = 6;
const MONOLOGUE_WORDS = 70;
const OBJECTIONS = placesOf("objection.");
const SIGNALS = placesOf("signal.");
const UNANSWERED = LEARNED_KINDS.indexOf("coaching.unanswered-objection");
const MISSED = LEARNED_KINDS.indexOf("coaching.missed-signal");

function placesOf(family: string): number[] {
  return LEARNED_KINDS.flatMap((kind, place) => (kind.startsWith(family) ? [place] : []));
}

/** Numbers of all turns, one row of KINDS for each. */
type Table = Float32Array[];

/**
 * @param logits of the first pass: for each turn, of each kind the highest of its units
 * @returns for each turn a vector of CONTEXT_DIMS
 */
export function contextOf(
  turns: readonly ReadTurn[],
  ruled: readonly Finding[],
  logits: readonly Float32Array[],
): Float32Array[] {
  const chances = logits.map((row) => row.map((logit) => likelihood(clipped(logit))));
  const rules = ruledTable(turns.length, ruled);
  const earlier = running(chances, 1);
  const later = running(chances, -1);
  return turns.map((turn, place) => {
    const parts = [
      logits[place].map((logit) => clipped(logit) / 3),
      rules[place],
      ...NEAR.map((step) => (chances[place + step] ?? new Float32Array(KINDS)).map((chance) => 1.5 * chance)),
      ...NEXT.map((step) => rules[place + step] ?? new Float32Array(KINDS)),
      earlier[place],
      later[place],
      placeIn(turns, turn),
      pairs(chances, place),
    ];
    const vector = new Float32Array(CONTEXT_DIMS);
    let at = 0;
    for (const part of parts) {
      vector.set(part, at);
      at += part.length;
    }
    return vector;
  });
}

function clipped(logit: number): number {
  return Math.max(-LOGIT_MAX, Math.min(LOGIT_MAX, logit));
}

function ruledTable(turns: number, ruled: readonly Finding[]): Table {
  const table = Array.from({ length: turns }, () => new Float32Array(KINDS));
  for (const { turn, kind, confidence } of ruled) {
    const place = LEARNED_KINDS.indexOf(kind);
    if (place >= 0) table[turn][place] = confidence;
  }
  return table;
}

/** @returns for each turn the highest of all before it, or with -1 of all after it */
function running(chances: Table, step: 1 | -1): Table {
  const table = chances.map(() => new Float32Array(KINDS));
  const first = step === 1 ? 1 : chances.length - 2;
  for (let place = first; place >= 0 && place < chances.length; place += step)
    for (let kind = 0; kind < KINDS; kind++)
      table[place][kind] = Math.max(table[place - step][kind], chances[place - step][kind]);
  return table;
}

function placeIn(turns: readonly ReadTurn[], { place, turn, tokens }: ReadTurn): Float32Array {
  const vector = new Float32Array(PLACES);
  const fromEnd = turns.length - 1 - place;
  vector[Math.min(place, ENDS - 1)] = 1;
  vector[ENDS + Math.min(fromEnd, ENDS - 1)] = 1;
  vector[2 * ENDS] = place / Math.max(1, turns.length - 1);
  vector[2 * ENDS + 1] = turn.speaker === "rep" ? 1 : 0;
  vector[2 * ENDS + 2] = Math.log1p(tokens.length) / 4;
  vector[2 * ENDS + 3] = turn.words.length >= MONOLOGUE_WORDS ? 2 : 0;
  return vector;
}

/** Whether something was there to be taken up, together with whether it looks as if it were passed over. */
function pairs(chances: Table, place: number): Float32Array {
  const before = chances[place - 1];
  const highest = (kinds: number[]) => Math.max(...kinds.map((kind) => before?.[kind] ?? 0));
  const objected = highest(OBJECTIONS);
  const signalled = highest(SIGNALS);
  const unanswered = chances[place][UNANSWERED];
  const missed = chances[place][MISSED];
  const both = unanswered + missed;
  return Float32Array.of(
    2 * objected * unanswered,
    2 * signalled * missed,
    2 * objected * (1 - unanswered),
    2 * signalled * (1 - missed),
    2 * objected * both,
    2 * signalled * both,
    2 * objected,
    2 * signalled,
  );
}
