// A talk as the classifier reads it: its units with their features, and the vectors of units and turns.
import type { SentenceEncoder } from "../../sentences";
import type { Finding, ReadTurn } from "../engine";
import type { Ruled } from "../ruled";
import { featuresOf } from "./features";
import { type Unit, unitsOf } from "./units";

export interface LearnedTalk {
  turns: readonly ReadTurn[];
  ruled: readonly Finding[];
  units: readonly Unit[];
  /** Names, of each unit. */
  features: readonly string[][];
  unitVectors: readonly Float32Array[];
  turnVectors: readonly Float32Array[];
}

/** @returns what is encoded of turns */
export function textsOf(turns: readonly ReadTurn[]): string[] {
  return [...turns.flatMap(unitsOf).map(({ text }) => text), ...turns.map(({ turn }) => turn.text)];
}

/** @throws SentenceError; the signal's reason when it is aborted */
export async function readTalk(
  turns: readonly ReadTurn[],
  { hits, ruled }: Ruled,
  encoder: SentenceEncoder,
  signal?: AbortSignal,
): Promise<LearnedTalk> {
  const units = turns.flatMap(unitsOf);
  const vectors = await encodeOnce(textsOf(turns), encoder, signal);
  return {
    turns,
    ruled,
    units,
    features: featuresOf({ turns, hits, ruled }, units),
    unitVectors: vectors.slice(0, units.length),
    turnVectors: vectors.slice(units.length),
  };
}

/** The vectors of a unit: its own, its turn's, and that of the turn before. */
export function vectorsOf(talk: LearnedTalk, place: number): (Float32Array | undefined)[] {
  const { turn } = talk.units[place];
  return [talk.unitVectors[place], talk.turnVectors[turn], talk.turnVectors[turn - 1]];
}

/** Many turns are one unit, and "Okay." comes often: the same text is encoded once, and is one vector. */
async function encodeOnce(
  texts: readonly string[],
  encoder: SentenceEncoder,
  signal?: AbortSignal,
): Promise<Float32Array[]> {
  const once = [...new Set(texts)];
  const vectors = await encoder.encode(once, signal);
  const known = new Map(once.map((text, place) => [text, vectors[place]]));
  return texts.map((text) => known.get(text)!);
}
