// From words to a phrase that a badge can listen for: how it sounds, and the threshold that keeps its false alarms to what is allowed.
import { ExitCode, ToolError } from "@salestag/protocol/team";
import { storedBackground } from "./background";
import { calibrate } from "./calibrate";
import type { WordSounds } from "./dictionary";
import { encodePhones } from "./phones";
import { CATEGORIES, type Category, type ListedPhrase } from "./phrase-list";
import { normalise } from "./phrase-text";
import { pronounce, readSaid } from "./pronounce";
import { readSet } from "./sets";

export interface PhraseWishes {
  category: string;
  falseAlarmsPerHour: number;
  /** How it sounds, once for each way, instead of what the dictionary says. */
  say?: string[];
}

/** @returns the phrase, and where the sounds of its words come from. @throws ToolError when it cannot be listened for */
export function makePhrase(
  text: string,
  { category, falseAlarmsPerHour, say }: PhraseWishes,
): { phrase: ListedPhrase; words: WordSounds[] } {
  if (!CATEGORIES.includes(category as Category))
    throw new ToolError(ExitCode.Usage, `'${category}' is no category; there are ${CATEGORIES.join(", ")}.`);
  const clean = normalise(text);
  const sounds =
    say === undefined
      ? pronounce(clean)
      : { words: [], pronunciations: say.map((phones) => readSaid(clean, phones)) };
  const pronunciations = sounds.pronunciations.map(encodePhones);
  const { threshold } = calibrate(pronunciations, storedBackground(), falseAlarmsPerHour);
  const phrase = {
    text: clean,
    category: category as Category,
    falseAlarmsPerHour,
    threshold,
    pronunciations,
  };
  return { phrase, words: sounds.words };
}

/** @returns the phrases of a ready set. @throws ToolError when there is no set of that name */
export function phrasesOfSet(name: string, falseAlarmsPerHour: number): ListedPhrase[] {
  return readSet(name).phrases.map(
    ([text, category]) => makePhrase(text, { category, falseAlarmsPerHour }).phrase,
  );
}
