// From a phrase to the pronunciations that a badge listens for.
import { PRONUNCIATION_PHONES_MAX, PRONUNCIATION_PHONES_MIN } from "@salestag/protocol";
import { ExitCode, ToolError } from "@salestag/protocol/team";
import { soundsOf, type WordSounds } from "./dictionary";
import { encodePhones, PHONES, phoneDistance } from "./phones";

/** How a phrase sounds. */
export interface Sounds {
  words: WordSounds[];
  /** Each a list of phones, the most usual first. */
  pronunciations: string[][];
}

const VOWELS = new Set("aa ae ah ao aw ay eh er ey ih iy ow oy uh uw".split(" "));
/** More would cost the badge more than they find. */
const PRONUNCIATIONS_MADE_MAX = 2;
/** In a longer phrase one phone more or less decides nothing. */
const FLAP_PHONES_MAX = 9;

/** A t between vowels, as Americans say it in "water": heard as d. Undefined where nothing changes, or too little to matter. */
function flapped(phones: string[]): string[] | undefined {
  if (phones.length > FLAP_PHONES_MAX) return undefined;
  const changed = phones.map((phone, i) =>
    phone === "t" && VOWELS.has(phones[i - 1]) && ["er", "ah", "ih", "iy", "ow"].includes(phones[i + 1])
      ? "d"
      : phone,
  );
  return changed.join() === phones.join() ? undefined : changed;
}

/** Ways to say a word that are worth a place of their own: a way that differs by one phone is found by the usual one. */
function different(pronunciations: string[][]): string[][] {
  const [usual, ...others] = pronunciations;
  return [usual, ...others.filter((other) => phoneDistance(encodePhones(other), encodePhones(usual)) > 1)];
}

/** All ways to say the words one after the other, the most usual first. */
function combine(words: WordSounds[]): string[][] {
  let ways: { phones: string[]; rank: number }[] = [{ phones: [], rank: 0 }];
  for (const { pronunciations } of words)
    ways = ways
      .flatMap(({ phones, rank }) =>
        different(pronunciations).map((more, i) => ({ phones: [...phones, ...more], rank: rank + i })),
      )
      .sort((a, b) => a.rank - b.rank)
      .slice(0, PRONUNCIATIONS_MADE_MAX + 1);
  return ways.map(({ phones }) => withoutTwins(phones));
}

/** Two equal phones in a row ("gas sale") are one when spoken. */
function withoutTwins(phones: string[]): string[] {
  return phones.filter((phone, i) => phone !== phones[i - 1]);
}

/** @param text a normalised phrase @throws ToolError when it is too short or too long to be listened for */
export function pronounce(text: string): Sounds {
  const words = text.split(" ").map(soundsOf);
  const mute = words.find(({ pronunciations }) => pronunciations.length === 0);
  if (mute !== undefined)
    throw new ToolError(ExitCode.Usage, `nobody can say "${mute.word}"; tell how it sounds with --say.`);
  const [usual, ...others] = combine(words);
  const candidates = [usual, ...others, flapped(usual)].filter((phones) => phones !== undefined);
  const pronunciations = candidates.slice(0, PRONUNCIATIONS_MADE_MAX);
  for (const phones of pronunciations) checkLength(text, phones);
  return { words, pronunciations };
}

/** @param say phones as the CMU dictionary writes them, stress digits allowed: "T UW1 IH0 K S P EH1 N S IH0 V" */
export function readSaid(text: string, say: string): string[] {
  const phones = say.trim().toLowerCase().replace(/[0-2]/g, "").split(/\s+/);
  const unknown = phones.find((phone) => phone === "sil" || !PHONES.includes(phone));
  if (unknown !== undefined)
    throw new ToolError(
      ExitCode.Usage,
      `'${unknown}' is no phone; the phones are ${PHONES.slice(1).join(" ")}.`,
    );
  checkLength(text, phones);
  return phones;
}

function checkLength(text: string, phones: string[]): void {
  if (phones.length < PRONUNCIATION_PHONES_MIN || phones.length > PRONUNCIATION_PHONES_MAX)
    throw new ToolError(
      ExitCode.Usage,
      `"${text}" has ${phones.length} phones; a badge listens for ${PRONUNCIATION_PHONES_MIN} to ${PRONUNCIATION_PHONES_MAX}.`,
    );
}
