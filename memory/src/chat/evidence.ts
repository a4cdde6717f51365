// Whether a turn has the words that a model quotes from it. Compared word by word, without case, accents and punctuation.
import type { Turn } from "../model/transcript";

/** @returns places of the quote's first and last word in the turn, undefined where it does not occur */
export function findQuote(turn: Turn, quote: string): { firstWord: number; lastWord: number } | undefined {
  const wanted = quote
    .split(/\s+/)
    .map(plain)
    .filter((word) => word !== "");
  if (wanted.length === 0) return undefined;
  // A word of the turn that is punctuation alone is stepped over.
  const said = turn.words
    .map(({ text }, place) => ({ word: plain(text), place }))
    .filter(({ word }) => word !== "");
  for (let at = 0; at + wanted.length <= said.length; at++)
    if (wanted.every((word, index) => said[at + index].word === word))
      return { firstWord: said[at].place, lastWord: said[at + wanted.length - 1].place };
  return undefined;
}

function plain(word: string): string {
  return word
    .normalize("NFKD")
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, "");
}
