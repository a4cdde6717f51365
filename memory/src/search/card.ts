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

const CARDS = `select c.id, c.started_at, c.duration_ms, c.transcribed_by, p.id as person_id, p.name as person, u.id as customer_id, u.name as customer,
    coalesce(f.outcome, 'open') as outcome, k.means, k.at_ms, s.body ->> 'text' as summary,
    array(select distinct t.kind from salestag.tag t where t.conversation_id = c.id order by 1) as tags
  from salestag.conversation c
    left join salestag.person p on p.id = c.person_id
    left join salestag.filing f on f.conversation_id = c.id
    left join salestag.customer u on u.id = f.customer_id
    left join salestag.consent k on k.conversation_id = c.id
    left join salestag.insight s on s.conversation_id = c.id and s.kind = 'summary'
  where c.id = any($1::uuid[])`;

/** @returns cards in the order of the ids; ids that the session does not see are left out */
export async function cardsOf(session: Session, ids: readonly string[]): Promise<Card[]> {
  if (ids.length === 0) return [];
  const rows = await session.query<Row>(CARDS, [ids]);
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
