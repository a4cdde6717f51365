// Turning points: where a customer's feeling clearly changes. The rules in rules/moods.ts know phrases; here strong words of feeling tell, when they come
// after turns that sounded otherwise.
import { COMPUTED } from "./computed";
import type { Finding, ReadTurn } from "./engine";
import { type Feeling, feelingsOf, sentimentOf } from "./sentiment";

/** A word of feeling this strong can carry a turning point by itself. */
const STRONG = 2.4;
const CHANGE_MIN = 0.3;

/** @returns turning points that strong words show, at most one of each direction after another */
export function turningPoints(turns: readonly ReadTurn[]): Finding[] {
  const findings: Finding[] = [];
  const heard: number[] = [];
  for (const turn of turns) {
    if (turn.turn.speaker === "rep" || turn.tokens.length === 0) continue;
    const value = sentimentOf(turn);
    const usual = heard.length === 0 ? undefined : heard.reduce((sum, one) => sum + one, 0) / heard.length;
    heard.push(value);
    if (usual === undefined) continue;
    const feelings = feelingsOf(turn);
    const up = feelings.find(({ weight }) => weight >= STRONG);
    const down = feelings.find(({ weight }) => weight <= -STRONG);
    if (up !== undefined && value - usual >= CHANGE_MIN) findings.push(pointAt(turn, up, "up"));
    else if (down !== undefined && usual - value >= CHANGE_MIN) findings.push(pointAt(turn, down, "down"));
  }
  return findings;
}

function pointAt({ place }: ReadTurn, { firstWord, lastWord }: Feeling, way: "up" | "down"): Finding {
  const name = way === "up" ? "strong-good-word" : "strong-bad-word";
  const kind = way === "up" ? "mood.turn-up" : "mood.turn-down";
  const reason = COMPUTED[name];
  return { kind, rule: `rules/${name}`, reason, confidence: 0.6, turn: place, firstWord, lastWord };
}
