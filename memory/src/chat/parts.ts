// Cuts a long transcript into parts that overlap, so that a model sees each turn with some of what was said before it.
import type { Transcript, Turn } from "../model/transcript";

/** A turn with its place in the transcript. */
export interface PlacedTurn {
  place: number;
  turn: Turn;
}

/**
 * @param wordsMax words of a part; one turn that has more is a part by itself
 * @param overlapTurns turns that a part takes over from the one before it
 * @returns parts of turns with words, in order
 */
export function partsOfTalk({ turns }: Transcript, wordsMax: number, overlapTurns: number): PlacedTurn[][] {
  const spoken = turns.map((turn, place) => ({ place, turn })).filter(({ turn }) => turn.words.length > 0);
  const parts: PlacedTurn[][] = [];
  let start = 0;
  while (start < spoken.length) {
    const end = endOf(spoken, start, wordsMax);
    parts.push(spoken.slice(start, end));
    if (end === spoken.length) break;
    start = Math.max(start + 1, end - overlapTurns);
  }
  return parts;
}

/** @returns the place after the last turn that fits, at least one turn on */
function endOf(spoken: readonly PlacedTurn[], start: number, wordsMax: number): number {
  let words = 0;
  for (let end = start; end < spoken.length; end++) {
    words += spoken[end].turn.words.length;
    if (words > wordsMax && end > start) return end;
  }
  return spoken.length;
}
