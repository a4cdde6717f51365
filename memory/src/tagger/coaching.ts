// What a rep could do better, computed from turns and from the tags of the others: monologues, objections and signals passed over, no next step.
import type { TagKind } from "../model/taxonomy";
import type { Finding, ReadTurn } from "./engine";
import { passesOver } from "./passing-over";

const MONOLOGUE_WORDS = 70;
const MONOLOGUE_MS = 40_000;

/** What each computed rule is, for explanations. */
export const COMPUTED = {
  "long-turn": `One turn of the rep has ${MONOLOGUE_WORDS} words or more, or takes more than ${MONOLOGUE_MS / 1000} s.`,
  "objection-passed-over": "The customer objected, and the rep's next turn speaks of something else.",
  "signal-passed-over": "The customer showed that they want it, and the rep's next turn speaks of something else.",
  "ends-without-next-step": "Nothing was sold or refused for good, and the talk ends without a next step.",
} as const;

/** @returns coaching tags; `findings` are those of the rules, one of each kind on a turn */
export function coach(turns: readonly ReadTurn[], findings: readonly Finding[]): Finding[] {
  return [
    ...turns.filter(isMonologue).map((turn) => coaching("coaching.monologue", "long-turn", turn, 0.95)),
    ...passedOver(turns, findings),
    ...withoutNextStep(turns, findings),
  ];
}

function coaching(kind: TagKind, name: keyof typeof COMPUTED, turn: ReadTurn, confidence: number): Finding {
  const lastWord = Math.max(0, turn.turn.words.length - 1);
  const reason = COMPUTED[name];
  return { kind, rule: `rules/${name}`, reason, confidence, turn: turn.place, firstWord: 0, lastWord };
}

function isMonologue({ turn }: ReadTurn): boolean {
  if (turn.speaker !== "rep") return false;
  return turn.words.length >= MONOLOGUE_WORDS || turn.endMs - turn.startMs > MONOLOGUE_MS;
}

function passedOver(turns: readonly ReadTurn[], findings: readonly Finding[]): Finding[] {
  return turns.flatMap((turn, place) => {
    const before = turns[place - 1];
    if (turn.turn.speaker !== "rep" || before?.turn.speaker !== "other") return [];
    const there = findings.filter((finding) => finding.turn === before.place);
    const objected = there.find(({ kind }) => kind.startsWith("objection."));
    const signalled = there.find(({ kind }) => kind.startsWith("signal."));
    if (objected !== undefined && passesOver(before, objected, turn))
      return [coaching("coaching.unanswered-objection", "objection-passed-over", turn, 0.6)];
    if (signalled !== undefined && passesOver(before, signalled, turn))
      return [coaching("coaching.missed-signal", "signal-passed-over", turn, 0.6)];
    return [];
  });
}

function withoutNextStep(turns: readonly ReadTurn[], findings: readonly Finding[]): Finding[] {
  const last = turns.findLast(({ turn, tokens }) => turn.speaker === "rep" && tokens.length > 0);
  const has = (test: (kind: TagKind) => boolean) => findings.some(({ kind }) => test(kind));
  if (last === undefined || has((kind) => kind.startsWith("outcome."))) return [];
  const sold = has((kind) => /^(objection|signal|role)\./.test(kind) || kind === "competitor");
  return sold ? [coaching("coaching.no-next-step", "ends-without-next-step", last, 0.7)] : [];
}
