// What is shown of a conversation wherever one is found: when, who, with whom, on what consent, how it ended, what it was about.
import type { TagKind } from "../model/taxonomy";
import type { Session } from "../store/database";

/** A person or a customer. */
export interface Named {
  id: string;
  name: string;
}

/** A conversation in short. */
export interface Card {
  conversationId: string;
  startedAt: Date;
  durationMs: number;
  /** Who wore the badge; null where nobody said. */
  person: Named | null;
  customer: Named | null;
  outcome: "open" | "won" | "lost";
  /** How consent was given; null where its record is missing, which is an error. */
  consent: { means: string; atMs: number } | null;
  /** Who made the transcript; `badge`: only key phrases are known. */
  transcribedBy: string | null;
  summary: string | null;
  /** Kinds, each once. */
  tags: TagKind[];
}

interface Row {
  id: string;
  started_at: Date;
  duration_ms: number;
  transcribed_by: string | null;
  person_id: string | null;
  person: string | null;
  customer_id: string | null;
  customer: string | null;
  outcome: Card["outcome"];
  means: string | null;
  at_ms: number | null;
  summary: string | null;
  tags: TagKind[];
}

/** @returns cards in the order of the ids; ids that the session does not see are left out */
export async function cardsOf(session: Session, ids: readonly string[]): Promise<Card[]> {
  if (ids.length === 0) return [];
  const rows = await session.query<Row>("select * from salestag.search_cards($1::uuid[])", [ids]);
  const cards = new Map(rows.map((row) => [row.id, cardOf(row)]));
  return ids.flatMap((id) => cards.get(id) ?? []);
}

function cardOf(row: Row): Card {
  return {
    conversationId: row.id,
    startedAt: row.started_at,
    durationMs: row.duration_ms,
    person: named(row.person_id, row.person),
    customer: named(row.customer_id, row.customer),
    outcome: row.outcome,
    consent: row.means === null || row.at_ms === null ? null : { means: row.means, atMs: row.at_ms },
    transcribedBy: row.transcribed_by,
    summary: row.summary,
    tags: row.tags,
  };
}

function named(id: string | null, name: string | null): Named | null {
  return id === null || name === null ? null : { id, name };
}
