// What was learned, and how it scores a talk: a first pass over units, and a second over turns that knows the first one's scores around each.

import { inPieces } from "../pieces";
import { CONTEXT_DIMS, contextOf, LOGIT_NONE } from "./context";
import { kindsOf, LEARNED_KINDS } from "./kinds";
import { likelihood, type Shape, scoresOf } from "./linear";
import { type LearnedTalk, vectorsOf } from "./talk";
import type { Unit } from "./units";

/** Words that somebody labelled, to show what a talk's words are like. */
export interface Example {
  /** Place in LEARNED_KINDS. */
  kind: number;
  text: string;
  /** Signs of its vector's numbers, a bit each. */
  signs: Uint8Array;
}

export interface Model {
  /** Name of the sentence encoder that it was trained with. */
  encoder: string;
  /** Of the labelled texts that it was trained on. */
  checksum: string;
  /** Features of the first pass, each with its place. */
  features: ReadonlyMap<string, number>;
  /** Weights of both passes; linear.ts has their order. */
  first: ArrayLike<number>;
  second: ArrayLike<number>;
  /** For each kind the likelihood from which on it is said, 0 to 1. */
  thresholds: readonly number[];
  examples: readonly Example[];
}

/** How a talk's units and turns were judged; of each kind a number. */
export interface Judged {
  /** Of each unit, as logits. */
  units: Float64Array[];
  /** Of each turn, 0 to 1. */
  turns: Float64Array[];
}

/** @param dims of a sentence's vector */
export function firstShape(dims: number, features: number): Shape {
  return {
    blocks: [
      { dims, scale: 3 },
      { dims, scale: 2 },
      { dims, scale: 2 },
    ],
    features,
    outputs: LEARNED_KINDS.length,
  };
}

export const SECOND_SHAPE: Shape = {
  blocks: [{ dims: CONTEXT_DIMS, scale: 1 }],
  features: 0,
  outputs: LEARNED_KINDS.length,
};

/** @returns for each unit the places of its features that the model knows */
export function knownFeatures({ features }: LearnedTalk, known: ReadonlyMap<string, number>): number[][] {
  return features.map((names) =>
    names.flatMap((name) => {
      const place = known.get(name);
      return place === undefined ? [] : [place];
    }),
  );
}

type FirstPass = Pick<Model, "features" | "first">;

/** Units of a piece: some 10 ms. */
const PIECE = 100;

/** @throws the signal's reason when it is aborted */
export async function judge(
  model: FirstPass & Pick<Model, "second">,
  talk: LearnedTalk,
  signal?: AbortSignal,
): Promise<Judged> {
  const units = await inPieces(talk.units, PIECE, unitJudge(model, talk), signal);
  return { units, turns: judgeTurns(model.second, talk, highest(talk, units)) };
}

/** The first pass at once. @returns logits of each unit */
export function judgeUnits(model: FirstPass, talk: LearnedTalk): Float64Array[] {
  return talk.units.map(unitJudge(model, talk));
}

function unitJudge(
  { features, first }: FirstPass,
  talk: LearnedTalk,
): (unit: Unit, place: number) => Float64Array {
  const shape = firstShape(talk.turnVectors[0]?.length ?? 0, features.size);
  const known = knownFeatures(talk, features);
  return ({ turn }, place) => {
    const input = { vectors: vectorsOf(talk, place), features: known[place] };
    return scoresOf(shape, first, input, kindsOf(talk.turns[turn].turn.speaker));
  };
}

/** @returns for each turn, of each kind the highest logit of its units */
export function highest(talk: LearnedTalk, units: readonly Float64Array[]): Float32Array[] {
  const turns = talk.turns.map(() => new Float32Array(LEARNED_KINDS.length).fill(LOGIT_NONE));
  for (const [place, { turn }] of talk.units.entries()) {
    const { from, to } = kindsOf(talk.turns[turn].turn.speaker);
    for (let kind = from; kind < to; kind++)
      turns[turn][kind] = Math.max(turns[turn][kind], units[place][kind]);
  }
  return turns;
}

/** The second pass. @returns likelihoods of each turn; 0 for kinds that its speaker cannot have */
export function judgeTurns(
  second: ArrayLike<number>,
  talk: LearnedTalk,
  logits: readonly Float32Array[],
): Float64Array[] {
  return contextOf(talk.turns, talk.ruled, logits).map((vector, place) => {
    const range = kindsOf(talk.turns[place].turn.speaker);
    const scores = scoresOf(SECOND_SHAPE, second, { vectors: [vector], features: [] }, range);
    return scores.map((score, kind) => (kind < range.from || kind >= range.to ? 0 : likelihood(score)));
  });
}
