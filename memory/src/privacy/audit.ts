// The audit log: who looked at or changed what, for which purpose. Written in the transaction of what it tells of; holds ids, counts and codes, never what was
// said, a name, or what somebody searched for.
import type { Session } from "../store/database";
import type { Actor } from "./actor";
import { PrivacyError } from "./error";

/** Why somebody looks at conversations; a query states one of these. */
export const PURPOSES = {
  coaching: "To help the rep do better.",
  "deal-review": "To go on with this customer, or to see where a deal stands.",
  "customer-service": "To answer the customer.",
  quality: "To check that recording, transcripts and tags are right.",
  legal: "A right, a duty or a dispute.",
  "own-work": "The rep's own conversations.",
} as const;

export type Purpose = keyof typeof PURPOSES;

/** @returns true for a purpose that may be stated */
export function isPurpose(text: unknown): text is Purpose {
  return typeof text === "string" && Object.hasOwn(PURPOSES, text);
}

/** Numbers, flags, and short codes such as ids, dates and names of kinds: at most 64 letters, digits and `. _ : / + -`. */
export type AuditDetail = Record<string, number | boolean | string | null>;

export interface AuditEntry {
  /** What was done, such as `conversation.read` or `hold.place`. */
  action: string;
  purpose: Purpose;
  conversationIds: string[];
  detail?: AuditDetail;
  /** For what the memory does as the service; the person of the session where it is left out. */
  actor?: Actor;
  /** When it was done; the database's time where it is left out. */
  atMs?: number;
}

const CODE = /^[\w.:/+-]{1,64}$/;
const DETAILS_MAX = 20;

/**
 * Writes an entry in the session's transaction.
 * @throws PrivacyError when it could hold content, has an unknown purpose, or the session is nobody's
 */
export async function audit(session: Session, entry: AuditEntry): Promise<void> {
  const { action, purpose, conversationIds, detail = {}, actor, atMs } = entry;
  check(entry);
  const values = [
    atMs === undefined ? null : new Date(atMs),
    action,
    purpose,
    conversationIds,
    JSON.stringify(detail),
  ];
  await session.query(
    `insert into salestag.audit (id, at, action, purpose, conversation_ids, detail, team_id, person_id)
     values (gen_random_uuid(), coalesce($1::timestamptz, now()), $2, $3, $4::uuid[], $5::jsonb,
       ${actor === undefined ? "salestag.my_team(), salestag.me()" : "$6::uuid, $7::uuid"})`,
    actor === undefined ? values : [...values, actor.teamId, actor.personId],
  );
}

function check({ action, purpose, detail = {} }: AuditEntry): void {
  if (!isPurpose(purpose))
    throw new PrivacyError(
      "invalid",
      `there is no such purpose; state one of ${Object.keys(PURPOSES).join(", ")}.`,
    );
  const texts = [action, ...Object.keys(detail), ...Object.values(detail)].filter(
    (value) => typeof value === "string",
  );
  if (Object.keys(detail).length > DETAILS_MAX || !texts.every((text) => CODE.test(text)))
    throw new PrivacyError("invalid", `the audit entry '${action.slice(0, 64)}' could hold content.`);
}
