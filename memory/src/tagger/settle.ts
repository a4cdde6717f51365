// Settles what rules say against the talk as a whole: what only an end can have does not stand at its beginning, a feeling that has turned up cannot turn
// up again before it went down, and a question how to go on is not also a question of what it is like.
import type { TagKind } from "../model/taxonomy";
import type { Finding, ReadTurn } from "./engine";

/** Which part of the talk has to be over before a kind can be meant, 0 to 1, and how many turns. */
const NOT_BEFORE: Partial<Record<TagKind, { part: number; turns: number }>> = {
  "outcome.next-step": { part: 0.25, turns: 3 },
  "outcome.result": { part: 0.5, turns: 3 },
  "outcome.commitment": { part: 0.25, turns: 3 },
  "signal.decision-readiness": { part: 0.15, turns: 2 },
  "mood.turn-up": { part: 0, turns: 2 },
  "mood.turn-down": { part: 0, turns: 2 },
  "coaching.pressure": { part: 0, turns: 1 },
};
/** The way to whoever decides is guarded when the talk begins. */
const GATE_PART_MAX = 0.75;

/** @returns the findings that stand */
export function settle(turns: readonly ReadTurn[], findings: readonly Finding[]): Finding[] {
  const named = ownNames(turns);
  return alternating(
    withReadiness(findings).filter(
      (finding) =>
        late(turns, finding) &&
        !tooSoonToAsk(finding) &&
        !asksForMore(findings, finding) &&
        !(finding.kind === "competitor" && isOwn(named, turns, finding)),
    ),
  );
}

/** Who agrees to the deal speaks as if it were decided. */
function withReadiness(findings: readonly Finding[]): Finding[] {
  const kind = "signal.decision-readiness";
  return findings.flatMap((finding) => {
    const implied = finding.rule === "rules/agrees-to-deal" || finding.rule === "rules/yes-to-close";
    if (!implied || findings.some((other) => other.turn === finding.turn && other.kind === kind))
      return [finding];
    return [finding, { ...finding, kind, confidence: finding.confidence * 0.9 }];
  });
}

function late(turns: readonly ReadTurn[], { kind, turn }: Finding): boolean {
  if (kind === "role.gatekeeper" && turn > 4 && turn > turns.length * GATE_PART_MAX) return false;
  const limit = NOT_BEFORE[kind];
  return limit === undefined || (turn >= limit.turns && turn >= limit.part * turns.length);
}

/** Before the rep has said what it is about, a question is none about it. */
function tooSoonToAsk({ rule, turn }: Finding): boolean {
  return rule === "rules/asks-how-it-is" && turn < 2;
}

/** A question that is one of readiness counts as that alone. */
function asksForMore(
  findings: readonly Finding[],
  { kind, turn, firstWord, lastWord, rule }: Finding,
): boolean {
  if (kind !== "signal.interest" || rule !== "rules/asks-how-it-is") return false;
  return findings.some(
    (other) =>
      other.turn === turn &&
      other.kind === "signal.decision-readiness" &&
      other.firstWord <= lastWord + 3 &&
      other.lastWord >= firstWord - 3,
  );
}

/** The names that the rep's first turns give as their own company, folded. */
function ownNames(turns: readonly ReadTurn[]): Set<string> {
  const first = turns.filter(({ turn, place }) => turn.speaker === "rep" && place < 3);
  return new Set(first.flatMap(({ tokens }) => tokens.filter(({ name }) => name).map(({ text }) => text)));
}

function isOwn(own: ReadonlySet<string>, turns: readonly ReadTurn[], finding: Finding): boolean {
  const names = turns[finding.turn].tokens.filter(
    ({ name, word }) => name && word >= finding.firstWord && word <= finding.lastWord,
  );
  return names.length > 0 && names.every(({ text }) => own.has(text));
}

/** A mood that turned one way turns that way again only after it turned the other way. */
function alternating(findings: readonly Finding[]): Finding[] {
  let mood: TagKind | undefined;
  return findings.filter(({ kind, turn, firstWord }) => {
    if (!kind.startsWith("mood.")) return true;
    // What a turn ends with is what stays of it.
    if (
      findings.some(
        (other) => other.turn === turn && other.kind.startsWith("mood.") && other.firstWord > firstWord,
      )
    )
      return false;
    const turns = kind !== mood;
    mood = kind;
    return turns;
  });
}
