// Labelled dialogues as what the tagger learns from: read by rules, cut, encoded.
import type { LabelledDialogue } from "../src/labelled/read";
import type { SentenceEncoder } from "../src/sentences";
import { Engine, readTurns } from "../src/tagger/engine";
import { readTalk, textsOf } from "../src/tagger/learned/talk";
import { ruledOf } from "../src/tagger/ruled";
import { RULES } from "../src/tagger/rules/index";
import type { LabelledTalk } from "./train";

/** Encodes all texts at once first, so that a cache is written once. */
export async function talksOf(
  dialogues: readonly LabelledDialogue[],
  author: string,
  encoder: SentenceEncoder,
): Promise<LabelledTalk[]> {
  const engine = new Engine(RULES);
  const read = dialogues.map(({ transcript, labels }) => ({ turns: readTurns(transcript), labels }));
  await encoder.encode(read.flatMap(({ turns }) => textsOf(turns)));
  return Promise.all(
    read.map(async ({ turns, labels }) => ({
      talk: await readTalk(turns, await ruledOf(engine, turns), encoder),
      labels,
      author,
    })),
  );
}

/** @returns numbers from 0 to below 1, the same for a seed: Numerical Recipes' quick generator */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}
