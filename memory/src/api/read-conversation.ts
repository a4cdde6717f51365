// Reads conversations for the API, as whoever asks sees them.
import type { Session } from "../store/database";
import {
  BRIEF_COLUMNS,
  BRIEF_FROM,
  type BriefRow,
  briefAnswer,
  type WholeAnswer,
} from "./conversation-answers";
import { named } from "./schemas";

/** Which conversations. */
export interface ListFilter {
  person?: string;
  customer?: string;
  site?: string;
  territory?: string;
  /** All of them. */
  tags: string[];
  outcome?: string;
  from?: Date;
  to?: Date;
  /** Where the page before ended. */
  after?: { startedAt: Date; id: string };
  limit: number;
}

/** @returns newest first, one more than `limit` where there are more */
export async function listConversations(session: Session, filter: ListFilter): Promise<BriefRow[]> {
  const values: unknown[] = [];
  const given = (value: unknown) => `$${values.push(value)}`;
  const conditions = conditionsOf(filter, given);
  return session.query<BriefRow>(
    `select ${BRIEF_COLUMNS} from ${BRIEF_FROM} ${conditions.length === 0 ? "" : "where"} ${conditions.join(" and ")}
     order by c.started_at desc, c.id desc limit ${given(filter.limit + 1)}`,
    values,
  );
}

/** Only what is asked for: what is left out cannot hinder the use of an index. @param given @returns the place of a value */
function conditionsOf(filter: ListFilter, given: (value: unknown) => string): string[] {
  const { person, customer, site, territory, tags, outcome, from, to, after } = filter;
  const conditions = [...new Set(tags)].map(
    (tag) => `c.id in (select t.conversation_id from salestag.tag t where t.kind = ${given(tag)})`,
  );
  if (person !== undefined) conditions.push(`c.person_id = ${given(person)}`);
  if (customer !== undefined) conditions.push(`f.customer_id = ${given(customer)}`);
  if (site !== undefined) conditions.push(`f.site_id = ${given(site)}`);
  if (territory !== undefined)
    conditions.push(`coalesce(s.territory_id, cu.territory_id) = ${given(territory)}`);
  if (outcome === "open") conditions.push("(f.outcome is null or f.outcome = 'open')");
  else if (outcome !== undefined) conditions.push(`f.outcome = ${given(outcome)}`);
  if (from !== undefined) conditions.push(`c.started_at >= ${given(from)}`);
  if (to !== undefined) conditions.push(`c.started_at < ${given(to)}`);
  if (after !== undefined)
    conditions.push(`(c.started_at, c.id) < (${given(after.startedAt)}, ${given(after.id)}::uuid)`);
  return conditions;
}

interface WholeRow extends BriefRow {
  problems: string[];
  trouble: string | null;
  repMs: number | null;
  otherMs: number | null;
  marksMs: number[];
  note: string | null;
  territoryId: string | null;
  territoryName: string | null;
}

/** @returns all that is known of a conversation, or undefined where this person sees none */
export async function readConversation(
  session: Session,
  id: string,
  withWords: boolean,
): Promise<WholeAnswer | undefined> {
  const [row] = await session.query<WholeRow>(
    `select ${BRIEF_COLUMNS}, c.problems, c.trouble, c.rep_talk_ms as "repMs", c.other_talk_ms as "otherMs", c.marks_ms as "marksMs", f.note,
       te.id as "territoryId", te.name as "territoryName"
     from ${BRIEF_FROM} left join salestag.territory te on te.id = coalesce(s.territory_id, cu.territory_id) where c.id = $1`,
    [id],
  );
  if (row === undefined) return undefined;
  return {
    ...briefAnswer(row),
    problems: row.problems,
    trouble: row.trouble,
    talk: { repMs: row.repMs, otherMs: row.otherMs },
    marksMs: row.marksMs,
    filing: { note: row.note ?? "", territory: named(row.territoryId, row.territoryName) },
    phrases: await session.query(
      `select text, start_ms as "startMs", end_ms as "endMs" from salestag.phrase where conversation_id = $1 order by n`,
      [id],
    ),
    turns: await readTurns(session, id, withWords),
    allTags: await session.query(
      `select kind, turn, first_word as "firstWord", last_word as "lastWord", start_ms as "startMs", end_ms as "endMs", quote, rule, reason, confidence
       from salestag.tag where conversation_id = $1 order by n`,
      [id],
    ),
    sentiment: await readPoints(session, id, "sentiment"),
    engagement: await readPoints(session, id, "engagement"),
  };
}

async function readTurns(session: Session, id: string, withWords: boolean): Promise<WholeAnswer["turns"]> {
  const turns = await session.query<WholeAnswer["turns"][number]>(
    `select turn, speaker, start_ms as "startMs", end_ms as "endMs", text from salestag.turn where conversation_id = $1 order by turn`,
    [id],
  );
  if (!withWords) return turns;
  const words = await session.query<{ turn: number; text: string; startMs: number; endMs: number }>(
    `select turn, text, start_ms as "startMs", end_ms as "endMs" from salestag.word where conversation_id = $1 order by turn, word`,
    [id],
  );
  const wordsOf = new Map(turns.map(({ turn }) => [turn, [] as typeof words]));
  for (const word of words) wordsOf.get(word.turn)?.push(word);
  return turns.map((turn) => ({
    ...turn,
    words: (wordsOf.get(turn.turn) ?? []).map(({ text, startMs, endMs }) => ({ text, startMs, endMs })),
  }));
}

async function readPoints<Kind extends "sentiment" | "engagement">(
  session: Session,
  id: string,
  kind: Kind,
): Promise<WholeAnswer[Kind]> {
  const [row] = await session.query<{ body: { points: WholeAnswer[Kind] } }>(
    "select body from salestag.insight where conversation_id = $1 and kind = $2",
    [id, kind],
  );
  return row?.body.points ?? ([] as WholeAnswer[Kind]);
}
