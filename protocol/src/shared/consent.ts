// What a team decides about consent: the setting `consent` of a badge (docs/provisioning.md).
import { FormatError } from "./errors";

/** Whether a conversation is kept, and on whose word. */
export interface ConsentPolicy {
  /**
   * `announce`: light and tone tell everybody, and everything is kept. `verbal`: nothing leaves the badge until somebody consents, and is
   * destroyed when nobody does. `off`: nothing is recorded.
   */
  policy: "announce" | "verbal" | "off";
  /** Time to consent from the first word on; after it the conversation counts as refused. */
  withinMs: number;
  /** Texts of the badge's key phrases that consent, and of those that refuse. */
  yes: string[];
  no: string[];
}

export const CONSENT_DEFAULT: ConsentPolicy = { policy: "announce", withinMs: 60000, yes: [], no: [] };

/** Longest time to consent. What was said until then lies on the badge without consent. */
export const CONSENT_WITHIN_MS_MAX = 300000;

/**
 * @param value a setting's value, parsed from JSON; its fields may be left out
 * @throws FormatError with a sentence when it is no policy
 */
export function readConsentPolicy(value: unknown): ConsentPolicy {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new FormatError("a consent policy is an object with 'policy', 'withinMs', 'yes' and 'no'");
  const set = value as Partial<ConsentPolicy>;
  const names = Object.keys(CONSENT_DEFAULT);
  for (const name of Object.keys(set))
    if (names.indexOf(name) < 0) throw new FormatError(`a consent policy has no field '${name}'`);
  const policy: ConsentPolicy = { ...CONSENT_DEFAULT, ...set };
  if (policy.policy !== "announce" && policy.policy !== "verbal" && policy.policy !== "off")
    throw new FormatError(`the consent policy must be announce, verbal or off, got '${policy.policy}'`);
  const { withinMs } = policy;
  if (
    typeof withinMs !== "number" ||
    withinMs !== Math.floor(withinMs) ||
    withinMs < 1000 ||
    withinMs > CONSENT_WITHIN_MS_MAX
  )
    throw new FormatError(
      `withinMs must be a whole number from 1000 to ${CONSENT_WITHIN_MS_MAX}, got ${withinMs}`,
    );
  checkTexts("yes", policy.yes);
  checkTexts("no", policy.no);
  return policy;
}

function checkTexts(name: string, texts: unknown): void {
  if (!Array.isArray(texts)) throw new FormatError(`'${name}' of a consent policy is a list of phrases`);
  for (const text of texts as unknown[])
    if (typeof text !== "string" || text.length === 0)
      throw new FormatError(`'${name}' of a consent policy has an entry that is no phrase`);
}
