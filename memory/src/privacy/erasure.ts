// Erasure for good: rows, told files, sealed audio, keys, and what the database's files keep of deleted rows. What is to be erased is written down first, so that
// whatever interrupts it, the next `finish` goes on; each step can be done again without harm.
//
// The order: 1. the tombstones (nothing is taken in again from here on), 2. the rows (nobody sees it any more), 3. the keys (sealed copies elsewhere are dead),
// 4. the sealed audio here, 5. what lies in the database's files, 6. the note that it is done. Were the keys first, a vault that is in use or away would leave
// the text readable; were the tombstones not first, a chunk that is delivered again would bring back what was erased.
import { clauseOf } from "@salestag/protocol/service";
import type { Archive, Place } from "../ingest/archive";
import { conversationId } from "../model/conversation-id";
import type { Database, Session } from "../store/database";
import type { Actor } from "./actor";
import { audit } from "./audit";
import { PrivacyError } from "./error";
import { refuseHeld } from "./hold";
import { scrub } from "./scrub";
import { type KeyHolder, shredKeys } from "./shredding";
import { conversationsOf, type Known, type Subject } from "./subject";

/** Sealed chunks that are kept here. */
export interface ErasableArchive extends Pick<Archive, "places"> {
  /** Deletes a conversation's chunks; none are there when it resolves. */
  remove(place: Place): Promise<unknown>;
}

/** Where everything lies. */
export interface EraserParts {
  database: Database;
  archive: ErasableArchive;
  keys: KeyHolder;
  /** Folder of the embedded database's own files; undefined on PostgreSQL. */
  databaseFolder: string | undefined;
}

/** Why something was erased; kept for good, so it is no free text. */
export const ERASURE_REASONS = ["asked", "retention", "mistake", "law", "closed-account"] as const;
export type ErasureReason = (typeof ERASURE_REASONS)[number];

/** What was erased, or is being erased. */
export interface ErasureBegun {
  conversationIds: string[];
  /** Conversations whose badge and epoch nobody knows any more: their keys stay in the vault. */
  withoutKeys: string[];
}

/** First number of the advisory lock that refuse_erased (0004-erasure.sql) shares. */
const LOCK = [8207, 1] as const;
/** Conversations of one round of `finish`. */
const ROUND = 500;

interface Unfinished {
  id: string;
  badge: string | null;
  epoch: number | null;
}

/** Erases. One `finish` runs at a time; whoever asks meanwhile waits for the next. */
export class Eraser {
  private last: Promise<void> = Promise.resolve();

  constructor(
    private readonly parts: EraserParts,
    private readonly nowMs: () => number,
  ) {}

  /**
   * Erases a conversation, everything of a customer, or everything that a person recorded. When it returns, all of it is gone; when it throws anything but a
   * PrivacyError, it was begun, and `finish` ends it.
   * @throws PrivacyError when the team has no such thing, or a hold covers any of it: then nothing was erased
   */
  async erase(actor: Actor, subject: Subject, reason: ErasureReason): Promise<ErasureBegun> {
    const begun = await this.begin(actor, subject, reason);
    await this.finish();
    return begun;
  }

  /**
   * Writes down what is to be erased; `finish` does it.
   * @throws PrivacyError as `erase` does
   */
  async begin(actor: Actor, subject: Subject, reason: ErasureReason): Promise<ErasureBegun> {
    if (!ERASURE_REASONS.includes(reason))
      throw new PrivacyError(
        "invalid",
        `there is no such reason; state one of ${ERASURE_REASONS.join(", ")}.`,
      );
    const places = this.placesById();
    return this.parts.database.system(async (session) => {
      await session.query("select pg_advisory_xact_lock($1, $2)", [...LOCK]);
      const known = await conversationsOf(session, actor.teamId, subject);
      await refuseHeld(
        session,
        actor.teamId,
        subject,
        known.map(({ id }) => id),
      );
      const found = known.map((one) => ({
        ...one,
        ...(one.badge === null ? places.get(one.id) : undefined),
      }));
      await this.entomb(session, actor, found, reason, subject);
      return {
        conversationIds: found.map(({ id }) => id),
        withoutKeys: found.filter(({ badge }) => badge === null).map(({ id }) => id),
      };
    });
  }

  /**
   * Writes down conversations that a rule of retention ends, in the transaction that found them.
   * @param session a transaction of the service that has called `beginAlone`
   */
  async beginExpired(session: Session, actor: Actor, expired: Known[]): Promise<void> {
    await this.entomb(session, actor, expired, "retention", undefined);
  }

  /** Nobody writes what an erasure looks at until this transaction's end. */
  async beginAlone(session: Session): Promise<void> {
    await session.query("select pg_advisory_xact_lock($1, $2)", [...LOCK]);
  }

  /**
   * Ends every erasure that was begun; the service calls it at its start and after each.
   * @throws what went wrong; what was begun stays so, and the next call goes on
   */
  finish(): Promise<void> {
    const turn = this.last.then(() => this.finishAll());
    this.last = turn.catch(() => undefined);
    return turn;
  }

  /** A step that fails does not keep the others from being done; what it was for stays begun. */
  private async finishAll(): Promise<void> {
    const failures: unknown[] = [];
    const attempt = async (step: () => Promise<unknown>) => {
      try {
        await step();
      } catch (cause) {
        failures.push(cause);
      }
    };
    const customers = await this.deleteCustomers();
    const begun = await this.unfinished();
    for (let from = 0; from < begun.length; from += ROUND)
      await this.deleteRows(begun.slice(from, from + ROUND));
    for (const places of byBadge(begun)) {
      await attempt(() => shredKeys(this.parts.keys, places));
      for (const place of places) await attempt(() => this.parts.archive.remove(place));
    }
    await attempt(() => this.scrubIfDue());
    if (failures.length === 1) throw failures[0];
    if (failures.length > 1)
      throw new AggregateError(
        failures,
        `${failures.length} steps of an erasure failed and are tried again; the first: ${clauseOf(failures[0])}.`,
      );
    await this.markDone(
      begun.map(({ id }) => id),
      customers,
    );
  }

  /** Ids follow from badge and epoch, so a conversation without a row may still be found by its chunks. */
  private placesById(): Map<string, Place> {
    const places = this.parts.archive.places();
    return new Map(places.map((place) => [conversationId(place.badge, place.epoch), place]));
  }

  private async entomb(
    session: Session,
    actor: Actor,
    found: Known[],
    reason: ErasureReason,
    subject: Subject | undefined,
  ): Promise<void> {
    const now = new Date(this.nowMs());
    const ids = found.map(({ id }) => id);
    if (subject?.kind === "customer")
      await session.query(
        "insert into salestag.customer_erasure (customer_id, team_id, reason, begun_at) values ($1, $2, $3, $4) on conflict do nothing",
        [subject.id, actor.teamId, reason, now],
      );
    await session.query(
      `insert into salestag.erasure (conversation_id, team_id, badge_id, epoch, reason, begun_at)
       select id, $1, badge, epoch, $2, $3 from unnest($4::uuid[], $5::text[], $6::bigint[]) one(id, badge, epoch)
       on conflict do nothing`,
      [actor.teamId, reason, now, ids, found.map(({ badge }) => badge), found.map(({ epoch }) => epoch)],
    );
    const detail = subject === undefined ? { reason } : { reason, [subject.kind]: subject.id };
    await audit(session, {
      ...{ actor, atMs: now.getTime(), action: "erase", purpose: "legal" },
      ...{ conversationIds: ids, detail },
    });
  }

  private unfinished(): Promise<Unfinished[]> {
    return this.parts.database.system((session) =>
      session.query<Unfinished>(
        "select conversation_id as id, badge_id as badge, epoch from salestag.erasure where done_at is null order by begun_at, 1",
      ),
    );
  }

  private async deleteRows(round: Unfinished[]): Promise<void> {
    const ids = round.map(({ id }) => id);
    await this.parts.database.system(async (session) => {
      await askForScrub(session);
      await session.query("delete from salestag.conversation where id = any($1::uuid[])", [ids]);
      await session.query("delete from salestag.transcript where conversation_id = any($1::uuid[])", [ids]);
      await session.query("delete from salestag.filing where conversation_id = any($1::uuid[])", [ids]);
    });
  }

  /** Deletes customers whose erasure was begun, with their sites, and what a released hold says of them. @returns their ids */
  private async deleteCustomers(): Promise<string[]> {
    const ids = await this.parts.database.system((session) =>
      session.query<{ id: string }>(
        "select customer_id as id from salestag.customer_erasure where done_at is null",
      ),
    );
    if (ids.length === 0) return [];
    const customers = ids.map(({ id }) => id);
    await this.parts.database.system(askForScrub);
    // One after the other: told files, too, are gone in this order, so that no file is left that refers to one which is gone.
    for (const statement of DELETE_CUSTOMERS)
      await this.parts.database.system((session) => session.query(statement, [customers]));
    return customers;
  }

  private async scrubIfDue(): Promise<void> {
    const { database, databaseFolder } = this.parts;
    const due = await database.system((session) => session.query("select from salestag.scrub_due limit 1"));
    if (due.length === 0) return;
    await scrub(database, databaseFolder);
    await database.system((session) => session.query("delete from salestag.scrub_due"));
  }

  /** Only what this turn did: more may have begun meanwhile. */
  private async markDone(conversations: string[], customers: string[]): Promise<void> {
    const now = new Date(this.nowMs());
    await this.parts.database.system(async (session) => {
      const done = "set done_at = $1 where done_at is null and";
      await session.query(`update salestag.erasure ${done} conversation_id = any($2::uuid[])`, [
        now,
        conversations,
      ]);
      await session.query(`update salestag.customer_erasure ${done} customer_id = any($2::uuid[])`, [
        now,
        customers,
      ]);
    });
  }
}

const DELETE_CUSTOMERS = [
  `delete from salestag.filing where customer_id = any($1::uuid[])
     or site_id in (select id from salestag.site where customer_id = any($1::uuid[]))`,
  "delete from salestag.site where customer_id = any($1::uuid[])",
  "update salestag.hold set reason = 'erased with the customer' where customer_id = any($1::uuid[])",
  "delete from salestag.customer where id = any($1::uuid[])",
];

function byBadge(begun: Unfinished[]): Place[][] {
  const badges = new Map<string, Place[]>();
  for (const { badge, epoch } of begun)
    if (badge !== null && epoch !== null) badges.set(badge, [...(badges.get(badge) ?? []), { badge, epoch }]);
  return [...badges.values()];
}

/** Asked for in the transaction that deletes: it is done, or it is still asked for. */
async function askForScrub(session: Session): Promise<void> {
  await session.query(
    "insert into salestag.scrub_due select now() where not exists (select from salestag.scrub_due)",
  );
}
