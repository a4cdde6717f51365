// Legal hold: what it covers is not erased, by nobody, until it is released. It covers what belongs to its subject now and later.
import type { Database, Session } from "../store/database";
import type { Actor } from "./actor";
import { audit } from "./audit";
import { checkedId, PrivacyError } from "./error";
import { conversationsOf, type Subject } from "./subject";

/** A hold as it lies in the database. */
export interface Hold {
  id: string;
  subject: Subject;
  /** For managers' eyes. */
  reason: string;
  since: Date;
  /** null while it holds. */
  releasedAt: Date | null;
}

/** A new hold. */
export interface PlacedHold {
  id: string;
  /** Conversations of the subject whose erasure had begun before: the hold does not bring them back. */
  tooLate: string[];
}

const REASON_LENGTH_MAX = 1000;

/**
 * @param reason why, for managers: 1 to 1000 letters
 * @param id of the hold: a new UUID
 * @throws PrivacyError when the team has no such subject
 */
export async function placeHold(
  database: Database,
  actor: Actor,
  subject: Subject,
  reason: string,
  { id, nowMs }: { id: string; nowMs: number },
): Promise<PlacedHold> {
  if (reason.trim() === "" || reason.length > REASON_LENGTH_MAX)
    throw new PrivacyError("invalid", `a hold needs a reason of 1 to ${REASON_LENGTH_MAX} letters.`);
  return database.system(async (session) => {
    const ids = (await conversationsOf(session, actor.teamId, subject)).map((known) => known.id);
    await session.query(
      `insert into salestag.hold (id, team_id, ${subject.kind}_id, reason, since) values ($1, $2, $3, $4, $5)`,
      [id, actor.teamId, subject.id, reason, new Date(nowMs)],
    );
    const detail = { hold: id, [subject.kind]: subject.id };
    await audit(session, { ...entry(actor, nowMs), action: "hold.place", conversationIds: ids, detail });
    const gone = await session.query<{ id: string }>(
      "select conversation_id as id from salestag.erasure where conversation_id = any($1::uuid[]) order by 1",
      [ids],
    );
    return { id, tooLate: gone.map((one) => one.id) };
  });
}

/**
 * Ends a hold; what it covered may be erased from now on.
 * @throws PrivacyError when the team has no such hold, or it was released before
 */
export async function releaseHold(
  database: Database,
  actor: Actor,
  holdId: string,
  nowMs: number,
): Promise<void> {
  const id = checkedId(holdId, "hold");
  await database.system(async (session) => {
    const released = await session.query(
      `update salestag.hold set released_at = $3 where id = $1 and team_id = $2 and released_at is null returning id`,
      [id, actor.teamId, new Date(nowMs)],
    );
    if (released.length === 0)
      throw new PrivacyError("unknown", `the team has no hold ${id} that holds; look at the list of holds.`);
    await audit(session, {
      ...entry(actor, nowMs),
      action: "hold.release",
      conversationIds: [],
      detail: { hold: id },
    });
  });
}

function entry(actor: Actor, nowMs: number) {
  return { actor, atMs: nowMs, purpose: "legal" as const };
}

/** @returns the team's holds, newest first, released ones too */
export async function holds(session: Session, teamId: string): Promise<Hold[]> {
  const rows = await session.query<Omit<Hold, "subject"> & Record<`${Subject["kind"]}_id`, string | null>>(
    `select id, conversation_id, customer_id, person_id, reason, since, released_at as "releasedAt"
     from salestag.hold where team_id = $1 order by since desc, id`,
    [teamId],
  );
  return rows.map(({ conversation_id, customer_id, person_id, ...hold }) => {
    const kind = conversation_id !== null ? "conversation" : customer_id !== null ? "customer" : "person";
    return { ...hold, subject: { kind, id: (conversation_id ?? customer_id ?? person_id) as string } };
  });
}

/** Joins the holds that cover a conversation `c.id`; `hold.id` is null where none does. */
export const COVERING_HOLD = `left join lateral (
  select h.id, h.since from salestag.hold h
  left join salestag.conversation own on own.id = c.id
  left join salestag.filing f on f.conversation_id = c.id
  left join salestag.site s on s.id = f.site_id
  where h.released_at is null and h.team_id = coalesce(own.team_id, f.team_id) and (h.conversation_id = c.id or h.person_id = own.person_id
    or h.customer_id = f.customer_id or h.customer_id = s.customer_id)
  order by h.since limit 1) hold on true`;

/** @throws PrivacyError that names a hold which covers the subject itself, or any of these conversations */
export async function refuseHeld(
  session: Session,
  teamId: string,
  subject: Subject,
  ids: string[],
): Promise<void> {
  const found = await session.query<{ id: string; since: Date }>(
    `select id, since from salestag.hold where released_at is null and team_id = $1 and ${subject.kind}_id = $2
     union select hold.id, hold.since from unnest($3::uuid[]) c(id) ${COVERING_HOLD} where hold.id is not null
     order by since, id`,
    [teamId, subject.id, ids],
  );
  if (found.length === 0) return;
  const [{ id, since }] = found;
  const more = found.length === 1 ? "" : ` and ${found.length - 1} more`;
  throw new PrivacyError(
    "held",
    `nothing was erased: the legal hold ${id} since ${since.toISOString()}${more} covers it or a part of it; release the hold first.`,
  );
}
