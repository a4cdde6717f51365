// Makes what is shipped: learned weights, the strongest features alone, and labelled words to show what a talk's words are like.

import { signsOf } from "../src/tagger/learned/examples";
import { LEARNED_KINDS } from "../src/tagger/learned/kinds";
import { rowsOf } from "../src/tagger/learned/linear";
import { type Example, firstShape, type Model } from "../src/tagger/learned/model";
import { seeded } from "./talks";
import { type LabelledTalk, type Learned, learn, SETTINGS, type Settings } from "./train";

const SEED = 1;
/** Features that are kept: more do not fit a small file, and weigh next to nothing. */
const FEATURES_MAX = 4000;
const EXAMPLES_MAX = 25;
/** Words of an example. */
const EXAMPLE_WORDS_MIN = 3;
const EXAMPLE_WORDS_MAX = 11;

/** @param examples talks for the first pass alone */
export function makeModel(
  talks: readonly LabelledTalk[],
  examples: readonly LabelledTalk[],
  { checksum, encoder }: Pick<Model, "checksum" | "encoder">,
  settings: Settings = SETTINGS,
): Model {
  const learned = strongest(
    learn(talks, examples, seeded(SEED), settings),
    talks[0].talk.turnVectors[0].length,
  );
  return {
    ...learned,
    encoder,
    checksum,
    examples: LEARNED_KINDS.flatMap((_, kind) => examplesOf(talks, kind)),
  };
}

/** Leaves out the features with the smallest weights. */
function strongest(learned: Learned, dims: number): Learned {
  const outputs = LEARNED_KINDS.length;
  const shape = firstShape(dims, learned.features.size);
  const before = rowsOf(shape) - 1 - shape.features;
  const weights = Float64Array.from(learned.first);
  const strength = (feature: number) =>
    weights
      .subarray((before + feature) * outputs, (before + feature + 1) * outputs)
      .reduce((most, weight) => Math.max(most, Math.abs(weight)), 0);
  const kept = [...learned.features]
    .map(([name, place]) => ({ name, place, strength: strength(place) }))
    .sort((one, other) => other.strength - one.strength || one.place - other.place)
    .slice(0, FEATURES_MAX)
    .sort((one, other) => one.place - other.place);
  const rows = [
    weights.subarray(0, before * outputs),
    ...kept.map(({ place }) => weights.subarray((before + place) * outputs, (before + place + 1) * outputs)),
    weights.subarray((before + shape.features) * outputs),
  ];
  const first = rows.flatMap((row) => [...row]);
  return { ...learned, features: new Map(kept.map(({ name }, place) => [name, place])), first };
}

/** Labelled words of a kind, each as far from the others as can be. */
function examplesOf(talks: readonly LabelledTalk[], kind: number): Example[] {
  const left = candidates(talks, kind);
  const examples: Example[] = [];
  const nearest = left.map(() => -1);
  for (let next = 0; next >= 0 && examples.length < EXAMPLES_MAX; ) {
    const { text, vector } = left[next] ?? {};
    if (text === undefined || vector === undefined) break;
    examples.push({ kind, text, signs: signsOf(vector) });
    for (const [place, one] of left.entries())
      nearest[place] = Math.max(nearest[place], dot(one.vector, vector));
    const farthest = Math.min(...nearest);
    next = farthest > 0.99 ? -1 : nearest.indexOf(farthest);
  }
  return examples;
}

function candidates(talks: readonly LabelledTalk[], kind: number): { text: string; vector: Float32Array }[] {
  return talks.flatMap(({ talk, labels }) =>
    labels
      .filter((label) => label.kind === LEARNED_KINDS[kind])
      .flatMap(({ turn, firstWord, lastWord }) =>
        talk.units.flatMap((unit, place) => {
          const words = unit.lastWord - unit.firstWord + 1;
          const within = unit.turn === turn && unit.firstWord >= firstWord && unit.lastWord <= lastWord;
          return within && words >= EXAMPLE_WORDS_MIN && words <= EXAMPLE_WORDS_MAX
            ? [{ text: unit.text, vector: talk.unitVectors[place] }]
            : [];
        }),
      ),
  );
}

function dot(one: Float32Array, other: Float32Array): number {
  return one.reduce((sum, value, place) => sum + value * other[place], 0);
}
