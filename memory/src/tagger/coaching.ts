// What a rep could do better, computed from turns and from the tags of the others: monologues, objections and signals passed over, no next step.
import type { TagKind } from "../model/taxonomy";
import { COMPUTED, MONOLOGUE_MS, MONOLOGUE_WORDS } from "./computed";
import type { Finding, ReadTurn } from "./engine";
import { repetitions } from "./insistence";
import { passesOver } from "./passing-over";

const TAKES_UP: ReadonlySet<TagKind> = new Set(["outcome.next-step", "outcome.result", "coaching.pressure"]);

/** @returns coaching tags; `findings` are those of the rules, one of each kind on a turn */
export function coach(turns: readonly ReadTurn[], findings: readonly Finding[]): Finding[] {
  return [...monologues(turns), ...passedOver(turns, findings), ...withoutNextStep(turns, findings)];
}

/** @returns the rep's turns that are too long */
export function monologues(turns: readonly ReadTurn[]): Finding[] {
  return turns.filter(isMonologue).map((turn) => coaching("coaching.monologue", "long-turn", turn, 0.95));
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
  const insistedOn = new Map(
    repetitions(turns, findings).map(({ passedOver, meant }) => [passedOver, meant]),
  );
  return turns.flatMap((turn, place) => {
    // Who proposes a next step has heard; who presses has, too.
    if (findings.some((finding) => finding.turn === place && TAKES_UP.has(finding.kind))) return [];
    const meant = insistedOn.get(place);
    if (meant !== undefined) return [unheard(meant.kind, turn, 0.75)];
    const before = turns[place - 1];
    if (turn.turn.speaker !== "rep" || before?.turn.speaker !== "other") return [];
    const there = findings.filter((finding) => finding.turn === before.place);
    const objected = there.find(({ kind }) => kind.startsWith("objection."));
    const signalled = there.find(({ kind }) => kind.startsWith("signal."));
    if (objected !== undefined && passesOver(before, objected, turn))
      return [unheard(objected.kind, turn, 0.6)];
    if (signalled !== undefined && passesOver(before, signalled, turn))
      return [unheard(signalled.kind, turn, 0.6)];
    return [];
  });
}

function unheard(kind: TagKind, turn: ReadTurn, confidence: number): Finding {
  return kind.startsWith("objection.")
    ? coaching("coaching.unanswered-objection", "objection-passed-over", turn, confidence)
    : coaching("coaching.missed-signal", "signal-passed-over", turn, confidence);
}

function withoutNextStep(turns: readonly ReadTurn[], findings: readonly Finding[]): Finding[] {
  const last = turns.findLast(({ turn, tokens }) => turn.speaker === "rep" && tokens.length > 0);
  const has = (test: (kind: TagKind) => boolean) => findings.some(({ kind }) => test(kind));
  if (last === undefined || has((kind) => kind.startsWith("outcome."))) return [];
  const sold = has((kind) => /^(objection|signal|role)\./.test(kind) || kind === "competitor");
  return sold ? [coaching("coaching.no-next-step", "ends-without-next-step", last, 0.7)] : [];
}
