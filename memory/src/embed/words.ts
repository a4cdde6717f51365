// Words of a text as search and the local embedder see them: folded, without punctuation, each with its stem, its place and whether it says anything.
import { stemmer } from "stemmer";

/** One word of a text. */
export interface TextWord {
  stem: string;
  /** Place of its first character in the text, and of the one after its last. */
  start: number;
  end: number;
  /** It says little by itself: "the", "would", "okay". */
  common: boolean;
}

/** A longer word is noise. */
const WORD_CHARACTERS_MAX = 40;
const WORD = /[\p{L}\p{N}]+(?:['’][\p{L}]+)*/gu;

/** What every talk is full of. */
const COMMON = new Set(
  `a about actually after again all also am an and any anything are as at back be because been before being bit but by bye can come could day did do does
  doing don done each else even every fine for from get getting go going gone good got had has have having he hello her here hey hi him his how i if in into
  is it its just kind know let like little ll look lot m make maybe me mean more most much my no not now of off oh ok okay on one only or other our out over
  own people please put re really right s said same say see she should so some something sort still such sure t take tell than thank thanks that the their
  them then there these they thing things think this those through time to today too uh um up us use ve very want was way we well were what when where which
  who why will with would yeah yes yet you your`.split(/\s+/),
);

/** @returns the text's words, in order */
export function wordsOf(text: string): TextWord[] {
  const words: TextWord[] = [];
  for (const match of text.matchAll(WORD)) {
    const word = fold(match[0]);
    if (word.length > WORD_CHARACTERS_MAX) continue;
    const start = match.index;
    words.push({
      stem: stemOf(word),
      start,
      end: start + match[0].length,
      common: COMMON.has(word) || COMMON.has(word.split("'")[0]),
    });
  }
  return words;
}

/** @returns the text in lower case, without accents, with plain apostrophes */
function fold(text: string): string {
  return text.normalize("NFKD").replace(/\p{M}/gu, "").replaceAll("’", "'").toLowerCase();
}

const STEMS_KEPT_MAX = 50_000;
const stems = new Map<string, string>();

/** The same words come again and again. */
function stemOf(word: string): string {
  const known = stems.get(word);
  if (known !== undefined) return known;
  const stem = stemmer(word.replace(/'(s|ll|ve|re|d|m)$/, ""));
  if (stems.size >= STEMS_KEPT_MAX) stems.clear();
  stems.set(word, stem);
  return stem;
}
