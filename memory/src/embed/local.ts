// The embedder that needs nothing: hashed features of the words, the same on every machine. docs/memory-search.md says what it can and cannot do.
import { CONCEPT_NAMES, conceptsOf, ENTRY_WORDS_MAX, opensConcept } from "./concepts";
import { type Embedder, unit } from "./embedder";
import { type TextWord, wordsOf } from "./words";

/** Numbers of a vector: one for each concept, the others for hashed words. */
export const LOCAL_DIMS = 256;
const HASHED_DIMS = LOCAL_DIMS - CONCEPT_NAMES.length;

/** It knows little more than the words themselves: it helps where they differ, and must not outvote them. */
const LOCAL_WEIGHT = 0.3;

/** How much each kind of feature counts. */
const WEIGHTS = { word: 1, common: 0.08, pair: 0.4, letters: 0.15, concept: 1.2 };
const LETTERS = 4;
/** Of a text so many characters are read. */
const CHARACTERS_MAX = 20_000;
/** So many texts are done before others get a turn. */
const TEXTS_AT_ONCE = 50;

/** @returns the embedder `local/1`: deterministic, no network, no model */
export function localEmbedder(): Embedder {
  return {
    name: "local/1",
    dims: LOCAL_DIMS,
    weight: LOCAL_WEIGHT,
    async embed(texts, signal) {
      const vectors: Float32Array[] = [];
      for (const [place, text] of texts.entries()) {
        if (place % TEXTS_AT_ONCE === TEXTS_AT_ONCE - 1) await new Promise(setImmediate);
        signal.throwIfAborted();
        vectors.push(localVector(text));
      }
      return vectors;
    },
  };
}

/** @returns the text's vector */
export function localVector(text: string): Float32Array {
  const words = wordsOf(text.slice(0, CHARACTERS_MAX));
  const vector = new Float32Array(LOCAL_DIMS);
  for (const [feature, count] of hashedFeatures(words)) {
    const hash = hashOf(feature);
    // What is said ten times does not count ten times.
    const value = weightOf(feature) * Math.sqrt(count);
    vector[CONCEPT_NAMES.length + (hash % HASHED_DIMS)] += hash & 0x8000_0000 ? value : -value;
  }
  for (const [place, count] of conceptCounts(words)) vector[place] += WEIGHTS.concept * Math.sqrt(count);
  return unit(vector);
}

/** Features by their name, of which the first letter says the kind, and how often each is there. */
function hashedFeatures(words: readonly TextWord[]): Map<string, number> {
  const counts = new Map<string, number>();
  const add = (feature: string) => counts.set(feature, (counts.get(feature) ?? 0) + 1);
  let before: TextWord | undefined;
  for (const word of words) {
    add(`${word.common ? "c" : "w"}${word.stem}`);
    if (!word.common) for (const letters of lettersOf(word.stem)) add(`l${letters}`);
    if (before !== undefined && !(before.common && word.common)) add(`p${before.stem} ${word.stem}`);
    before = word;
  }
  return counts;
}

function weightOf(feature: string): number {
  if (feature.startsWith("w")) return WEIGHTS.word;
  if (feature.startsWith("c")) return WEIGHTS.common;
  return feature.startsWith("p") ? WEIGHTS.pair : WEIGHTS.letters;
}

/** Runs of letters: words that are misheard, or put together, still share some. */
function lettersOf(stem: string): string[] {
  const padded = `^${stem}$`;
  const runs: string[] = [];
  for (let at = 0; at + LETTERS <= padded.length; at++) runs.push(padded.slice(at, at + LETTERS));
  return runs;
}

/** How often each concept is named, by its place. */
export function conceptCounts(words: readonly TextWord[]): Map<number, number> {
  const counts = new Map<number, number>();
  for (const { concepts } of conceptSpans(words))
    for (const place of concepts) counts.set(place, (counts.get(place) ?? 0) + 1);
  return counts;
}

/** Words that name concepts. */
export interface ConceptSpan {
  /** Places of the first and the last word. */
  first: number;
  last: number;
  concepts: readonly number[];
}

/** @returns every run of words that names a concept; the longest where one lies in another */
export function conceptSpans(words: readonly TextWord[]): ConceptSpan[] {
  const spans: ConceptSpan[] = [];
  for (let first = 0; first < words.length; ) {
    const span = longestAt(words, first);
    if (span !== undefined) spans.push(span);
    first = (span?.last ?? first) + 1;
  }
  return spans;
}

function longestAt(words: readonly TextWord[], first: number): ConceptSpan | undefined {
  if (!opensConcept(words[first].stem)) return undefined;
  for (let length = Math.min(ENTRY_WORDS_MAX, words.length - first); length > 0; length--) {
    const concepts = conceptsOf(words.slice(first, first + length).map(({ stem }) => stem));
    if (concepts.length > 0) return { first, last: first + length - 1, concepts };
  }
  return undefined;
}

/** FNV-1a over UTF-16 units, with a last mixing, as its low digits alone are poor. */
function hashOf(text: string): number {
  let hash = 0x811c_9dc5;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x0100_0193);
  hash ^= hash >>> 16;
  hash = Math.imul(hash, 0x85eb_ca6b);
  hash ^= hash >>> 13;
  return hash >>> 0;
}
