// A key phrase as a badge's settings hold it: a JSON array of text, threshold and pronunciations (docs/phrases.md).
import { FormatError } from "./errors";
import { phoneClassAt } from "./phones";

/** Most phrases of one badge. */
export const PHRASES_MAX = 32;
/** Most phones of all pronunciations of all phrases together: what the badge's heap and processor have room for. */
export const PHRASE_PHONES_TOTAL_MAX = 400;
/** Longest text, in characters. */
export const PHRASE_TEXT_MAX = 40;
/** Fewest and most phones of a pronunciation. */
export const PRONUNCIATION_PHONES_MIN = 3;
export const PRONUNCIATION_PHONES_MAX = 40;
/** Most pronunciations of a phrase. */
export const PRONUNCIATIONS_MAX = 6;
/** Lowest threshold, 1/1024 nat; the highest is 0. */
export const PHRASE_THRESHOLD_MIN = -6144;

/** A phrase to listen for. */
export interface Phrase {
  /** What an event says. */
  text: string;
  /** 1/1024 nat; a score above it is a hit. */
  threshold: number;
  /** One character for each phone (phones.ts). */
  pronunciations: string[];
}

/** @returns the setting's value for a phrase */
export function phraseSetting(phrase: Phrase): (string | number)[] {
  const fields: (string | number)[] = [phrase.text, phrase.threshold];
  for (const pronunciation of phrase.pronunciations) fields.push(pronunciation);
  return fields;
}

/**
 * @param value a setting's value, parsed from JSON
 * @throws FormatError with a sentence when it is not a phrase within the limits
 */
export function readPhrase(value: unknown): Phrase {
  if (!Array.isArray(value))
    throw new FormatError("a phrase is an array of text, threshold and pronunciations");
  const fields = value as unknown[];
  const text = fields[0];
  const threshold = fields[1];
  if (typeof text !== "string" || text.length < 1 || text.length > PHRASE_TEXT_MAX)
    throw new FormatError(`a phrase's text has 1 to ${PHRASE_TEXT_MAX} characters`);
  if (
    typeof threshold !== "number" ||
    threshold < PHRASE_THRESHOLD_MIN ||
    threshold > 0 ||
    threshold !== Math.floor(threshold)
  )
    throw new FormatError(`the threshold of "${text}" is no whole number from ${PHRASE_THRESHOLD_MIN} to 0`);
  const count = fields.length - 2;
  if (count < 1 || count > PRONUNCIATIONS_MAX)
    throw new FormatError(`"${text}" has ${count} pronunciations, not 1 to ${PRONUNCIATIONS_MAX}`);
  const pronunciations: string[] = [];
  for (let i = 2; i < fields.length; i++) pronunciations.push(readPronunciation(text, fields[i]));
  return { text, threshold, pronunciations };
}

function readPronunciation(text: string, field: unknown): string {
  if (
    typeof field !== "string" ||
    field.length < PRONUNCIATION_PHONES_MIN ||
    field.length > PRONUNCIATION_PHONES_MAX
  )
    throw new FormatError(
      `a pronunciation of "${text}" does not have ${PRONUNCIATION_PHONES_MIN} to ${PRONUNCIATION_PHONES_MAX} phones`,
    );
  for (let i = 0; i < field.length; i++)
    if (phoneClassAt(field, i) === 0)
      throw new FormatError(`a pronunciation of "${text}" has a character that is no phone at ${i}`);
  return field;
}
