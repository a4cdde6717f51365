// A turn's words as tokens that rules match on: folded, contractions taken apart ("don't" is `do` `not`), each with its stem, its sentence and its clause.
import type { Word } from "../model/transcript";
import { isCapital, isName } from "./names";
import { isMoney, isNumber } from "./numbers";
import { stem } from "./stem";

/** A part of a word that a pattern can match. Several may come from one word. */
export interface Token {
  /** Lower case, without punctuation. */
  text: string;
  stem: string;
  /** What a pattern that begins here can begin with: its stem, and "#", "@" or "@@" where it is such a thing (pattern.ts). */
  keys: readonly string[];
  /** Place of the word in the turn. */
  word: number;
  /** From 0. A sentence ends with . ! or ? */
  sentence: number;
  /** Somebody's or something's own name: it has a capital within the sentence. */
  name: boolean;
  /** It has a capital within the sentence: some person's, place's or company's name. */
  capital: boolean;
  /** From 0 over the whole turn. A comma, a colon, "but" or "because" ends a clause, and every end of a sentence. */
  clause: number;
}

/** A turn's tokens, and which of its sentences are questions. */
export interface TokenizedTurn {
  tokens: Token[];
  /** For each sentence. */
  questions: boolean[];
}

/** Sounds that say nothing; a rule need not step over them. */
const FILLERS = new Set(["um", "uh", "er", "erm", "uhm", "mm", "ah", "eh"]);
const CLAUSE_OPENERS = new Set(["but", "because", "although", "though", "cause"]);
/** Written as one word, said as several. */
const WHOLE: Record<string, string> = {
  "won't": "will not",
  "can't": "can not",
  cannot: "can not",
  "ain't": "is not",
  "shan't": "shall not",
  wont: "will not",
  cant: "can not",
  dont: "do not",
  didnt: "did not",
  doesnt: "does not",
  isnt: "is not",
  wouldnt: "would not",
  gonna: "going to",
  wanna: "want to",
  gotta: "got to",
  kinda: "kind of",
  dunno: "do not know",
  lemme: "let me",
  gimme: "give me",
  "let's": "let us",
  ok: "okay",
  alright: "all right",
  im: "i am",
  ive: "i have",
  thats: "that is",
};
const ENDINGS: [string, string][] = [
  ["n't", "not"],
  ["'re", "are"],
  ["'ve", "have"],
  ["'ll", "will"],
  ["'d", "would"],
  ["'m", "am"],
];
/** After these, 's is "is"; after any other word it shows whose. */
const IS_AFTER = new Set(
  "it he she that this there here what who where when how why everything nothing something everyone nobody one".split(
    " ",
  ),
);
const QUESTION_OPENERS = new Set(
  "what who where when why how which do does did is are was were can could would will should shall have has".split(
    " ",
  ),
);

/** @returns the text in lower case, without accents, with plain apostrophes */
export function fold(text: string): string {
  return text
    .normalize("NFKD")
    .replace(/\p{M}/gu, "")
    .replace(/[’‘`´]/g, "'")
    .toLowerCase();
}

/** @returns the parts of one written word, contractions taken apart */
export function partsOf(text: string): string[] {
  return fold(text)
    .split(/[^\p{L}\p{N}'$€£%.,]+/u)
    .map((part) => part.replace(/^['.,]+|['.,]+$/g, ""))
    .filter((part) => part !== "")
    .flatMap(expand);
}

function expand(part: string): string[] {
  if (Object.hasOwn(WHOLE, part)) return WHOLE[part].split(" ");
  for (const [ending, word] of ENDINGS)
    if (part.endsWith(ending) && part.length > ending.length) return [part.slice(0, -ending.length), word];
  if (part.endsWith("'s")) {
    const before = part.slice(0, -2);
    return IS_AFTER.has(before) ? [before, "is"] : [before];
  }
  return [part.replaceAll("'", "")];
}

function read(text: string, name: boolean, capital: boolean) {
  const stemmed = stem(text);
  const keys = [stemmed];
  if (isMoney(text, undefined) || isNumber(text)) keys.push("#");
  if (name) keys.push("@");
  if (capital) keys.push("@@");
  return { text, stem: stemmed, keys };
}

/** @returns tokens in the order of the words */
export function tokenize(words: readonly Word[]): TokenizedTurn {
  const tokens: Token[] = [];
  const questions: boolean[] = [];
  let sentence = 0;
  let clause = 0;
  let opener = "";
  for (const [place, { text }] of words.entries()) {
    const first = opener === "";
    for (const [index, part] of partsOf(text).entries()) {
      if (FILLERS.has(part)) continue;
      if (CLAUSE_OPENERS.has(part)) clause++;
      const name = index === 0 && isName(text, part, first, words[place + 1]?.text);
      const capital = index === 0 && !first && isCapital(text, part);
      tokens.push({ ...read(part, name, capital), word: place, sentence, clause, name, capital });
      if (opener === "") opener = part;
    }
    const end = /[.!?…]["')]*$/.exec(text);
    if (end !== null) {
      questions[sentence] = end[0].startsWith("?");
      sentence++;
      opener = "";
    }
    if (end !== null || /[,;:]["')]*$|^[–—-]+$|[–—]$/.test(text)) clause++;
  }
  // Transcribers leave the last mark out at times: the first word then tells.
  if (opener !== "") questions[sentence] = QUESTION_OPENERS.has(opener);
  return { tokens, questions };
}
