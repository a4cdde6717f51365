// A customer who insists: says again what the rep passed over ("But the leak.", "I said Friday."). It shows twice: the turn means what the earlier one
// meant, and the rep's turn in between did not take it up.
import type { TagKind } from "../model/taxonomy";
import { CLASSES } from "./classes";
import { COMPUTED } from "./computed";
import type { Finding, ReadTurn } from "./engine";
import { contentOf } from "./passing-over";
import { occurs, PatternReader } from "./pattern";

/** A turn, or a sentence of it, that is no longer than this is short enough for a repetition. */
const SHORT = 5;
const reader = new PatternReader(CLASSES);
const INSISTS = [
  "^ (i|we) (said|asked|meant|mean) !(no|yes|not)",
  "(did you|do you|can you|are you|is he|is she) (even)? (hear|hearing|listen|listening)",
  "never mind",
  "^^ but (the|my|our|like)",
].map((source) => reader.read(source));

/** That a turn says again what an earlier turn of the same speaker said. */
export interface Repetition {
  /** Place of the turn that insists. */
  place: number;
  /** Place of the turn of the rep that passed it over. */
  passedOver: number;
  /** What the earlier turn meant. */
  meant: Finding;
}

/** @returns every place where a customer says an objection or a signal again, the rep having spoken of something else */
export function repetitions(turns: readonly ReadTurn[], findings: readonly Finding[]): Repetition[] {
  return turns.flatMap((turn, place) => {
    const rep = turns[place - 1];
    const earlier = turns[place - 2];
    if (earlier?.turn.speaker !== "other" || turn.turn.speaker !== "other" || rep.turn.speaker !== "rep")
      return [];
    const meant = findings.find(
      (finding) => finding.turn === place - 2 && /^(objection|signal)\./.test(finding.kind),
    );
    if (meant === undefined || !insists(turn, rep, earlier)) return [];
    return [{ place, passedOver: place - 1, meant }];
  });
}

function insists(turn: ReadTurn, rep: ReadTurn, earlier: ReadTurn): boolean {
  const before = contentOf(earlier.tokens);
  const between = contentOf(rep.tokens);
  const again = [...contentOf(turn.tokens)].filter((stem) => before.has(stem) && !between.has(stem));
  const says = INSISTS.some((pattern) => occurs(pattern, turn.tokens));
  if (rep.tokens.length < 4) return false;
  if (says && turn.tokens.length <= SHORT * 4) return true;
  return (
    again.length > 0 &&
    sentencesOf(turn).some((sentence) => sentence <= SHORT) &&
    turn.tokens.length <= SHORT * 3
  );
}

/** Lengths in tokens. */
function sentencesOf({ tokens }: ReadTurn): number[] {
  const lengths = new Map<number, number>();
  for (const { sentence } of tokens) lengths.set(sentence, (lengths.get(sentence) ?? 0) + 1);
  return [...lengths.values()];
}

/** @returns that the turns mean again what was meant before, where nothing else of the kind's family is found on them */
export function meantAgain(
  found: readonly Repetition[],
  findings: readonly Finding[],
  turns: readonly ReadTurn[],
): Finding[] {
  return found.flatMap(({ place, meant }) => {
    const family = meant.kind.split(".")[0];
    if (findings.some(({ turn, kind }) => turn === place && kind.startsWith(family))) return [];
    const { words } = turns[place].turn;
    const kind: TagKind = meant.kind;
    const reason = COMPUTED["says-again"];
    return [
      {
        kind,
        rule: "rules/says-again",
        reason,
        confidence: 0.6,
        turn: place,
        firstWord: 0,
        lastWord: words.length - 1,
      },
    ];
  });
}
