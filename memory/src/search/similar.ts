// Conversations like one that is known.
import type { Session } from "../store/database";
import { type Card, cardsOf } from "./card";
import { findByVector } from "./found";
import { type Filter, filterJson, HITS_DEFAULT, HITS_MAX, idOf, limitOf } from "./query";

/** A conversation that is like another. */
export interface Similar extends Card {
  /** Cosine of the two vectors: 1 is the same. */
  similarity: number;
}

const SIMILARITY_MIN = 0.2;

/**
 * @param model name of the embedder that the memory uses
 * @param limit 1 to HITS_MAX
 * @returns the most similar first; undefined where the session does not see the conversation, or it has no vector of this model yet
 * @throws BadQuery
 */
export async function similar(
  session: Session,
  model: string,
  conversation: string,
  filter: Filter = {},
  limit?: number,
): Promise<Similar[] | undefined> {
  const id = idOf(conversation, "conversation");
  const most = limitOf(limit, HITS_DEFAULT, HITS_MAX);
  const [own] = await session.query<{ vector: string }>(
    "select vector::text as vector from salestag.embedding where conversation_id = $1 and part = 'conversation' and model = $2",
    [id, model],
  );
  if (own === undefined) return undefined;
  const vector = { vector: own.vector, model };
  const found = await findByVector(
    session,
    "conversation",
    vector,
    filterJson(filter),
    most + 1,
    SIMILARITY_MIN,
  );
  const others = found.filter((other) => other.id !== id).slice(0, most);
  const similarities = new Map(others.map((other) => [other.id, other.similarity]));
  const cards = await cardsOf(session, [...similarities.keys()]);
  return cards.map((card) => ({ ...card, similarity: similarities.get(card.conversationId)! }));
}
