// What an export has of one conversation: everything that the memory keeps of it, but for what is about others.
import type { Session } from "../../store/database";
import type { Subject } from "../subject";

/** A conversation as the person gets it; times in it are ms after its start, where nothing else is said. */
export interface ExportedConversation {
  id: string;
  startedAt: Date;
  startedSource: string;
  durationMs: number;
  /** Whether all of it arrived. */
  complete: boolean;
  /** How the other one consented. */
  consent: { atMs: number; means: string };
  /** Who wrote down what was said: `badge` where only the badge heard it. */
  transcribedBy: string | null;
  turns: { speaker: string; startMs: number; endMs: number; text: string }[];
  phrases: { startMs: number; endMs: number; text: string }[];
  tags: { kind: string; quote: string; reason: string; rule: string; confidence: number; startMs: number }[];
  insights: { kind: string; body: unknown }[];
  /** Where it belongs, as people said. A person's export has no notes and no address: they are about the customer. */
  filing: { customerId: string | null; address: string | null; outcome: string; note: string | null } | null;
}

/** A conversation's place among the sealed chunks, and what is exported of it. */
export interface ExportRow {
  badge: string;
  epoch: number;
  conversation: ExportedConversation;
}

type Head = Omit<ExportedConversation, "consent" | "turns" | "phrases" | "tags" | "insights" | "filing"> & {
  badge: string;
  epoch: number;
  atMs: number;
  means: string;
};

const HEAD = `select c.id, c.badge_id as badge, c.epoch, c.started_at as "startedAt", c.started_source as "startedSource", c.duration_ms as "durationMs",
    c.complete, c.transcribed_by as "transcribedBy", consent.at_ms as "atMs", consent.means
  from salestag.conversation c join salestag.consent on consent.conversation_id = c.id where c.id = $1`;
const of = (columns: string, table: string, order: string) =>
  `select ${columns} from salestag.${table} where conversation_id = $1 order by ${order}`;
const FILING = `select f.customer_id as "customerId", f.outcome, f.note, s.address, s.customer_id as "siteOf" from salestag.filing f
  left join salestag.site s on s.id = f.site_id where f.conversation_id = $1`;

/** @returns undefined where the conversation is not here any more */
export async function readConversation(
  session: Session,
  id: string,
  subject: Subject,
): Promise<ExportRow | undefined> {
  const all = <Row extends object>(sql: string) => session.query<Row>(sql, [id]);
  const [head] = await all<Head>(HEAD);
  if (head === undefined) return undefined;
  const { badge, epoch, atMs, means, ...rest } = head;
  const span = 'start_ms as "startMs", end_ms as "endMs", text';
  const tagged = 'kind, quote, reason, rule, confidence, start_ms as "startMs"';
  const conversation: ExportedConversation = {
    ...rest,
    consent: { atMs, means },
    turns: await all(of(`speaker, ${span}`, "turn", "turn")),
    phrases: await all(of(span, "phrase", "n")),
    tags: await all(of(tagged, "tag", "n")),
    insights: await all(of("kind, body", "insight", "kind")),
    filing: await readFiling(session, id, subject),
  };
  return { badge, epoch, conversation };
}

async function readFiling(
  session: Session,
  id: string,
  subject: Subject,
): Promise<ExportedConversation["filing"]> {
  const [filing] = await session.query<{
    customerId: string | null;
    outcome: string;
    note: string;
    address: string | null;
    siteOf: string | null;
  }>(FILING, [id]);
  if (filing === undefined) return null;
  const { customerId, outcome, note, address, siteOf } = filing;
  if (subject.kind === "person") return { customerId, outcome, address: null, note: null };
  // Filed at a site of somebody else: the note may be about either.
  const own = customerId === null || customerId === subject.id;
  return {
    customerId: own ? customerId : null,
    outcome,
    address: siteOf === subject.id ? address : null,
    note: own ? note : null,
  };
}

/** What the memory knows of the one whom the export is for. */
export async function readSubject(session: Session, { kind, id }: Subject): Promise<object> {
  const [own] = await session.query(
    kind === "customer"
      ? `select c.id, c.name, c.note, t.name as territory from salestag.customer c left join salestag.territory t on t.id = c.territory_id where c.id = $1`
      : "select id, name, role from salestag.person where id = $1",
    [id],
  );
  if (kind === "person") {
    const worn = await session.query(
      "select badge_id as badge, since from salestag.wearer where person_id = $1 order by since",
      [id],
    );
    return { kind, ...own, badges: worn };
  }
  const sites = await session.query(
    "select id, address from salestag.site where customer_id = $1 order by address",
    [id],
  );
  return { kind, ...own, sites };
}

/** An entry of the audit log that is about the subject. */
export interface ExportedEntry {
  id: string;
  at: Date;
  action: string;
  purpose: string;
  /** Who did it; the memory itself is `service`. */
  by: string;
  /** Those of the export. */
  conversationIds: string[];
}

const ENTRIES = 500;
/** As precise as a Date, so that no entry is on two pages. */
const AT = "date_trunc('milliseconds', a.at)";

/**
 * @param after the last entry of the page before
 * @returns the next entries on these conversations, on the subject, or by the person, oldest first; none at the end
 */
export function readEntries(
  session: Session,
  subject: Subject,
  ids: string[],
  after: ExportedEntry | undefined,
): Promise<ExportedEntry[]> {
  return session.query<ExportedEntry>(
    `select a.id, ${AT} as at, a.action, a.purpose, coalesce(p.role, 'service') as by,
       array(select one from unnest(a.conversation_ids) one where one = any($1::uuid[])) as "conversationIds"
     from salestag.audit a left join salestag.person p on p.id = a.person_id
     where (a.conversation_ids && $1::uuid[] or a.detail ->> $2 = $3 ${subject.kind === "person" ? "or a.person_id = $3::uuid" : ""})
       and ($4::timestamptz is null or (${AT}, a.id) > ($4, $5::uuid))
     order by ${AT}, a.id limit ${ENTRIES}`,
    [ids, subject.kind, subject.id, after?.at ?? null, after?.id ?? null],
  );
}
