// What a conversation is in the database: one function for each thing that is written, all idempotent, all in a transaction of the caller's.
import { ConsentMeans } from "@salestag/protocol/host";
import type { Timeline } from "@salestag/protocol/team";
import type { Place } from "../ingest/archive";
import { conversationId } from "../model/conversation-id";
import type { Structure } from "../model/structure";
import type { Speaker, Transcript, Turn, Word } from "../model/transcript";
import type { Session } from "../store/database";
import type { HeardPhrase } from "./epoch";

/** A badge whose team is not told yet belongs to this one. */
export interface Owner {
  teamId: string;
  label: string;
}

/** Whose conversation it is. */
export interface Whose {
  teamId: string;
  /** null where nobody said. */
  personId: string | null;
}

/** What is known of a conversation while its chunks come. */
export interface OpenRow {
  place: Place;
  startUnixMs: number;
  startSource: string;
  durationMs: number;
  consent: { atMs: number; means: ConsentMeans };
  phrases: HeardPhrase[];
  chunks: number;
}

/** Largest `integer` of PostgreSQL: 24 days in ms; what lies beyond is no time in a conversation. */
const INT_MAX = 2_147_483_647;
const MEANS: Record<number, string> = {
  [ConsentMeans.Announced]: "announced",
  [ConsentMeans.Phrase]: "phrase",
  [ConsentMeans.Button]: "button",
};

/** @returns true when a conversation was erased, or is being erased: nothing of it is written */
export async function isErased(session: Session, id: string): Promise<boolean> {
  const rows = await session.query("select from salestag.erasure where conversation_id = $1", [id]);
  return rows.length > 0;
}

/** @returns team and wearer of a badge at a time; a badge that is not told yet becomes the owner's */
export async function whoseIs(
  session: Session,
  badge: string,
  atUnixMs: number,
  owner: Owner,
): Promise<Whose> {
  await session.query(
    "insert into salestag.badge (id, team_id, label) values ($1, $2, $3) on conflict (id) do nothing",
    [badge, owner.teamId, owner.label],
  );
  const [row] = await session.query<Whose>(
    `select team_id as "teamId", (
        select person_id from salestag.wearer where badge_id = b.id and since <= $2 order by since desc limit 1
      ) as "personId"
      from salestag.badge b where id = $1`,
    [badge, new Date(atUnixMs)],
  );
  return row;
}

/**
 * Puts right who wore a badge, for all its conversations: after somebody said so.
 * @param badge null: all badges
 */
export async function assignWearers(session: Session, badge: string | null): Promise<void> {
  const worn = `(select person_id from salestag.wearer w where w.badge_id = c.badge_id and w.since <= c.started_at
    order by w.since desc limit 1)`;
  await session.query(
    `update salestag.conversation c set person_id = ${worn}
      where (badge_id = $1 or $1::text is null) and person_id is distinct from ${worn}`,
    [badge],
  );
}

/**
 * Writes what is known of a conversation while its chunks come. One that is final keeps its row.
 * @returns phrases that were not known before, and whether the conversation was not
 */
export async function writeOpen(
  session: Session,
  row: OpenRow,
  whose: Whose,
): Promise<{ fresh: HeardPhrase[]; isNew: boolean }> {
  const { place, consent, chunks } = row;
  const id = conversationId(place.badge, place.epoch);
  const before = await session.query("select from salestag.conversation where id = $1", [id]);
  await session.query(
    `insert into salestag.conversation
        (id, team_id, badge_id, epoch, person_id, started_at, started_source, duration_ms, state, complete, chunks)
      values ($1, $2, $3, $4, $5, $6, $7, $8, 'open', false, $9)
      on conflict (id) do update set person_id = excluded.person_id, started_at = excluded.started_at,
        started_source = excluded.started_source, duration_ms = excluded.duration_ms, chunks = excluded.chunks
      where conversation.state = 'open'`,
    [
      id,
      whose.teamId,
      place.badge,
      place.epoch,
      whose.personId,
      new Date(row.startUnixMs),
      row.startSource,
      int(row.durationMs),
      chunks,
    ],
  );
  await session.query(
    "insert into salestag.consent (conversation_id, at_ms, means) values ($1, $2, $3) on conflict (conversation_id) do nothing",
    [id, int(consent.atMs), MEANS[consent.means] ?? `means ${consent.means}`],
  );
  const fresh = await replacePhrases(session, id, row.phrases);
  return { fresh, isNew: before.length === 0 };
}

/** @returns those that were not there before, told by their text and how many of it there are: their times move when earlier chunks come */
async function replacePhrases(session: Session, id: string, phrases: HeardPhrase[]): Promise<HeardPhrase[]> {
  const known = await session.query<{ text: string }>(
    "delete from salestag.phrase where conversation_id = $1 returning text",
    [id],
  );
  await insertPhrases(session, id, phrases);
  const left = known.map(({ text }) => text);
  return phrases.filter(({ text }) => {
    const at = left.indexOf(text);
    if (at >= 0) left.splice(at, 1);
    return at < 0;
  });
}

async function insertPhrases(session: Session, id: string, phrases: HeardPhrase[]): Promise<void> {
  const rows = phrases.map(({ startMs, endMs, text }, n) => ({
    n,
    start_ms: int(startMs),
    end_ms: int(endMs),
    text,
  }));
  await session.query(
    `insert into salestag.phrase (conversation_id, n, start_ms, end_ms, text)
      select $1, n, start_ms, end_ms, text from jsonb_to_recordset($2::jsonb)
        as r (n integer, start_ms integer, end_ms integer, text text)`,
    [id, JSON.stringify(rows)],
  );
}

/** What stands of a conversation. */
export interface Standing {
  state: string;
  chunks: number;
  startedSource: string;
}

export async function standingOf(session: Session, id: string): Promise<Standing | undefined> {
  const [row] = await session.query<Standing>(
    `select state, chunks, started_source as "startedSource" from salestag.conversation where id = $1`,
    [id],
  );
  return row;
}

/** Dates a conversation anew, and says who wore the badge then. */
export async function redate(
  session: Session,
  { badge, epoch, startUnixMs, startUnixSource }: Timeline,
  whose: Whose,
) {
  await session.query(
    "update salestag.conversation set started_at = $2, started_source = $3, person_id = $4 where id = $1",
    [conversationId(badge, epoch), new Date(startUnixMs), startUnixSource, whose.personId],
  );
}

/** Replaces everything of a conversation by what its chunks and its transcript say: what is made of them is to be made anew. */
export async function writeFinal(
  session: Session,
  timeline: Timeline,
  chunks: number,
  transcript: Transcript,
  whose: Whose,
): Promise<void> {
  const { badge, epoch, consent } = timeline;
  if (consent === null) throw new Error(`conversation ${badge}/${epoch} has no consent and is not stored`);
  const id = conversationId(badge, epoch);
  await session.query("delete from salestag.conversation where id = $1", [id]);
  await session.query(
    `insert into salestag.conversation
        (id, team_id, badge_id, epoch, person_id, started_at, started_source, duration_ms, state, complete, problems,
          rep_talk_ms, other_talk_ms, marks_ms, chunks)
      values ($1, $2, $3, $4, $5, $6, $7, $8, 'final', $9, $10, $11, $12, $13, $14)`,
    [
      id,
      whose.teamId,
      badge,
      epoch,
      whose.personId,
      new Date(timeline.startUnixMs),
      timeline.startUnixSource,
      int(timeline.durationMs),
      timeline.complete,
      timeline.problems,
      talkMs(timeline, "near"),
      talkMs(timeline, "far"),
      timeline.marks.map(int),
      chunks,
    ],
  );
  await session.query("insert into salestag.consent (conversation_id, at_ms, means) values ($1, $2, $3)", [
    id,
    int(consent.atMs),
    consent.means,
  ]);
  await insertPhrases(session, id, timeline.phrases);
  await replaceTranscript(session, id, transcript);
}

function talkMs({ turns }: Timeline, talker: "near" | "far"): number {
  const own = turns.filter((turn) => turn.talker === talker);
  return int(own.reduce((sum, { startMs, endMs }) => sum + endMs - startMs, 0));
}

/** Replaces turns and words; tags, insights and embeddings of the earlier ones go. */
export async function replaceTranscript(session: Session, id: string, transcript: Transcript): Promise<void> {
  for (const table of ["turn", "tag", "insight", "embedding"])
    await session.query(`delete from salestag.${table} where conversation_id = $1`, [id]);
  const turns = transcript.turns.map(({ speaker, startMs, endMs, text }, turn) => ({
    turn,
    speaker,
    start_ms: int(startMs),
    end_ms: int(endMs),
    text,
  }));
  await session.query(
    `insert into salestag.turn (conversation_id, turn, speaker, start_ms, end_ms, text)
      select $1, turn, speaker, start_ms, end_ms, text from jsonb_to_recordset($2::jsonb)
        as r (turn integer, speaker text, start_ms integer, end_ms integer, text text)`,
    [id, JSON.stringify(turns)],
  );
  const words = transcript.turns.flatMap((own, turn) =>
    own.words.map(({ text, startMs, endMs }, word) => ({
      turn,
      word,
      text,
      start_ms: int(startMs),
      end_ms: int(endMs),
    })),
  );
  await session.query(
    `insert into salestag.word (conversation_id, turn, word, text, start_ms, end_ms)
      select $1, turn, word, text, start_ms, end_ms from jsonb_to_recordset($2::jsonb)
        as r (turn integer, word integer, text text, start_ms integer, end_ms integer)`,
    [id, JSON.stringify(words)],
  );
  await session.query(
    `update salestag.conversation set transcribed_by = $2, structured_by = null, embedded_by = null, document = null
      where id = $1`,
    [id, transcript.source],
  );
}

interface TranscriptRow {
  source: string | null;
  durationMs: number;
  chunks: number;
  language: string | null;
}

interface TurnRow {
  speaker: Speaker;
  startMs: number;
  endMs: number;
  text: string;
}

/**
 * @param badgeLanguage of what the badge itself heard
 * @returns the transcript that stands; undefined where the conversation is not there
 */
export async function readTranscript(
  session: Session,
  id: string,
  badgeLanguage: string,
): Promise<{ transcript: Transcript; chunks: number } | undefined> {
  const [row] = await session.query<TranscriptRow>(
    `select transcribed_by as source, duration_ms as "durationMs", chunks,
        (select t.body ->> 'language' from salestag.transcript t where t.conversation_id = c.id and t.source = c.transcribed_by) as language
      from salestag.conversation c where id = $1`,
    [id],
  );
  if (row?.source == null) return undefined;
  const turns = await session.query<TurnRow>(
    `select speaker, start_ms as "startMs", end_ms as "endMs", text from salestag.turn where conversation_id = $1 order by turn`,
    [id],
  );
  const words = await session.query<Word & { turn: number }>(
    `select turn, text, start_ms as "startMs", end_ms as "endMs" from salestag.word where conversation_id = $1 order by turn, word`,
    [id],
  );
  const made: Turn[] = turns.map((turn) => ({ ...turn, words: [] }));
  for (const { turn, ...word } of words) made[turn].words.push(word);
  const { source, durationMs, chunks } = row;
  const language = row.language ?? badgeLanguage;
  return { transcript: { source, language, durationMs, turns: made }, chunks };
}

/** Replaces tags and insights. */
export async function replaceStructure(
  session: Session,
  id: string,
  { tags, insights }: Structure,
  by: string,
): Promise<void> {
  for (const table of ["tag", "insight", "embedding"])
    await session.query(`delete from salestag.${table} where conversation_id = $1`, [id]);
  const rows = tags.map((tag, n) => ({ n, ...tag, startMs: int(tag.startMs), endMs: int(tag.endMs) }));
  await session.query(
    `insert into salestag.tag
        (conversation_id, n, kind, turn, first_word, last_word, start_ms, end_ms, quote, rule, reason, confidence)
      select $1, n, kind, turn, "firstWord", "lastWord", "startMs", "endMs", quote, rule, reason, confidence
        from jsonb_to_recordset($2::jsonb) as r (n integer, kind text, turn integer, "firstWord" integer, "lastWord" integer,
          "startMs" integer, "endMs" integer, quote text, rule text, reason text, confidence real)`,
    [id, JSON.stringify(rows)],
  );
  for (const { kind, ...body } of insights)
    await session.query("insert into salestag.insight (conversation_id, kind, body) values ($1, $2, $3)", [
      id,
      kind,
      JSON.stringify(body),
    ]);
  await session.query(
    "update salestag.conversation set structured_by = $2, embedded_by = null, document = null where id = $1",
    [id, by],
  );
}

function int(value: number): number {
  return Math.max(-INT_MAX, Math.min(INT_MAX, Math.round(value)));
}
