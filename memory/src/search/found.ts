// The SQL functions of 0003-search.sql: which conversations fit, by words, by vectors, or as the newest. They show a person what that person may see.
import type { Session } from "../store/database";
import type { ReadyText } from "./query";

/** A conversation that has the words; the higher the score the better. */
export interface FoundByText {
  id: string;
  score: number;
}

/** A part of a conversation that lies near; `n` as in the table `embedding`. */
export interface FoundByVector {
  id: string;
  n: number;
  /** 1 for the same direction, 0 for nothing in common. */
  similarity: number;
}

/** Among up to so many conversations each is compared; among more, the index of vectors finds. */
const EXACT_MAX = 300;
/** Where fewer have all words, those that have some of them are added. */
const ENOUGH = 20;

/** @returns at most `most` conversations, best first: those with all words before those with some */
export async function findByText(
  session: Session,
  text: string,
  filter: string,
  most: number,
  someWords: boolean,
): Promise<FoundByText[]> {
  const ask = (name: "search_text" | "search_text_some") =>
    session.query<FoundByText>(
      `select conversation_id as id, score from salestag.${name}($1, $2::jsonb, $3)`,
      [text, filter, most],
    );
  const found = await ask("search_text");
  if (found.length >= ENOUGH || !someWords) return found;
  const known = new Set(found.map(({ id }) => id));
  const others = await ask("search_text_some");
  return [...found, ...others.filter(({ id }) => !known.has(id))].slice(0, most);
}

/** @returns at most `most` parts, nearest first, that are at least so similar; none where the text has no vector */
export async function findByVector(
  session: Session,
  part: "conversation" | "moment",
  { vector, model }: Pick<ReadyText, "vector" | "model">,
  filter: string,
  most: number,
  similarityMin: number,
): Promise<FoundByVector[]> {
  if (vector === undefined) return [];
  const asked = [part, model, vector, filter, most, EXACT_MAX];
  return nearOf(
    await session.query<NearRow>(
      `select conversation_id as id, n, distance from salestag.search_vectors($1, $2, $3::halfvec, $4::jsonb, $5, $6)
      order by distance, conversation_id, n`,
      asked,
    ),
    similarityMin,
  );
}

/**
 * @param most passages that are looked at
 * @returns conversations by the nearest of their passages, of which `n` is the first turn
 */
export async function findByPassage(
  session: Session,
  { vector, model }: Pick<ReadyText, "vector" | "model">,
  filter: string,
  most: number,
  similarityMin: number,
): Promise<FoundByVector[]> {
  if (vector === undefined) return [];
  const asked = [model, vector, filter, most, EXACT_MAX];
  return nearOf(
    await session.query<NearRow>(
      `select conversation_id as id, n, distance from salestag.search_passages($1, $2::halfvec, $3::jsonb, $4, $5)
      order by distance, conversation_id`,
      asked,
    ),
    similarityMin,
  );
}

interface NearRow {
  id: string;
  n: number;
  distance: number;
}

function nearOf(rows: readonly NearRow[], similarityMin: number): FoundByVector[] {
  return rows
    .map(({ id, n, distance }) => ({ id, n, similarity: 1 - distance }))
    .filter(({ similarity }) => similarity >= similarityMin);
}

/** @returns the newest conversations, or those before a place in that list */
export function findNewest(
  session: Session,
  filter: string,
  most: number,
  before?: { startedAt: Date; id: string },
): Promise<{ id: string; startedAt: Date }[]> {
  return session.query(
    `select conversation_id as id, started_at as "startedAt" from salestag.search_newest($1::jsonb, $2::timestamptz, $3::uuid, $4)`,
    [filter, before?.startedAt ?? null, before?.id ?? null, most],
  );
}
