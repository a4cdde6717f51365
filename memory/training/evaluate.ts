// How well the tagger does on authors and talks that it did not learn from: `npm run train:tagger -- --evaluate`.
import { type SetScore, score, type TurnTag } from "../src/labelled/score";
import { ENCODER_NAME } from "../src/sentences";
import { monologues } from "../src/tagger/coaching";
import { LEARNED_KINDS } from "../src/tagger/learned/kinds";
import { judge, type Model } from "../src/tagger/learned/model";
import { readModel, writeModel } from "../src/tagger/learned/weights";
import { makeModel } from "./make-model";
import type { LabelledTalk } from "./train";

export interface Outcome {
  name: string;
  rules: SetScore;
  learned: SetScore;
}

/** @returns for each author how well the others' talks taught, and last for all together */
export async function withoutAuthor(
  talks: readonly LabelledTalk[],
  examples: readonly LabelledTalk[],
): Promise<Outcome[]> {
  const authors = [...new Set(talks.map(({ author }) => author))];
  return outcomes(
    authors.map((author) => ({
      name: `without ${author}`,
      part: talks.filter((one) => one.author === author),
    })),
    talks,
    examples,
  );
}

/** @returns the same for parts of the talks of all authors */
export async function acrossTalks(
  talks: readonly LabelledTalk[],
  examples: readonly LabelledTalk[],
  parts: number,
): Promise<Outcome[]> {
  const names = Array.from({ length: parts }, (_, place) => place);
  return outcomes(
    names.map((part) => ({
      name: `part ${part + 1} of ${parts}`,
      part: talks.filter((_, place) => place % parts === part),
    })),
    talks,
    examples,
  );
}

async function outcomes(
  parts: readonly { name: string; part: LabelledTalk[] }[],
  talks: readonly LabelledTalk[],
  examples: readonly LabelledTalk[],
): Promise<Outcome[]> {
  const done = [];
  for (const { name, part } of parts) {
    const others = talks.filter((one) => !part.includes(one));
    // Through the file's bytes, as it is shipped: with the strongest features alone, and rounded.
    const made = makeModel(others, examples, { checksum: "", encoder: ENCODER_NAME });
    const model = readModel(writeModel(made));
    done.push({ name, cases: await Promise.all(part.map((one) => caseOf(one, model))) });
  }
  const all = { name: "all", cases: done.flatMap(({ cases }) => cases) };
  return [...done, all].map(({ name, cases }) => ({
    name,
    rules: score(cases.map(({ labels, ruled }) => ({ labels, predicted: ruled }))),
    learned: score(cases.map(({ labels, predicted }) => ({ labels, predicted }))),
  }));
}

async function caseOf({ talk, labels }: LabelledTalk, model: Model) {
  return { labels, ruled: talk.ruled, predicted: await tagsOf(talk, model) };
}

async function tagsOf(talk: LabelledTalk["talk"], model: Model): Promise<TurnTag[]> {
  const { turns } = await judge(model, talk);
  return [
    ...monologues(talk.turns),
    ...turns.flatMap((likelihoods, turn) =>
      LEARNED_KINDS.flatMap((kind, place) =>
        likelihoods[place] >= model.thresholds[place] ? [{ kind, turn }] : [],
      ),
    ),
  ];
}
