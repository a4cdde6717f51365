// A question to the memory, checked and made ready: what a person types may be anything, what a program passes must be right.
import { createHash } from "node:crypto";
import { messageOf } from "@salestag/protocol/service";
import { type Embedder, EmbeddingError, vectorText } from "../embed/embedder";
import { isTagKind, type TagKind } from "../model/taxonomy";

/** What a search is narrowed to; all that is set must hold. */
export interface Filter {
  /** Ids. */
  person?: string;
  customer?: string;
  site?: string;
  /** Of the customer or of the site. */
  territory?: string;
  /** The conversation has all of these. */
  tags?: readonly TagKind[];
  outcome?: "open" | "won" | "lost";
  /** The conversation began at this time or later. */
  from?: Date;
  /** It began before this time. */
  to?: Date;
}

/** A search. */
export interface Query {
  /** As people type: words, "a phrase", -without. Only QUERY_CHARACTERS_MAX of it count. Without words, the newest are found. */
  text?: string;
  filter?: Filter;
  /** 1 to HITS_MAX. */
  limit?: number;
  /** `next` of the page before, with the same text and filter. */
  cursor?: string;
}

/** A query that cannot be answered; the message says why. */
export class BadQuery extends Error {
  override name = "BadQuery";
}

/** A text ready to be looked for. */
export interface ReadyText {
  text: string;
  /** As the database reads it; undefined where there is none. */
  vector?: string;
  /** Whose vectors it can be compared with, and how much that counts beside words. */
  model: string;
  weight: number;
  /** Why there is no vector, though there should be. */
  trouble?: string;
}

export const QUERY_CHARACTERS_MAX = 1000;
export const HITS_MAX = 50;
export const HITS_DEFAULT = 10;

const ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const TAGS_MAX = 20;

/**
 * Makes a text ready. To be done before a transaction: the embedder may be slow.
 * @returns with `trouble` where the embedder fails: then words alone are looked for
 */
export async function readyText(text: string, embedder: Embedder, signal: AbortSignal): Promise<ReadyText> {
  // PostgreSQL takes no NUL; half a surrogate pair is no character.
  const clean = Buffer.from(text.replaceAll("\0", " ").slice(0, QUERY_CHARACTERS_MAX))
    .toString("utf8")
    .trim();
  const ready: ReadyText = { text: clean, model: embedder.name, weight: embedder.weight };
  if (clean === "" || isExact(clean)) return ready;
  try {
    return { ...ready, vector: await vectorOf(clean, embedder, signal) };
  } catch (cause) {
    if (!(cause instanceof EmbeddingError)) throw cause;
    return { ...ready, trouble: messageOf(cause) };
  }
}

const RECENT_MAX = 500;
/** Vectors of each embedder's last queries by the queries' digests: whoever turns a page, or narrows a filter, asks the same again. */
const recent = new WeakMap<Embedder, Map<string, string | undefined>>();

async function vectorOf(text: string, embedder: Embedder, signal: AbortSignal): Promise<string | undefined> {
  const known = recent.get(embedder) ?? new Map<string, string | undefined>();
  recent.set(embedder, known);
  const key = createHash("sha256").update(text).digest("base64");
  if (!known.has(key)) {
    const [vector] = await embedder.embed([text], signal);
    known.set(key, vector.some((value) => value !== 0) ? vectorText(vector) : undefined);
  }
  const vector = known.get(key);
  known.delete(key);
  known.set(key, vector);
  for (const oldest of known.keys()) if (known.size > RECENT_MAX) known.delete(oldest);
  return vector;
}

/** A phrase in quotes, or an excluded word: who writes that wants these words and no near ones. */
export function isExact(text: string): boolean {
  return /"[^"]*[\p{L}\p{N}][^"]*"|(^|\s)-[\p{L}\p{N}"]/u.test(text);
}

/**
 * @returns the filter as the SQL functions read it
 * @throws BadQuery
 */
export function filterJson({ tags, outcome, from, to, ...ids }: Filter): string {
  const filter: Record<string, unknown> = {};
  for (const name of ["person", "customer", "site", "territory"] as const)
    if (ids[name] !== undefined) filter[name] = idOf(ids[name], name);
  if (tags !== undefined && tags.length > 0) filter.tags = tagsOf(tags);
  if (outcome !== undefined) {
    if (!["open", "won", "lost"].includes(outcome))
      throw new BadQuery(`The outcome ${shown(outcome)} is none; write open, won or lost.`);
    filter.outcome = outcome;
  }
  if (from !== undefined) filter.since = timeOf(from, "from");
  if (to !== undefined) filter.until = timeOf(to, "to");
  return JSON.stringify(filter);
}

/**
 * @param name of the parameter, for the error
 * @throws BadQuery unless it is a UUID
 */
export function idOf(text: string, name: string): string {
  if (typeof text !== "string" || !ID.test(text))
    throw new BadQuery(`The ${name} ${shown(text)} is no id; write a UUID.`);
  return text;
}

/** @throws BadQuery unless it is a whole number from 1 to `max` */
export function limitOf(limit: number | undefined, fallback: number, max: number): number {
  const value = limit ?? fallback;
  if (!Number.isInteger(value) || value < 1 || value > max)
    throw new BadQuery(`The limit ${shown(limit)} is no whole number from 1 to ${max}.`);
  return value;
}

function tagsOf(tags: readonly string[]): string[] {
  if (tags.length > TAGS_MAX)
    throw new BadQuery(`A filter has ${tags.length} tags; at most ${TAGS_MAX} can be asked for.`);
  for (const tag of tags)
    if (!isTagKind(tag))
      throw new BadQuery(`The tag ${shown(tag)} is unknown; /taxonomy lists those that are.`);
  return [...new Set(tags)];
}

function timeOf(time: Date, name: string): string {
  const year = time instanceof Date ? time.getUTCFullYear() : Number.NaN;
  // PostgreSQL and ISO 8601 write years alike between these.
  if (!(year >= 1 && year <= 9999))
    throw new BadQuery(`The time of "${name}" is none between the years 1 and 9999.`);
  return time.toISOString();
}

function shown(value: unknown): string {
  return (JSON.stringify(value) ?? "undefined").slice(0, 80);
}

/** Where a page ends: so many of the hits were shown, or the last one's time and id. */
export type Place = { offset: number } | { startedAt: Date; id: string };

/** @returns a cursor that fits this text and filter only */
export function cursorOf(place: Place, text: string, filter: string): string {
  const at = "offset" in place ? [place.offset] : [place.startedAt.getTime(), place.id];
  return Buffer.from(JSON.stringify([digestOf(text, filter), ...at])).toString("base64url");
}

/**
 * @param cursor as `cursorOf` made it for this text and filter
 * @throws BadQuery
 */
export function placeOf(cursor: string, text: string, filter: string): Place {
  const wrong = new BadQuery("The cursor is not of this search; ask for the first page again.");
  let parts: unknown;
  try {
    parts = JSON.parse(Buffer.from(cursor.slice(0, 500), "base64url").toString("utf8"));
  } catch {
    throw wrong;
  }
  if (!Array.isArray(parts) || parts[0] !== digestOf(text, filter)) throw wrong;
  const [, at, id] = parts as unknown[];
  if (typeof at !== "number" || !Number.isSafeInteger(at) || at < -6e13 || at > 2.5e14) throw wrong;
  if (parts.length === 2 && at >= 0) return { offset: at };
  if (typeof id !== "string" || !ID.test(id)) throw wrong;
  return { startedAt: new Date(at), id };
}

function digestOf(text: string, filter: string): string {
  return createHash("sha256")
    .update(JSON.stringify([text, filter]))
    .digest("base64url")
    .slice(0, 12);
}
