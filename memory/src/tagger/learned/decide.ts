// Makes findings of what was learned and of what the rules say: the likelihood of the second pass, which knows the rules' findings, decides; the rule's words
// are the evidence where a rule found the same, else those of the unit that sounds most like it.
import type { Finding } from "../engine";
import { mostAlike } from "./examples";
import { kindsOf, LEARNED_KINDS } from "./kinds";
import type { Judged, Model } from "./model";
import type { LearnedTalk } from "./talk";

/** Where the badge could not tell who spoke. */
const UNSURE_FACTOR = 0.7;
const CONFIDENCE_MIN = 0.05;

/** @returns what is found; kinds that are not learned stay as the rules have them */
export function decide(
  { thresholds, examples }: Pick<Model, "thresholds" | "examples">,
  talk: LearnedTalk,
  judged: Judged,
): Finding[] {
  const counted = talk.ruled.filter(({ kind }) => !LEARNED_KINDS.includes(kind));
  const found = talk.turns.flatMap(({ turn }, place) => {
    const { from, to } = kindsOf(turn.speaker);
    return LEARNED_KINDS.slice(from, to).flatMap((kind, at): Finding[] => {
      const likelihood = judged.turns[place][from + at];
      if (likelihood < thresholds[from + at]) return [];
      const confidence = Math.max(
        CONFIDENCE_MIN,
        likelihood * (turn.speaker === "unsure" ? UNSURE_FACTOR : 1),
      );
      const rule = talk.ruled.find((finding) => finding.turn === place && finding.kind === kind);
      if (rule !== undefined) return [{ ...rule, confidence }];
      return learnedFinding({ talk, judged, examples }, place, from + at, confidence);
    });
  });
  return [...found, ...counted].sort(
    (one, other) => one.turn - other.turn || one.firstWord - other.firstWord,
  );
}

function learnedFinding(
  { talk, judged, examples }: { talk: LearnedTalk; judged: Judged } & Pick<Model, "examples">,
  turn: number,
  kind: number,
  confidence: number,
): Finding[] {
  const unit = likeliestUnit(talk, judged, turn, kind);
  if (unit < 0) return [];
  const { firstWord, lastWord } = talk.units[unit];
  const example = mostAlike(examples, kind, talk.unitVectors[unit]);
  const reason =
    example === undefined
      ? "It was learned from the labelled talks."
      : `Like "${example.text}" in the labelled talks.`;
  const name = LEARNED_KINDS[kind];
  return [{ kind: name, rule: `learned/${name}`, reason, confidence, turn, firstWord, lastWord }];
}

function likeliestUnit(talk: LearnedTalk, { units }: Judged, turn: number, kind: number): number {
  let likeliest = -1;
  for (const [place, unit] of talk.units.entries()) {
    if (unit.turn !== turn) continue;
    // Of equal ones the shorter: a sentence comes before its clauses.
    if (likeliest < 0 || units[place][kind] >= units[likeliest][kind]) likeliest = place;
  }
  return likeliest;
}
