// What the classifier is told of a unit besides its vectors: names of features that hold, such as `w:price` for a word's stem or `R:objection.need` for what
// the rules say of the turn.
import { CLASSES } from "../classes";
import type { Finding, ReadTurn } from "../engine";
import { occurs, PatternReader } from "../pattern";
import { sentimentOf } from "../sentiment";
import type { Token } from "../tokens";
import type { Unit } from "./units";

/** A talk as features are made of it. */
export interface TalkRead {
  turns: readonly ReadTurn[];
  /** What each rule matches, before a talk as a whole is looked at. */
  hits: readonly Finding[];
  /** What the rules say in the end. */
  ruled: readonly Finding[];
}

const reader = new PatternReader(CLASSES);
const CLASS_PATTERNS = Object.keys(CLASSES).map((name) => ({ name, pattern: reader.read(`<${name}>`) }));
/** Turns from either end of a talk whose places are told apart. */
const ENDS = 4;
const LENGTHS = [2, 4, 7, 11, 16, 24, 40, 70];

/** @returns features of a talk's units */
export function featuresOf(talk: TalkRead, units: readonly Unit[]): string[][] {
  const ofTurn = talk.turns.map((turn) => turnFeatures(talk, turn));
  return units.map((unit) => {
    const { turn } = talk.turns[unit.turn];
    const own = unitFeatures(talk, unit);
    const said = own.filter((name) => /^[wc]:/.test(name)).map((name) => `${turn.speaker}.${name}`);
    return [...new Set([...own, ...said, ...ofTurn[unit.turn]])];
  });
}

function unitFeatures({ turns, hits }: TalkRead, unit: Unit): string[] {
  const { tokens } = unit;
  const turn = turns[unit.turn];
  const stems = tokens.map(wordOf);
  const last = tokens[tokens.length - 1];
  return [
    ...stems.map((stem) => `w:${stem}`),
    ...stems.slice(1).map((stem, place) => `b:${stems[place]}_${stem}`),
    ...stems.slice(2).map((stem, place) => `g:${stems[place]}_${stems[place + 1]}_${stem}`),
    ...classesOf(tokens).map((name) => `c:${name}`),
    `f:${stems[0]}`,
    `f:${stems.slice(0, 2).join("_")}`,
    ...(turn.questions[tokens[0].sentence] ? ["q"] : []),
    ...(tokens[0] === turn.tokens[0] ? ["opens"] : []),
    ...(last === turn.tokens[turn.tokens.length - 1] ? ["closes"] : []),
    `n:${bucket(tokens.length)}`,
    ...hits.filter((hit) => overlaps(hit, unit)).flatMap(({ kind, rule }) => [`r:${kind}`, `rule:${rule}`]),
  ];
}

function turnFeatures({ turns, ruled }: TalkRead, turn: ReadTurn): string[] {
  const { place } = turn;
  const before = turns[place - 1];
  const fromEnd = turns.length - 1 - place;
  const feeling = sentimentOf(turn);
  return [
    `by:${turn.turn.speaker}`,
    ...(turn.questions.includes(true) ? ["tq"] : []),
    `tn:${bucket(turn.tokens.length)}`,
    `start:${Math.min(place, ENDS)}`,
    `end:${Math.min(fromEnd, ENDS)}`,
    `part:${Math.floor((4 * place) / turns.length)}`,
    ...ruled.filter((finding) => finding.turn === place).map(({ kind }) => `R:${kind}`),
    ...(feeling > 0.2 ? ["good"] : feeling < -0.2 ? ["bad"] : []),
    ...(before === undefined ? ["p:none"] : beforeFeatures(before, ruled)),
  ];
}

function beforeFeatures(before: ReadTurn, ruled: readonly Finding[]): string[] {
  return [
    ...(before.questions.at(-1) ? ["pq"] : []),
    ...ruled.filter(({ turn }) => turn === before.place).map(({ kind }) => `pR:${kind}`),
  ];
}

function overlaps({ turn, firstWord, lastWord }: Finding, unit: Unit): boolean {
  return turn === unit.turn && firstWord <= unit.lastWord && lastWord >= unit.firstWord;
}

function wordOf({ stem, keys, name }: Token): string {
  if (keys.includes("#")) return "#";
  return name ? "@" : stem;
}

function classesOf(tokens: readonly Token[]): string[] {
  return CLASS_PATTERNS.filter(({ pattern }) => occurs(pattern, tokens)).map(({ name }) => name);
}

function bucket(length: number): number {
  const place = LENGTHS.findIndex((longest) => length <= longest);
  return place < 0 ? LENGTHS.length : place;
}
