// What the rules say of a talk: what each of them matches, and what is left of that when the talk is looked at as a whole.
import { coach } from "./coaching";
import { type Engine, type Finding, type ReadTurn, surest } from "./engine";
import { meantAgain, repetitions } from "./insistence";
import { turningPoints } from "./mood";
import { inPieces } from "./pieces";
import { settle } from "./settle";

export interface Ruled {
  /** Matches of rules, before anything else is looked at. */
  hits: Finding[];
  /** What the rules say in the end: of each kind one on a turn, in order of their words. */
  ruled: Finding[];
}

/** Turns of a piece: some 20 ms. */
const PIECE = 20;

/** @throws the signal's reason when it is aborted */
export async function ruledOf(
  engine: Engine,
  turns: readonly ReadTurn[],
  signal?: AbortSignal,
): Promise<Ruled> {
  const found = await inPieces(turns, PIECE, (_, place) => engine.find(turns, place), signal);
  const hits = [...found.flat(), ...turningPoints(turns)];
  const firm = settle(turns, byTurn(hits));
  const settled = byTurn([...firm, ...meantAgain(repetitions(turns, firm), firm, turns)]);
  return { hits, ruled: byTurn([...settled, ...coach(turns, settled)]) };
}

/** The surest of each kind on each turn, in order of their words. */
export function byTurn(findings: readonly Finding[]): Finding[] {
  const turns = new Map<number, Finding[]>();
  for (const finding of findings) {
    const list = turns.get(finding.turn) ?? [];
    list.push(finding);
    turns.set(finding.turn, list);
  }
  return [...turns.values()]
    .flatMap(surest)
    .sort((one, other) => one.turn - other.turn || one.firstWord - other.firstWord);
}
