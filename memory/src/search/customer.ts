// One customer over time: what they said before, and the relationship as a line of conversations.
import type { TagKind } from "../model/taxonomy";
import type { Session } from "../store/database";
import { type Card, cardsOf } from "./card";
import { findNewest } from "./found";
import { type SaidTurn, turnsOf } from "./passages";
import { BadQuery, cursorOf, filterJson, idOf, limitOf, placeOf } from "./query";

/** Something that the customer said, and what it means. */
export interface Said extends SaidTurn {
  tags: { kind: TagKind; quote: string; reason: string }[];
}

/** What the customer said in one conversation. */
export interface SaidIn extends Card {
  /** In order of time; what has tags is kept where not everything is. */
  said: Said[];
}

/** How the customer felt: sentiment, -1 to 1. */
export interface Mood {
  mean: number;
  /** Of the first and the last quarter of what they said. */
  atStart: number;
  atEnd: number;
}

/** A conversation of a relationship. */
export interface Encounter extends Card {
  /** null where it is not known. */
  mood: Mood | null;
}

export const CONVERSATIONS_DEFAULT = 20;
export const CONVERSATIONS_MAX = 100;
const SAID_MAX = 40;

/**
 * What this customer said in conversations that began before `at`, the newest conversation first.
 * @param at the end of time unless it is given
 * @param limit most conversations, 1 to CONVERSATIONS_MAX
 * @throws BadQuery
 */
export async function before(
  session: Session,
  customer: string,
  at?: Date,
  limit?: number,
): Promise<SaidIn[]> {
  const filter = filterJson({ customer: idOf(customer, "customer"), to: at });
  const found = await findNewest(session, filter, limitOf(limit, CONVERSATIONS_DEFAULT, CONVERSATIONS_MAX));
  const ids = found.map(({ id }) => id);
  if (ids.length === 0) return [];
  const turns = await turnsOf(session, ids);
  const tags = await session.query<{
    id: string;
    turn: number;
    kind: TagKind;
    quote: string;
    reason: string;
  }>(
    "select conversation_id as id, turn, kind, quote, reason from salestag.tag where conversation_id = any($1::uuid[]) order by id, n",
    [ids],
  );
  return (await cardsOf(session, ids)).map((card) => {
    const id = card.conversationId;
    const own = tags.filter((tag) => tag.id === id);
    const said = (turns.get(id) ?? [])
      .filter(({ speaker }) => speaker !== "rep")
      .map((turn) => ({
        ...turn,
        tags: own
          .filter((tag) => tag.turn === turn.turn)
          .map(({ kind, quote, reason }) => ({ kind, quote, reason })),
      }));
    return { ...card, said: mostTelling(said) };
  });
}

function mostTelling(said: Said[]): Said[] {
  if (said.length <= SAID_MAX) return said;
  const rank = (one: Said) => (one.tags.length > 0 ? 0 : 1);
  return said
    .toSorted((a, b) => rank(a) - rank(b) || a.turn - b.turn)
    .slice(0, SAID_MAX)
    .sort((a, b) => a.turn - b.turn);
}

/** A page of a relationship. */
export interface Timeline {
  /** In order of time. */
  encounters: Encounter[];
  /** Cursor of the conversations before these; null where there are none. */
  earlier: string | null;
}

/**
 * The relationship with one customer: their newest conversations in order of time, or those before them.
 * @param cursor `earlier` of the page after this
 * @param limit 1 to CONVERSATIONS_MAX
 * @throws BadQuery
 */
export async function timeline(
  session: Session,
  customer: string,
  cursor?: string,
  limit?: number,
): Promise<Timeline> {
  const filter = filterJson({ customer: idOf(customer, "customer") });
  const most = limitOf(limit, CONVERSATIONS_DEFAULT, CONVERSATIONS_MAX);
  const place = cursor === undefined ? undefined : placeOf(cursor, "", filter);
  if (place !== undefined && "offset" in place)
    throw new BadQuery("The cursor is not of a timeline; ask for its newest page again.");
  const found = await findNewest(session, filter, most + 1, place);
  const shown = found.slice(0, most).reverse();
  const ids = shown.map(({ id }) => id);
  const moods = await moodsOf(session, ids);
  const cards = await cardsOf(session, ids);
  return {
    encounters: cards.map((card) => ({ ...card, mood: moods.get(card.conversationId) ?? null })),
    earlier: found.length > most ? cursorOf(shown[0], "", filter) : null,
  };
}

interface MoodPoint {
  speaker: string;
  value: number;
}

async function moodsOf(session: Session, ids: string[]): Promise<Map<string, Mood>> {
  const rows = await session.query<{ id: string; points: MoodPoint[] | null }>(
    `select conversation_id as id, body -> 'points' as points from salestag.insight
    where kind = 'sentiment' and conversation_id = any($1::uuid[])`,
    [ids],
  );
  const moods = new Map<string, Mood>();
  for (const { id, points } of rows) {
    const values = (points ?? []).filter(({ speaker }) => speaker !== "rep").map(({ value }) => value);
    if (values.length === 0) continue;
    const quarter = Math.ceil(values.length / 4);
    moods.set(id, {
      mean: mean(values),
      atStart: mean(values.slice(0, quarter)),
      atEnd: mean(values.slice(-quarter)),
    });
  }
  return moods;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
