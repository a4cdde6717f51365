// From which likelihood on a kind is said: where F1 is best on talks that were not learned from, kept near the middle where few labels tell.
import type { Label } from "../src/labelled/read";
import type { ReadTurn } from "../src/tagger/engine";
import { kindsOf, LEARNED_KINDS } from "../src/tagger/learned/kinds";

interface Scored {
  labels: readonly Label[];
  turns: readonly ReadTurn[];
  likelihoods: readonly Float64Array[];
}

const LOWEST = 0.15;
const HIGHEST = 0.8;
const STEP = 0.025;
const USUAL = 0.45;
/** Labels that are taken as missed besides, so that few do not decide. */
const MISSED_BESIDES = 3;
/** F1 that being away from the usual costs. */
const AWAY_COST = 0.05;

/** @returns for each kind a number from 0 to 1 */
export function thresholdsFor(scored: readonly Scored[]): number[] {
  return LEARNED_KINDS.map((kind, place) => {
    const cases = scored.flatMap(({ labels, turns, likelihoods }) => {
      const labelled = new Set(labels.filter((label) => label.kind === kind).map(({ turn }) => turn));
      return turns.flatMap(({ turn }, at) => {
        const { from, to } = kindsOf(turn.speaker);
        return place < from || place >= to
          ? []
          : [{ likelihood: likelihoods[at][place], labelled: labelled.has(at) }];
      });
    });
    return best(cases);
  });
}

function best(cases: readonly { likelihood: number; labelled: boolean }[]): number {
  let threshold = USUAL;
  let highest = Number.NEGATIVE_INFINITY;
  const labels = cases.filter(({ labelled }) => labelled).length;
  for (let step = 0; LOWEST + step * STEP < HIGHEST; step++) {
    const at = LOWEST + step * STEP;
    const said = cases.filter(({ likelihood }) => likelihood >= at);
    const right = said.filter(({ labelled }) => labelled).length;
    const worth = (2 * right) / (said.length + labels + MISSED_BESIDES) - AWAY_COST * Math.abs(at - USUAL);
    if (worth > highest) {
      highest = worth;
      threshold = at;
    }
  }
  return threshold;
}
