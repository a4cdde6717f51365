// What is computed from a talk rather than matched by a rule's patterns: names and reasons.

/** A turn of the rep of so many words, or longer than that, is a monologue. */
export const MONOLOGUE_WORDS = 70;
export const MONOLOGUE_MS = 40_000;

/** What each computed rule is, for explanations. */
export const COMPUTED = {
  "long-turn": `One turn of the rep has ${MONOLOGUE_WORDS} words or more, or takes more than ${MONOLOGUE_MS / 1000} s.`,
  "objection-passed-over": "The customer objected, and the rep's next turn speaks of something else.",
  "signal-passed-over":
    "The customer showed that they want it, and the rep's next turn speaks of something else.",
  "says-again": "The customer says again what the rep passed over.",
  "strong-good-word": "A word of strong good feeling, after turns that sounded cooler.",
  "strong-bad-word": "A word of strong bad feeling, after turns that sounded better.",
  "ends-without-next-step": "Nothing was sold or refused for good, and the talk ends without a next step.",
} as const;
