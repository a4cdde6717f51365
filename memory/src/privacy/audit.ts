// Who looked at or changed what, and for which purpose: written in the same transaction, never changed.
import type { Session } from "../store/database";

/** What one may ask for what was said for. */
export const PURPOSES = [
  "coaching",
  "deal-review",
  "customer-service",
  "quality",
  "legal",
  "own-work",
] as const;
export type Purpose = (typeof PURPOSES)[number];

/** One entry. */
export interface Audited {
  action: string;
  purpose: Purpose;
  conversationIds: string[];
  /** Ids and numbers only: no content, no words that were searched for. */
  detail?: Record<string, unknown>;
}

/** Writes an entry for the person whose transaction it is. */
export async function audit(
  session: Session,
  { action, purpose, conversationIds, detail }: Audited,
): Promise<void> {
  await session.query(
    `insert into salestag.audit (id, team_id, at, person_id, action, purpose, conversation_ids, detail)
     values (gen_random_uuid(), salestag.my_team(), now(), salestag.me(), $1, $2, $3, $4)`,
    [action, purpose, conversationIds, JSON.stringify(detail ?? {})],
  );
}
