// The doctor's look at a badge's settings (docs/provisioning.md): all there, each in its form. They are read with the readers that the
// badge itself uses. Keys are looked at and never shown.
import {
  BADGE_ID_BYTES,
  CONSENT_DEFAULT,
  type ConsentPolicy,
  KEY_BYTES,
  PHRASE_PHONES_TOTAL_MAX,
  PHRASES_MAX,
  type Phrase,
  readConsentPolicy,
  readPhrase,
  tuningWith,
} from "@salestag/protocol/host";
import type { BadgeSettings } from "@salestag/protocol/jacdac";
import { messageOf } from "@salestag/protocol/team";
import { checkRelayUrl } from "../provision/badge";
import { type Finding, failed, ok, warning } from "./finding";

/** Settings by their keys, as they lie in the badge; what is not there has no entry. */
export type StoredSettings = Map<string, Buffer>;

const SINGLE = ["badge", "authKey", "chain", "relay", "tuning", "consent", "config", "check"];
const BADGE_ID = new RegExp(`^[0-9a-f]{${2 * BADGE_ID_BYTES}}$`);
const KEY = new RegExp(`^[0-9a-f]{${2 * KEY_BYTES}}$`);
const PROVISION = "run 'salestag provision --force'";

/** Reads every setting that a badge can have. Its program must be stopped. */
export async function readSettings(settings: BadgeSettings): Promise<StoredSettings> {
  const phrases = Array.from({ length: PHRASES_MAX }, (_, number) => `phrase${number}`);
  const stored: StoredSettings = new Map();
  for (const key of [...SINGLE, ...phrases]) {
    const value = await settings.read(key);
    if (value !== undefined) stored.set(key, value);
  }
  return stored;
}

/** @returns a finding for each setting that is wrong, or one that says that all is well */
export function checkSettings(stored: StoredSettings): Finding[] {
  const wrong: Finding[] = [];
  const check = (key: string, todo: string, look: (value: unknown) => void, needed: boolean) => {
    const value = stored.get(key);
    try {
      if (value !== undefined) look(parsed(value));
      else if (needed) throw new Error("it is missing");
    } catch (cause) {
      wrong.push(failed(`setting ${key}`, messageOf(cause), todo));
    }
  };
  check("badge", "run 'salestag provision'", (value) => matching(value, BADGE_ID, "a badge id"), true);
  check("authKey", PROVISION, (value) => matching(value, KEY, "a key"), true);
  check("relay", PROVISION, (value) => checkRelayUrl(String(value)), true);
  check("chain", PROVISION, checkChain, false); // the badge has taken it into its flash
  check("tuning", "write it anew with 'salestag tune'", (value) => void tuningWith(objectOf(value)), false);
  check("config", PROVISION, checkWhole, false);
  check("check", "start the badge anew: it deletes this at its start", checkWhole, false);
  const phrases = checkPhrases(stored, wrong);
  let consent = CONSENT_DEFAULT;
  const readConsent = (value: unknown) => {
    consent = readConsentPolicy(value);
    checkTexts(consent, phrases);
  };
  check(
    "consent",
    "write it anew with 'salestag consent'; until then nothing is recorded",
    readConsent,
    false,
  );
  if (wrong.length > 0) return wrong;
  return [
    ok(
      "settings",
      `${stored.size} are there and well-formed; ${phrases.length} key phrases, consent: ${consent.policy}`,
    ),
  ];
}

/** The parser's own words would quote the value. */
function parsed(value: Buffer): unknown {
  try {
    return JSON.parse(value.toString("utf8"));
  } catch {
    throw new Error(`its ${value.length} bytes are no JSON`);
  }
}

function matching(value: unknown, form: RegExp, what: string): void {
  if (typeof value !== "string" || !form.test(value)) throw new Error(`it is not in the form of ${what}`);
}

function objectOf(value: unknown): object {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new Error("it is no JSON object");
  return value;
}

function checkChain(value: unknown): void {
  const { n, k } = objectOf(value) as { n?: unknown; k?: unknown };
  if (!Number.isSafeInteger(n) || (n as number) < 0) throw new Error("it has no number of a conversation");
  matching(k, KEY, "a key");
}

function checkWhole(value: unknown): void {
  if (!Number.isSafeInteger(value) || (value as number) < 0) throw new Error("it is no whole number");
}

/** The badge reads them up to the first number that is not there, and as many as it has room for. */
function checkPhrases(stored: StoredSettings, wrong: Finding[]): Phrase[] {
  const todo = "write the list anew with 'salestag phrases write'";
  const phrases: Phrase[] = [];
  let gap: string | undefined;
  let phones = 0;
  for (let number = 0; number < PHRASES_MAX; number++) {
    const key = `phrase${number}`;
    const value = stored.get(key);
    try {
      if (value === undefined) gap ??= key;
      else if (gap !== undefined) throw new Error(`it is not read, because ${gap} is missing`);
      else {
        const phrase = readPhrase(parsed(value));
        phones += phrase.pronunciations.reduce((sum, { length }) => sum + length, 0);
        if (phones > PHRASE_PHONES_TOTAL_MAX)
          throw new Error(`it is left out: more than ${PHRASE_PHONES_TOTAL_MAX} phones in all`);
        phrases.push(phrase);
      }
    } catch (cause) {
      wrong.push(warning(`setting ${key}`, messageOf(cause), todo));
    }
  }
  return phrases;
}

function checkTexts({ yes, no }: ConsentPolicy, phrases: Phrase[]): void {
  for (const text of [...yes, ...no])
    if (!phrases.some((phrase) => phrase.text === text))
      throw new Error(`the badge does not listen for "${text}", on which consent depends`);
}
