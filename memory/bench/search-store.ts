// The store that the search benchmark asks: made-up conversations of four teams, of which the first has seven tenths, in the embedded database. It is built once.
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { vectorText } from "../src/embed/embedder";
import { localEmbedder } from "../src/embed/local";
import { partsOf } from "../src/embed/parts";
import { readLabelled } from "../src/labelled/read";
import type { Tag } from "../src/model/structure";
import { ensureVectorIndex } from "../src/search/vector-index";
import type { Database, Session } from "../src/store/database";
import { openDatabase } from "../src/store/open";
import { type MadeTalk, madeTalk, randomOf } from "./talk";

const SEED = 8;
const TEAMS = 4;
const PEOPLE = 20;
const CUSTOMERS = 2000;
const AT_ONCE = 500;
const START_MS = Date.UTC(2022, 0, 1);
const EVERY_MS = 20 * 60 * 1000;
const NO_LIMITS = { statementMsMax: 3_600_000, openMsMax: 3_600_000 };
/** Another number when something below changes what is built. */
const VERSION = 2;
const MODEL = localEmbedder().name;
/** Sentences of the labelled dialogues of which made-up vectors are put together: to embed each text would take hours. */
const POOL = 3000;
const SENTENCES_OF = { passage: 3, moment: 2 };

/** @returns the id of a thing of the benchmark, always the same */
export function idOf(kind: string, number: number): string {
  const hex = createHash("sha256").update(`${kind} ${number}`).digest("hex");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join(
    "-",
  );
}

/** @returns claims of a person; number 0 of a team is its manager */
export function claimsOf(team: number, person: number): { sub: string } {
  return { sub: `person ${team * PEOPLE + person}` };
}

/** @returns the id of a customer of a team */
export function customerOf(team: number, customer: number): string {
  return idOf("customer", team * CUSTOMERS + (customer % CUSTOMERS));
}

/** Opens the store, and builds it first where it is not there. @param count conversations */
export async function openStore(count: number, say: (line: string) => void): Promise<Database> {
  const folder = join(tmpdir(), `salestag-bench-search-${VERSION}-${schema()}-${count}`);
  if (existsSync(folder)) return openDatabase({ folder }, NO_LIMITS);
  const part = `${folder}.part`;
  rmSync(part, { recursive: true, force: true });
  const startedMs = performance.now();
  const database = await openDatabase({ folder: part }, NO_LIMITS);
  await build(database, count, say);
  await database.close();
  renameSync(part, folder);
  say(`built in ${((performance.now() - startedMs) / 1000).toFixed(0)} s: ${folder}`);
  return openDatabase({ folder }, NO_LIMITS);
}

/** Another schema is another store. */
function schema(): string {
  const folder = join(import.meta.dirname, "../migrations");
  const hash = createHash("sha256");
  for (const name of readdirSync(folder).sort()) hash.update(readFileSync(join(folder, name)));
  return hash.digest("hex").slice(0, 8);
}

async function build(database: Database, count: number, say: (line: string) => void): Promise<void> {
  const random = randomOf(SEED);
  await untold(database, addTeams);
  say(`vectors of ${POOL} sentences`);
  await addPool(database);
  for (let at = 0; at < count; at += AT_ONCE) {
    const numbers = Array.from({ length: Math.min(AT_ONCE, count - at) }, (_, offset) => at + offset);
    await untold(database, (session) => addTalks(session, numbers, random));
    if (at % 10_000 === 0) say(`${at} of ${count} conversations`);
  }
  await database.system(async (session) => {
    await session.query("drop table salestag.bench_pool");
    await session.query(
      `insert into salestag.embedding select conversation_id, 'conversation', 0, model, l2_normalize(avg(vector)) from salestag.embedding
      where part = 'passage' group by conversation_id, model`,
    );
  }, NO_LIMITS);
  await database.maintain();
  say("indexes of vectors");
  await ensureVectorIndex(database, localEmbedder());
}

async function addPool(database: Database): Promise<void> {
  const folder = join(import.meta.dirname, "../labelled");
  const sentences = ["tuning.txt", "held-out.txt"]
    .flatMap((name) => readLabelled(readFileSync(join(folder, name), "utf8"), name))
    .flatMap(({ transcript }) => transcript.turns)
    .flatMap(({ text }) => text.split(/(?<=[.!?]) /))
    .slice(0, POOL);
  const vectors = await localEmbedder().embed(sentences, new AbortController().signal);
  await database.system(async (session) => {
    await session.query("create table salestag.bench_pool (n integer primary key, vector vector not null)");
    await session.query(
      "insert into salestag.bench_pool select n - 1, vector::vector from unnest($1::text[]) with ordinality as made (vector, n)",
      [vectors.map(vectorText)],
    );
  });
}

/** Without the triggers that keep what people said in files too: nobody said this. */
async function untold(database: Database, work: (session: Session) => Promise<void>): Promise<void> {
  await database.system(async (session) => {
    await session.query("set local session_replication_role = replica");
    await work(session);
  });
}

async function addTeams(session: Session): Promise<void> {
  for (let team = 0; team < TEAMS; team++) {
    const teamId = idOf("team", team);
    const people = Array.from({ length: PEOPLE }, (_, person) => ({
      id: idOf("person", team * PEOPLE + person),
      team_id: teamId,
      name: `Person ${person}`,
      role: person === 0 ? "manager" : "rep",
      subject: claimsOf(team, person).sub,
    }));
    const customers = Array.from({ length: CUSTOMERS }, (_, customer) => ({
      id: customerOf(team, customer),
      team_id: teamId,
      name: `Customer ${customer}`,
      note: "",
    }));
    await insert(session, "team", [{ id: teamId, name: `Team ${team}`, created_at: new Date(START_MS) }]);
    await insert(session, "badge", [{ id: badgeOf(team), team_id: teamId, label: "badge" }]);
    await insert(session, "person", people);
    await insert(session, "customer", customers);
  }
}

function badgeOf(team: number): string {
  return team.toString(16).padStart(16, "0");
}

async function addTalks(session: Session, numbers: number[], random: () => number): Promise<void> {
  const rows: Record<string, object[]> = {
    conversation: [],
    consent: [],
    turn: [],
    tag: [],
    insight: [],
    filing: [],
    embedding: [],
  };
  for (const number of numbers) addRows(rows, number, random);
  const { embedding, ...others } = rows;
  for (const [table, made] of Object.entries(others)) await insert(session, table, made);
  await session.query(
    `insert into salestag.embedding
    select r.conversation_id, r.part, r.n, $2, l2_normalize(sum(p.vector))::halfvec
    from jsonb_to_recordset($1::jsonb) as r (conversation_id uuid, part text, n integer, pool integer[])
      join salestag.bench_pool p on p.n = any(r.pool) group by 1, 2, 3`,
    [JSON.stringify(embedding), MODEL],
  );
  await session.query(
    "update salestag.conversation set document = salestag.search_document(id, 'english') where id = any($1::uuid[])",
    [numbers.map((number) => idOf("conversation", number))],
  );
}

function addRows(rows: Record<string, object[]>, number: number, random: () => number): void {
  const id = idOf("conversation", number);
  const team = random() < 0.7 ? 0 : 1 + Math.floor(random() * (TEAMS - 1));
  const person = Math.floor(random() * PEOPLE);
  rows.conversation.push({
    id,
    team_id: idOf("team", team),
    badge_id: badgeOf(team),
    epoch: number,
    person_id: idOf("person", team * PEOPLE + person),
    started_at: new Date(START_MS + number * EVERY_MS),
    started_source: "badge clock",
    duration_ms: 120_000,
    state: "final",
    complete: true,
    problems: [],
    marks_ms: [],
    chunks: 3,
    transcribed_by: "bench",
    structured_by: "bench",
    embedded_by: MODEL,
  });
  rows.consent.push({ conversation_id: id, at_ms: 0, means: "announced" });
  if (random() < 0.5) {
    const outcome = ["open", "open", "won", "lost"][Math.floor(random() * 4)];
    rows.filing.push({
      conversation_id: id,
      team_id: idOf("team", team),
      customer_id: customerOf(team, number),
      outcome,
      note: "",
    });
  }
  addSaid(rows, id, madeTalk(random), random);
}

function addSaid(rows: Record<string, object[]>, id: string, talk: MadeTalk, random: () => number): void {
  for (const [turn, { speaker, text }] of talk.turns.entries())
    rows.turn.push({
      conversation_id: id,
      turn,
      speaker,
      start_ms: turn * 5000,
      end_ms: turn * 5000 + 4800,
      text,
    });
  for (const [n, { kind, turn, quote }] of talk.tags.entries())
    rows.tag.push({
      conversation_id: id,
      n,
      kind,
      turn,
      first_word: 0,
      last_word: 0,
      start_ms: turn * 5000,
      end_ms: turn * 5000 + 4800,
      quote,
      rule: "bench",
      reason: "made up",
      confidence: 1,
    });
  rows.insight.push({ conversation_id: id, kind: "summary", body: { text: talk.summary } });
  const turns = talk.turns.map((turn) => ({ ...turn, startMs: 0, endMs: 0, words: [] }));
  for (const { part, n } of partsOf({ turns }, { tags: talk.tags as Tag[] })) {
    const pool = Array.from({ length: SENTENCES_OF[part] }, () => Math.floor(random() * POOL));
    rows.embedding.push({ conversation_id: id, part, n, pool });
  }
}

async function insert(session: Session, table: string, rows: object[]): Promise<void> {
  await session.query(
    `insert into salestag.${table} select * from jsonb_populate_recordset(null::salestag.${table}, $1::jsonb)`,
    [JSON.stringify(rows)],
  );
}
