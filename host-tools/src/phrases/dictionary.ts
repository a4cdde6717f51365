// Words to phones: the CMU pronouncing dictionary, then compounds of its words, then a guess from the spelling.
import { dictionary } from "cmu-pronouncing-dictionary";
import { LetterToSound, type Spoken } from "./letter-to-sound";

/** Where a pronunciation comes from. */
export type Source = "dictionary" | "compound" | "spelling";

export interface WordSounds {
  word: string;
  source: Source;
  /** Each a list of phones in lower case without stress, the most usual first. */
  pronunciations: string[][];
}

const VARIANTS_MAX = 4;
/** Every so many words of the dictionary teach the spelling. */
const TEACHING_STEP = 6;
const COMPOUND_PART_LETTERS_MIN = 3;

let spelling: LetterToSound | undefined;

function phonesOf(entry: string): string[] {
  return entry.toLowerCase().replace(/[0-2]/g, "").split(" ");
}

/** @returns the dictionary's pronunciations of a word, none if it is not there */
function entriesOf(word: string): string[][] {
  const entries = [dictionary[word]];
  for (let variant = 2; variant <= VARIANTS_MAX; variant++) entries.push(dictionary[`${word}(${variant})`]);
  const found = entries.filter((entry) => entry !== undefined).map(phonesOf);
  return found.filter((phones, i) => found.findIndex((other) => other.join() === phones.join()) === i);
}

/** The two dictionary words that make up a compound, the most even cut first. */
function compoundOf(word: string): string[][] {
  const cuts = Array.from({ length: word.length }, (_, cut) => cut)
    .filter((cut) => cut >= COMPOUND_PART_LETTERS_MIN && word.length - cut >= COMPOUND_PART_LETTERS_MIN)
    .sort((a, b) => Math.abs(2 * a - word.length) - Math.abs(2 * b - word.length));
  for (const cut of cuts) {
    const [first] = entriesOf(word.slice(0, cut));
    const [second] = entriesOf(word.slice(cut));
    if (first !== undefined && second !== undefined) return [[...first, ...second]];
  }
  return [];
}

/** Words of the dictionary that are spelled with letters alone, one of `step`, from `first` on. */
export function dictionaryWords(step: number, first = 0): Spoken[] {
  return Object.entries(dictionary)
    .filter(([word], i) => i % step === first && /^[a-z]{2,14}$/.test(word))
    .map(([word, entry]) => [word, phonesOf(entry)]);
}

/** @param word letters a to z and apostrophes, lower case @returns how it sounds; no pronunciations when nothing can be said */
export function soundsOf(word: string): WordSounds {
  const entries = entriesOf(word);
  if (entries.length > 0) return { word, source: "dictionary", pronunciations: entries };
  const letters = word.replace(/'/g, "");
  const compound = compoundOf(letters);
  if (compound.length > 0) return { word, source: "compound", pronunciations: compound };
  spelling ??= new LetterToSound(dictionaryWords(TEACHING_STEP));
  const guess = spelling.guess(letters);
  return { word, source: "spelling", pronunciations: guess.length > 0 ? [guess] : [] };
}
