// Hybrid search: full text and vectors, fused by rank, each hit with its evidence.
import type { Session } from "../store/database";
import { type Card, cardsOf } from "./card";
import { findByPassage, findByText, findNewest } from "./found";
import { fuse } from "./fuse";
import { type Passage, passagesOf, sayingsOf, soughtIn } from "./passages";
import {
  cursorOf,
  filterJson,
  HITS_DEFAULT,
  HITS_MAX,
  isExact,
  limitOf,
  placeOf,
  type Query,
  type ReadyText,
} from "./query";

/** A conversation that was found. */
export interface Hit extends Card {
  score: {
    /** Of the fusion; 0 where there was nothing to look for. */
    fused: number;
    /** Place in the list by words, from 1, and what PostgreSQL gave it. */
    text: { rank: number; score: number } | null;
    /** Place in the list by vectors, from 1, and the cosine. */
    vector: { rank: number; similarity: number } | null;
  };
  /** At most 3, best first. */
  passages: Passage[];
}

/** A page of hits. */
export interface Page {
  hits: Hit[];
  /** Cursor of the next page; null where this is the last. */
  next: string | null;
  /** Why only words were looked for; null where all went well. */
  trouble: string | null;
}

/** Each list is so long at most, and hits can be paged through no further. */
const LIST_MAX = 100;
/** What is less alike has nothing to do with it. */
const SIMILARITY_MIN = 0.2;
/** Passages that are looked at: more cost more, and a conversation may have several that are near. */
const PASSAGES_MAX = 50;

/**
 * Finds conversations that the session's person may see.
 * @param ready the query's text, by `readyText`
 * @throws BadQuery
 */
export async function search(
  session: Session,
  ready: ReadyText,
  query: Omit<Query, "text"> = {},
): Promise<Page> {
  const filter = filterJson(query.filter ?? {});
  const limit = limitOf(query.limit, HITS_DEFAULT, HITS_MAX);
  const place = query.cursor === undefined ? undefined : placeOf(query.cursor, ready.text, filter);
  const trouble = ready.trouble ?? null;
  if (soughtIn(ready.text).stems.size === 0 && !isExact(ready.text))
    return { ...(await newest(session, ready, filter, limit, place)), trouble };
  const scored = await scoredHits(session, ready, filter);
  const offset = place !== undefined && "offset" in place ? place.offset : 0;
  const shown = scored.slice(offset, offset + limit);
  const end = offset + shown.length;
  return {
    hits: await withEvidence(session, shown, ready.text),
    next: end < scored.length ? cursorOf({ offset: end }, ready.text, filter) : null,
    trouble,
  };
}

interface Scored {
  id: string;
  score: Hit["score"];
  /** First turn of the passage that lies nearest. */
  nearTurn?: number;
}

async function scoredHits(session: Session, ready: ReadyText, filter: string): Promise<Scored[]> {
  const byText = await findByText(session, ready.text, filter, LIST_MAX, !isExact(ready.text));
  const near = await findByPassage(session, ready, filter, PASSAGES_MAX, SIMILARITY_MIN);
  const byVector = near.slice(0, LIST_MAX / 2);
  return fuse([byText.map(({ id }) => id), byVector.map(({ id }) => id)], [1, ready.weight]).map(
    ({ id, score, ranks: [text, vector] }) => ({
      id,
      score: {
        fused: score,
        text: text === 0 ? null : { rank: text, score: byText[text - 1].score },
        vector: vector === 0 ? null : { rank: vector, similarity: byVector[vector - 1].similarity },
      },
      nearTurn: byVector[vector - 1]?.n,
    }),
  );
}

/** Nothing is looked for but what the filter says. */
async function newest(
  session: Session,
  { text }: ReadyText,
  filter: string,
  limit: number,
  place: ReturnType<typeof placeOf> | undefined,
): Promise<Omit<Page, "trouble">> {
  const before = place !== undefined && "id" in place ? place : undefined;
  const found = await findNewest(session, filter, limit + 1, before);
  const shown = found.slice(0, limit);
  const hits = await withEvidence(
    session,
    shown.map(({ id }) => ({ id, score: { fused: 0, text: null, vector: null } })),
    "",
  );
  const last = shown.at(-1);
  return { hits, next: found.length > limit && last !== undefined ? cursorOf(last, text, filter) : null };
}

async function withEvidence(session: Session, found: Scored[], text: string): Promise<Hit[]> {
  const ids = found.map(({ id }) => id);
  const cards = await cardsOf(session, ids);
  const sayings = await sayingsOf(session, ids);
  const scored = new Map(found.map((one) => [one.id, one]));
  const sought = soughtIn(text);
  return cards.map((card) => {
    const { score, nearTurn } = scored.get(card.conversationId)!;
    return {
      ...card,
      score,
      passages: passagesOf(sayings.get(card.conversationId) ?? [], sought, nearTurn),
    };
  });
}
