// A team's list of key phrases: one JSON file, from which badges are set up. Version 1:
// { "version": 1, "phrases": [{ text, category, falseAlarmsPerHour, threshold, pronunciations: ["t uw ih k s ...", ...] }] }
import { existsSync, readFileSync } from "node:fs";
import { PHRASE_PHONES_TOTAL_MAX, PHRASES_MAX, phraseSetting, readPhrase } from "@salestag/protocol";
import { ExitCode, messageOf, replaceFile, ToolError } from "@salestag/protocol/team";
import { encodePhones, spell } from "./phones";

export const CATEGORIES = ["objection", "buying signal", "competitor", "consent", "other"] as const;
export type Category = (typeof CATEGORIES)[number];

export interface ListedPhrase {
  text: string;
  category: Category;
  /** What the threshold was found for. */
  falseAlarmsPerHour: number;
  /** 1/1024 nat. */
  threshold: number;
  /** In the badge's form. */
  pronunciations: string[];
}

const VERSION = 1;
/** Most bytes of a phrase's setting: key, a zero and value are below 231 (docs/provisioning.md), whichever number the phrase gets. */
const SETTING_BYTES_MAX = 230 - `phrase${PHRASES_MAX - 1}`.length - 1;
export const FALSE_ALARMS_PER_HOUR_MIN = 0.05;
export const FALSE_ALARMS_PER_HOUR_MAX = 60;

/** @returns the list in a file, empty when there is none yet. @throws ToolError when it is no list */
export function readPhraseList(path: string): ListedPhrase[] {
  if (!existsSync(path)) return [];
  try {
    return parse(JSON.parse(readFileSync(path, "utf8")));
  } catch (cause) {
    if (cause instanceof ToolError) throw cause;
    throw new ToolError(
      ExitCode.Usage,
      `'${path}' is no list of phrases: ${messageOf(cause)}; mend it or name another file.`,
    );
  }
}

function parse(value: unknown): ListedPhrase[] {
  const { version, phrases } = value as { version?: unknown; phrases?: unknown };
  if (version !== VERSION) throw new Error(`its version is ${JSON.stringify(version)}, not ${VERSION}`);
  if (!Array.isArray(phrases)) throw new Error("it has no array 'phrases'");
  return phrases.map((entry: Record<string, unknown>) => {
    const { category, falseAlarmsPerHour, text, threshold, pronunciations } = entry;
    if (!CATEGORIES.includes(category as Category))
      throw new Error(`"${text}" has the category ${JSON.stringify(category)}`);
    if (typeof falseAlarmsPerHour !== "number" || !(falseAlarmsPerHour > 0))
      throw new Error(`"${text}" has no rate of false alarms`);
    if (!Array.isArray(pronunciations)) throw new Error(`"${text}" has no pronunciations`);
    const encoded = pronunciations.map((phones) => encodePhones(String(phones).split(" ")));
    const phrase = readPhrase([text, threshold, ...encoded]);
    return { ...phrase, category: category as Category, falseAlarmsPerHour };
  });
}

/** Replaces the file with this list, whole or not at all. @throws ToolError when it is more than a badge takes */
export function writePhraseList(path: string, phrases: ListedPhrase[]): void {
  checkRoom(phrases);
  const written = phrases.map(({ text, category, falseAlarmsPerHour, threshold, pronunciations }) => ({
    text,
    category,
    falseAlarmsPerHour,
    threshold,
    pronunciations: pronunciations.map(spell),
  }));
  replaceFile(path, `${JSON.stringify({ version: VERSION, phrases: written }, null, 2)}\n`, 0o644);
}

/** @returns the list in a file that is to go into a badge. @throws ToolError when it is empty, or more than a badge takes */
export function readPhrasesForBadge(path: string): ListedPhrase[] {
  const phrases = readPhraseList(path);
  if (phrases.length === 0)
    throw new ToolError(
      ExitCode.Usage,
      `'${path}' has no phrases; add some with 'salestag phrases add' or 'use'.`,
    );
  checkRoom(phrases);
  return phrases;
}

/** @throws ToolError when a badge cannot read one of them, or has no room for all */
function checkRoom(phrases: ListedPhrase[]): void {
  for (const phrase of phrases) checkSetting(phrase);
  if (phrases.length > PHRASES_MAX)
    throw new ToolError(
      ExitCode.Usage,
      `that makes ${phrases.length} phrases; a badge listens for ${PHRASES_MAX} at most: remove some.`,
    );
  const phones = phrases.reduce((sum, { pronunciations }) => sum + pronunciations.join("").length, 0);
  if (phones > PHRASE_PHONES_TOTAL_MAX)
    throw new ToolError(
      ExitCode.Usage,
      `that makes ${phones} phones in all pronunciations; a badge has room for ${PHRASE_PHONES_TOTAL_MAX}: remove phrases, or pronunciations with --say.`,
    );
}

function checkSetting(phrase: ListedPhrase): void {
  const setting = phraseSetting(phrase);
  try {
    readPhrase(setting);
  } catch (cause) {
    throw new ToolError(ExitCode.Usage, `a badge cannot take this phrase: ${messageOf(cause)}.`, { cause });
  }
  const lengthBytes = Buffer.byteLength(JSON.stringify(setting));
  if (lengthBytes > SETTING_BYTES_MAX)
    throw new ToolError(
      ExitCode.Usage,
      `"${phrase.text}" takes ${lengthBytes} bytes with all its pronunciations; a badge has ${SETTING_BYTES_MAX} for a phrase: give fewer or shorter ones with --say.`,
    );
}

/** @returns the badge's settings for a list, by key, and none for the keys after them */
export function phraseSettings(phrases: ListedPhrase[]): [key: string, value: string | undefined][] {
  return Array.from({ length: PHRASES_MAX }, (_, number) => {
    const phrase = phrases[number];
    return [`phrase${number}`, phrase && JSON.stringify(phraseSetting(phrase))];
  });
}
