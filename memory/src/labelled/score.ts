// How well predicted tags agree with the labels: precision, recall and F1 for each kind, and over all of them.
import { TAG_KINDS, type TagKind } from "../model/taxonomy";

/** That a turn has a tag of a kind. */
export interface TurnTag {
  kind: TagKind;
  /** Place of the turn, from 0. */
  turn: number;
}

/** Counts, and what follows from them. */
export interface Score {
  /** Turns that are labelled and predicted. */
  right: number;
  /** Predictions on turns without such a label. */
  wrong: number;
  /** Labels that nothing was predicted for. */
  missed: number;
  /** Share of the predictions that are right, 0 to 1; 0 without any. */
  precision: number;
  /** Share of the labels that are found, 0 to 1; 0 without any. */
  recall: number;
  /** Harmonic mean of both, 0 to 1; 0 where both are 0. */
  f1: number;
}

/** Scores of a set of dialogues. */
export interface SetScore {
  /** In the order of the taxonomy. */
  kinds: Map<TagKind, Score>;
  /** Over the counts of all kinds together: frequent kinds weigh more. */
  micro: Score;
  /** Means over the kinds that are labelled or predicted, each of the same weight, 0 to 1; 0 without any. */
  macro: { precision: number; recall: number; f1: number };
}

/**
 * Scores predictions. A predicted tag is right when a label of its kind lies on the same turn, wherever in the turn. A label counts once: further
 * predictions of that kind on that turn are neither right nor wrong. Without a label, each of them is wrong.
 * @param dialogues what is labelled and what is predicted in each
 */
export function score(
  dialogues: readonly { labels: readonly TurnTag[]; predicted: readonly TurnTag[] }[],
): SetScore {
  const kinds = new Map(TAG_KINDS.map((kind) => [kind, scoreKind(kind, dialogues)]));
  const scores = [...kinds.values()];
  const sum = (pick: (one: Score) => number) => scores.reduce((total, one) => total + pick(one), 0);
  const seen = scores.filter(({ right, wrong, missed }) => right + wrong + missed > 0);
  const mean = (pick: (one: Score) => number) =>
    ratio(
      seen.reduce((total, one) => total + pick(one), 0),
      seen.length,
    );
  return {
    kinds,
    micro: scoreOf(
      sum(({ right }) => right),
      sum(({ wrong }) => wrong),
      sum(({ missed }) => missed),
    ),
    macro: {
      precision: mean(({ precision }) => precision),
      recall: mean(({ recall }) => recall),
      f1: mean(({ f1 }) => f1),
    },
  };
}

function scoreKind(kind: TagKind, dialogues: Parameters<typeof score>[0]): Score {
  let right = 0;
  let wrong = 0;
  let missed = 0;
  for (const { labels, predicted } of dialogues) {
    const labelled = turnsOf(labels, kind);
    const found = turnsOf(predicted, kind);
    const hit = new Set(found.filter((turn) => labelled.includes(turn)));
    right += hit.size;
    wrong += found.filter((turn) => !labelled.includes(turn)).length;
    missed += new Set(labelled).size - hit.size;
  }
  return scoreOf(right, wrong, missed);
}

function turnsOf(tags: readonly TurnTag[], kind: TagKind): number[] {
  return tags.filter((tag) => tag.kind === kind).map(({ turn }) => turn);
}

function scoreOf(right: number, wrong: number, missed: number): Score {
  return {
    right,
    wrong,
    missed,
    precision: ratio(right, right + wrong),
    recall: ratio(right, right + missed),
    f1: ratio(2 * right, 2 * right + wrong + missed),
  };
}

function ratio(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole;
}
