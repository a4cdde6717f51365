// What a user should know about a phrase before relying on it, in plain words.

import { missedAt } from "./calibrate";
import { phoneDistance, spell } from "./phones";
import type { ListedPhrase } from "./phrase-list";

/** Below this many phones a phrase sounds like too much else. */
const PHONES_FEW = 8;
/** Above this share of missed utterances the threshold is too high to be of use. */
const MISSED_MANY = 0.25;
/** Phrases that differ by less than this share of their phones are taken for each other. */
const ALIKE_SHARE = 0.3;

/** @param others the other phrases of the list @returns sentences, none when there is nothing to say */
export function adviceOn(phrase: ListedPhrase, others: ListedPhrase[]): string[] {
  const advice: string[] = [];
  const shortest = Math.min(...phrase.pronunciations.map((phones) => phones.length));
  const missed = missedAt(phrase.threshold);
  const ofTen = Math.round(missed * 10);
  if (shortest < PHONES_FEW)
    advice.push(
      `"${phrase.text}" is too short (${shortest} phones): much else sounds like it. Listen for a longer phrase that holds it, of ${PHONES_FEW} phones or better 12.`,
    );
  else if (missed > MISSED_MANY)
    advice.push(
      `"${phrase.text}" is too common in ordinary talk: to keep to ${phrase.falseAlarmsPerHour} false alarms an hour, about ${ofTen} of 10 utterances will be missed. Choose a longer phrase, or allow more false alarms.`,
    );
  for (const other of others) {
    const alike = phrase.pronunciations.some((phones) =>
      other.pronunciations.some(
        (theirs) => phoneDistance(phones, theirs) < ALIKE_SHARE * Math.min(phones.length, theirs.length),
      ),
    );
    const within = other.pronunciations.some((theirs) =>
      phrase.pronunciations.some((phones) => theirs !== phones && theirs.includes(phones)),
    );
    if (alike)
      advice.push(
        `"${phrase.text}" and "${other.text}" sound alike; each will be taken for the other at times.`,
      );
    else if (within)
      advice.push(
        `"${phrase.text}" is part of "${other.text}": whoever says that may be heard as saying this.`,
      );
  }
  return advice;
}

/** @returns a line for each pronunciation: the phones, as the CMU dictionary writes them */
export function spelledOut(phrase: ListedPhrase): string[] {
  return phrase.pronunciations.map((phones) => spell(phones).toUpperCase());
}
