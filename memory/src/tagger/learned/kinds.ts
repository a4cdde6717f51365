// Which kinds are learned, and on whose turns each can stand. A monologue is counted and needs no learning.
import type { TagKind } from "../../model/taxonomy";
import type { Speaker } from "../../model/transcript";

const OF_OTHER: TagKind[] = [
  "objection.pricing",
  "objection.timing",
  "objection.authority",
  "objection.need",
  "signal.urgency",
  "signal.interest",
  "signal.decision-readiness",
  "role.gatekeeper",
  "outcome.commitment",
  "mood.turn-up",
  "mood.turn-down",
];
const OF_BOTH: TagKind[] = [
  "competitor",
  "role.decision-maker",
  "role.influencer",
  "outcome.next-step",
  "outcome.result",
];
const OF_REP: TagKind[] = [
  "coaching.unanswered-objection",
  "coaching.missed-signal",
  "coaching.pressure",
  "coaching.no-next-step",
];

/** In an order in which the kinds of each speaker lie side by side. */
export const LEARNED_KINDS: readonly TagKind[] = [...OF_OTHER, ...OF_BOTH, ...OF_REP];

/** Places in LEARNED_KINDS, the last one excluded. */
export interface KindRange {
  from: number;
  to: number;
}

const RANGES: Record<Speaker, KindRange> = {
  other: { from: 0, to: OF_OTHER.length + OF_BOTH.length },
  rep: { from: OF_OTHER.length, to: LEARNED_KINDS.length },
  unsure: { from: 0, to: LEARNED_KINDS.length },
};

/** @returns the kinds that a turn of the speaker can have */
export function kindsOf(speaker: Speaker): KindRange {
  return RANGES[speaker];
}
