// What a hold, an erasure or an export is about, and which conversations belong to it.
import type { Session } from "../store/database";
import { checkedId, PrivacyError } from "./error";

/** One conversation, a customer with everything that is filed there, or a person with what their badge recorded. */
export interface Subject {
  kind: "conversation" | "customer" | "person";
  id: string;
}

/** A conversation; badge and epoch are null where only its filing or its transcript is here. */
export interface Known {
  id: string;
  badge: string | null;
  epoch: number | null;
}

/**
 * @returns the conversations of a subject, oldest first. A conversation is a customer's when it is filed there, or at a site of theirs.
 * @throws PrivacyError when the team has no such conversation, customer or person
 */
export async function conversationsOf(
  session: Session,
  teamId: string,
  { kind, id }: Subject,
): Promise<Known[]> {
  if (!Object.hasOwn(SQL, kind))
    throw new PrivacyError("invalid", "a subject is a conversation, a customer or a person.");
  const subjectId = checkedId(id, kind);
  const rows = await session.query<Known>(SQL[kind], [teamId, subjectId]);
  if (kind === "conversation" ? rows.length > 0 : await isThere(session, teamId, kind, subjectId))
    return rows;
  throw new PrivacyError("unknown", `the team has no ${kind} ${subjectId}; take the id from a list of them.`);
}

const KNOWN = "select f.id, c.badge_id as badge, c.epoch from";
const SQL = {
  conversation: `${KNOWN} (select id from salestag.conversation where id = $2 and team_id = $1
      union select conversation_id from salestag.filing where conversation_id = $2 and team_id = $1) f
    left join salestag.conversation c on c.id = f.id`,
  customer: `${KNOWN} (select f.conversation_id as id from salestag.filing f left join salestag.site s on s.id = f.site_id
      where f.team_id = $1 and (f.customer_id = $2 or s.customer_id = $2)) f
    left join salestag.conversation c on c.id = f.id order by c.started_at, f.id`,
  person: `${KNOWN} salestag.conversation f join salestag.conversation c on c.id = f.id
    where f.team_id = $1 and f.person_id = $2 order by c.started_at, f.id`,
};

async function isThere(
  session: Session,
  teamId: string,
  table: "customer" | "person",
  id: string,
): Promise<boolean> {
  const rows = await session.query(`select from salestag.${table} where id = $2 and team_id = $1`, [
    teamId,
    id,
  ]);
  return rows.length > 0;
}
