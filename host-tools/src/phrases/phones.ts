// Phones as lists of names and in the badge's form, and how alike two pronunciations are.
import { PHONE_NAMES, phoneCharacter } from "@salestag/protocol";

/** Names of the classes by number; 0 is silence. */
export const PHONES = PHONE_NAMES.split(" ");

/** @returns a pronunciation in the badge's form, one character for each phone */
export function encodePhones(phones: string[]): string {
  return phones.map((phone) => phoneCharacter(PHONES.indexOf(phone))).join("");
}

/** @returns the phones of a pronunciation in the badge's form, separated by spaces */
export function spell(pronunciation: string): string {
  return [...pronunciation].map((character) => PHONES[character.charCodeAt(0) - 64]).join(" ");
}

/** Number of phones to insert, delete or change to make one into the other. */
export function phoneDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++)
      next.push(Math.min(next[j - 1] + 1, row[j] + 1, row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1)));
    row = next;
  }
  return row[b.length];
}
