// Retention: how long conversations are kept. Of all rules that apply to one, for the whole team or for a tag that it has, the shortest counts; where none
// applies it is kept. What a hold covers stays, and goes with the first run after its release.
import type { Database, Session } from "../store/database";
import type { Eraser } from "./erasure";
import { COVERING_HOLD } from "./hold";
import type { Known } from "./subject";

/** A conversation whose time is over. */
export interface Expired extends Known {
  teamId: string;
  startedAt: Date;
  /** By the rule that counts. */
  keepDays: number;
  /** Hold that keeps it; null where none does. */
  heldBy: string | null;
}

/** What a run did. */
export interface ExpiryRun {
  erased: number;
  /** Conversations whose time is over and which a hold keeps. */
  held: number;
}

/** Conversations that one transaction ends. */
const ROUND = 500;
const LIST_MAX = 10_000;

/**
 * @param held whether to list what a hold keeps, or what would be erased
 * @returns conversations whose time is over at `nowMs`, oldest first. Where nobody knows when one was held (`unknown`), it is kept.
 */
async function expiredAt(
  session: Session,
  nowMs: number,
  held: boolean,
  max: number,
  teamId?: string,
): Promise<Expired[]> {
  return session.query<Expired>(
    `select c.id, c.badge_id as badge, c.epoch, c.team_id as "teamId", c.started_at as "startedAt", rule.days as "keepDays", hold.id as "heldBy"
     from salestag.conversation c
     join lateral (select min(r.keep_days) as days from salestag.retention r where r.team_id = c.team_id
       and (r.tag is null or exists (select from salestag.tag t where t.conversation_id = c.id and t.kind = r.tag))) rule on rule.days is not null
     ${COVERING_HOLD}
     where c.started_source <> 'unknown' and c.started_at < $1::timestamptz - make_interval(secs => rule.days * 86400.0)
       and (hold.id is not null) = $2 and ($4::uuid is null or c.team_id = $4)
       and not exists (select from salestag.erasure e where e.conversation_id = c.id)
     order by c.started_at, c.id limit $3`,
    [new Date(nowMs), held, max, teamId ?? null],
  );
}

/** @returns what `expire` would erase of a team at this time, and what a hold keeps; at most 10,000 each, oldest first */
export function wouldExpire(
  database: Database,
  teamId: string,
  nowMs: number,
): Promise<{ erased: Expired[]; held: Expired[] }> {
  return database.system(async (session) => ({
    erased: await expiredAt(session, nowMs, false, LIST_MAX, teamId),
    held: await expiredAt(session, nowMs, true, LIST_MAX, teamId),
  }));
}

/**
 * Erases all conversations whose time is over, of every team; the service runs it once a day.
 * @throws as Eraser.finish does; the next run goes on
 */
export async function expire(database: Database, eraser: Eraser, nowMs: number): Promise<ExpiryRun> {
  let erased = 0;
  for (let more = true; more; ) {
    const count = await database.system(async (session) => {
      await eraser.beginAlone(session);
      const expired = await expiredAt(session, nowMs, false, ROUND);
      for (const teamId of new Set(expired.map((one) => one.teamId))) {
        const ofTeam = expired.filter((one) => one.teamId === teamId);
        await eraser.beginExpired(session, { teamId, personId: null }, ofTeam);
      }
      return expired.length;
    });
    erased += count;
    more = count === ROUND;
  }
  await eraser.finish();
  const held = await database.system((session) => expiredAt(session, nowMs, true, LIST_MAX));
  return { erased, held: held.length };
}
