// What a chat endpoint may answer: a JSON schema built from the taxonomy, and the check that an answer keeps to it, for not every server enforces it.
import { TAG_KINDS, type TagKind } from "../model/taxonomy";

/** A tag as the model says it, before its quote is looked up. */
export interface ClaimedTag {
  kind: TagKind;
  /** Place of the turn in the transcript. */
  turn: number;
  quote: string;
  reason: string;
  /** 0 to 1. */
  confidence: number;
}

/** Counted exactly, so nobody is asked for it. */
export const COUNTED_KIND = "coaching.monologue" satisfies TagKind;
export const ASKED_KINDS: readonly TagKind[] = TAG_KINDS.filter((kind) => kind !== COUNTED_KIND);

/** More tags than that in one part are no answer. */
export const CLAIMS_MAX = 500;
/** Characters of a reason that are kept. */
const REASON_MAX = 200;

/** In the subset that OpenAI's strict mode takes: every field required, no other fields, no limits on size. */
export const ANSWER_SCHEMA = {
  type: "object",
  additionalProperties: false,
  required: ["tags"],
  properties: {
    tags: {
      type: "array",
      items: {
        type: "object",
        additionalProperties: false,
        required: ["kind", "turn", "quote", "reason", "confidence"],
        properties: {
          kind: { type: "string", enum: ASKED_KINDS },
          turn: { type: "integer", description: "number of the turn, as given" },
          quote: { type: "string", description: "words of that turn, copied exactly: the evidence" },
          reason: { type: "string", description: "one short sentence" },
          confidence: { type: "number", description: "0 to 1" },
        },
      },
    },
  },
} as const;

/**
 * @param answer what the model wrote, read as JSON
 * @throws Error that names the first place where it does not keep to the schema
 */
export function readClaims(answer: unknown): ClaimedTag[] {
  const { tags } = recordOf(answer, "the answer", ["tags"]);
  if (!Array.isArray(tags)) throw new Error("the model's answer is wrong: tags is not a list.");
  if (tags.length > CLAIMS_MAX)
    throw new Error(`the model's answer is wrong: ${tags.length} tags, at most ${CLAIMS_MAX} are taken.`);
  return tags.map((tag, place) => readClaim(tag, `tags[${place}]`));
}

function readClaim(value: unknown, at: string): ClaimedTag {
  const names = ["kind", "turn", "quote", "reason", "confidence"];
  const { kind, turn, quote, reason, confidence } = recordOf(value, at, names);
  if (!ASKED_KINDS.includes(kind as TagKind)) throw wrong(`${at}.kind`, kind, "a kind of the taxonomy");
  if (!Number.isSafeInteger(turn)) throw wrong(`${at}.turn`, turn, "a whole number");
  if (typeof quote !== "string") throw wrong(`${at}.quote`, quote, "a text");
  if (typeof reason !== "string") throw wrong(`${at}.reason`, reason, "a text");
  if (typeof confidence !== "number" || !(confidence >= 0 && confidence <= 1))
    throw wrong(`${at}.confidence`, confidence, "a number from 0 to 1");
  return { kind: kind as TagKind, turn: turn as number, quote, reason: plain(reason), confidence };
}

function recordOf(value: unknown, at: string, names: readonly string[]): Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw wrong(at, value, "an object");
  const other = Object.keys(value).find((name) => !names.includes(name));
  if (other !== undefined) throw wrong(`${at}.${other}`.slice(0, 80), undefined, "a field of the schema");
  return value as Record<string, unknown>;
}

function wrong(at: string, value: unknown, wanted: string): Error {
  const shown = value === undefined ? "" : ` ${JSON.stringify(value).slice(0, 80)}`;
  return new Error(`the model's answer is wrong: ${at}${shown} is not ${wanted}.`);
}

/** One line of visible characters. */
function plain(text: string): string {
  return text
    .replace(/[\p{C}\s]+/gu, " ")
    .trim()
    .slice(0, REASON_MAX);
}
