// Makes a model of labelled talks: the first pass on units, then, by scores of talks that the first pass did not learn from, the second pass and the
// thresholds.
import type { Label } from "../src/labelled/read";
import type { TagKind } from "../src/model/taxonomy";
import { contextOf } from "../src/tagger/learned/context";
import { kindsOf, LEARNED_KINDS } from "../src/tagger/learned/kinds";
import {
  firstShape,
  highest,
  judgeTurns,
  judgeUnits,
  knownFeatures,
  type Model,
  SECOND_SHAPE,
} from "../src/tagger/learned/model";
import { type LearnedTalk, vectorsOf } from "../src/tagger/learned/talk";
import type { Unit } from "../src/tagger/learned/units";
import { type Penalty, type Sample, train } from "./logistic";
import { thresholdsFor } from "./thresholds";

/** A talk and what belongs to it. */
export interface LabelledTalk {
  talk: LearnedTalk;
  labels: readonly Label[];
  /** Whose it is. */
  author: string;
  /** Where only the last turn tells, and of one kind alone: that kind. */
  tells?: TagKind;
}

/** What decides how it is learned; the defaults were chosen by leaving authors out. */
export interface Settings {
  first: Penalty;
  second: Penalty;
  firstRounds: number;
  secondRounds: number;
  /** Units that have a feature before it counts. */
  featureCountMin: number;
  /** Parts into which talks are cut so that each is scored by what learned from the others. */
  folds: number;
}

export const SETTINGS: Settings = {
  first: { vectors: 1.5, features: 3 },
  second: { vectors: 3, features: 3 },
  firstRounds: 25,
  secondRounds: 60,
  featureCountMin: 3,
  folds: 3,
};

export type Learned = Pick<Model, "features" | "first" | "second" | "thresholds">;

/**
 * @param examples talks for the first pass alone
 * @param random 0 to below 1; decides which talks are in one part
 */
export function learn(
  talks: readonly LabelledTalk[],
  examples: readonly LabelledTalk[],
  random: () => number,
  settings: Settings,
): Learned {
  const { folds, second, secondRounds } = settings;
  const parts = cut(shuffled(talks, random), folds);
  const logits = acrossFolds(parts, (others, part) => {
    const pass = learnUnits([...others, ...examples], settings);
    return part.map(({ talk }) => highest(talk, judgeUnits(pass, talk)));
  });
  const turnSamples = (some: readonly LabelledTalk[]) =>
    some.flatMap((one) => samplesOfTurns(one, logits.get(one)!));
  const likelihoods = acrossFolds(parts, (others, part) => {
    const weights = train(SECOND_SHAPE, turnSamples(others), second, secondRounds);
    return part.map((one) => judgeTurns(weights, one.talk, logits.get(one)!));
  });
  return {
    ...learnUnits([...talks, ...examples], settings),
    second: train(SECOND_SHAPE, turnSamples(talks), second, secondRounds),
    thresholds: thresholdsFor(
      talks.map((one) => ({ labels: one.labels, turns: one.talk.turns, likelihoods: likelihoods.get(one)! })),
    ),
  };
}

/** @returns for each talk what was made of it without itself */
function acrossFolds<T>(
  parts: readonly LabelledTalk[][],
  make: (others: LabelledTalk[], part: LabelledTalk[]) => T[],
): Map<LabelledTalk, T> {
  const made = new Map<LabelledTalk, T>();
  for (const part of parts) {
    const others = parts.filter((one) => one !== part).flat();
    for (const [place, result] of make(others, part).entries()) made.set(part[place], result);
  }
  return made;
}

/** The first pass. */
function learnUnits(talks: readonly LabelledTalk[], settings: Settings): Pick<Model, "features" | "first"> {
  const features = frequentFeatures(talks, settings.featureCountMin);
  const samples = talks.flatMap((one) => samplesOfUnits(one, features));
  const dims = talks[0].talk.turnVectors[0].length;
  const shape = firstShape(dims, features.size);
  return { features, first: train(shape, samples, settings.first, settings.firstRounds) };
}

function frequentFeatures(talks: readonly LabelledTalk[], countMin: number): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { talk } of talks)
    for (const name of talk.features.flat()) counts.set(name, (counts.get(name) ?? 0) + 1);
  const names = [...counts].flatMap(([name, count]) => (count >= countMin ? [name] : []));
  return new Map(names.sort().map((name, place) => [name, place]));
}

function samplesOfUnits(one: LabelledTalk, features: ReadonlyMap<string, number>): Sample[] {
  const { talk, labels, tells } = one;
  const known = knownFeatures(talk, features);
  const samples = talk.units.map((unit, place) => ({
    vectors: vectorsOf(talk, place),
    features: known[place],
    range: kindsOf(talk.turns[unit.turn].turn.speaker),
    targets: targetsOf(unit, labels),
  }));
  if (tells === undefined) return samples;
  for (const { targets } of samples)
    for (const [kind, name] of LEARNED_KINDS.entries()) if (name !== tells) targets[kind] = -1;
  return samples.filter((_, place) => talk.units[place].turn === talk.turns.length - 1);
}

/** A unit has a label where most of either lies in the other; where less does, it tells nothing. */
function targetsOf(unit: Unit, labels: readonly Label[]): Int8Array {
  const targets = new Int8Array(LEARNED_KINDS.length);
  for (const { kind, turn, firstWord, lastWord } of labels) {
    const place = LEARNED_KINDS.indexOf(kind);
    if (turn !== unit.turn || place < 0) continue;
    const common = Math.min(lastWord, unit.lastWord) - Math.max(firstWord, unit.firstWord) + 1;
    const most =
      common >= 0.5 * (unit.lastWord - unit.firstWord + 1) || common >= 0.6 * (lastWord - firstWord + 1);
    if (common > 0 || kind.startsWith("coaching.")) targets[place] = common > 0 && most ? 1 : -1;
  }
  return targets;
}

function samplesOfTurns({ talk, labels }: LabelledTalk, logits: readonly Float32Array[]): Sample[] {
  return contextOf(talk.turns, talk.ruled, logits).map((vector, turn) => {
    const targets = new Int8Array(LEARNED_KINDS.length);
    for (const label of labels)
      if (label.turn === turn && LEARNED_KINDS.includes(label.kind))
        targets[LEARNED_KINDS.indexOf(label.kind)] = 1;
    return { vectors: [vector], features: [], range: kindsOf(talk.turns[turn].turn.speaker), targets };
  });
}

function shuffled<T>(list: readonly T[], random: () => number): T[] {
  const mixed = [...list];
  for (let at = mixed.length - 1; at > 0; at--) {
    const other = Math.floor(random() * (at + 1));
    [mixed[at], mixed[other]] = [mixed[other], mixed[at]];
  }
  return mixed;
}

function cut<T>(list: readonly T[], parts: number): T[][] {
  return Array.from({ length: parts }, (_, part) => list.filter((_one, place) => place % parts === part));
}
