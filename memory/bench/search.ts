// Benchmark of search, `npm run bench:search`: how long each kind of query takes in the embedded store among 50,000 conversations, and how well queries with known
// answers find them. `-- --count N` for another number of conversations, `-- --quality` for the second part alone. docs/memory-search.md has results.
import { cpus, loadavg } from "node:os";
import { parseArgs } from "node:util";
import { localEmbedder } from "../src/embed/local";
import { answersTo, before, type Filter, readyText, search, similar, timeline } from "../src/search";
import type { Claims, Database, Session } from "../src/store/database";
import { measureQuality } from "./search-quality";
import { claimsOf, customerOf, idOf, openStore } from "./search-store";
import { randomOf, wordOf, zipf } from "./talk";

const QUERIES = 200;
const WARMING = 20;
const SCANS = 5;
const EMBEDDER = localEmbedder();
const NEVER = new AbortController().signal;
const SENTENCES = [
  "too expensive",
  "ask my husband",
  "where do I sign",
  "contract still runs",
  "roof leaks before winter",
  '"another company"',
  "better offer from the competition",
  "how long does the battery last",
];

/** Makes the query number `n`, and runs it as its person. */
type Ask = (session: Session, n: number, random: () => number) => Promise<unknown>;

const text = (random: () => number) => {
  const words = Array.from({ length: 1 + Math.floor(random() * 3) }, () => wordOf(50 + zipf(random)));
  if (random() < 0.5) words.unshift(SENTENCES[Math.floor(random() * SENTENCES.length)]);
  return words.join(" ");
};

const filterOf = (n: number, random: () => number): Filter => {
  const from = new Date(Date.UTC(2022, 0, 1) + random() * 600 * 864e5);
  const filters: Filter[] = [
    { tags: ["objection.pricing"] },
    { tags: ["objection.pricing", "competitor"] },
    { outcome: "won" },
    { from, to: new Date(from.getTime() + 30 * 864e5) },
    { person: idOf("person", 1 + Math.floor(random() * 19)) },
    { outcome: "won", tags: ["signal.interest"] },
  ];
  return filters[n % filters.length];
};

const KINDS: [string, Ask][] = [
  [
    "hybrid search",
    async (session, _, random) => search(session, await readyText(text(random), EMBEDDER, NEVER)),
  ],
  [
    "hybrid search with a filter",
    async (session, n, random) =>
      search(session, await readyText(text(random), EMBEDDER, NEVER), { filter: filterOf(n, random) }),
  ],
  [
    "newest with a filter",
    async (session, n, random) =>
      search(session, await readyText("", EMBEDDER, NEVER), { filter: filterOf(n, random) }),
  ],
  ["what a customer said before", (session, n) => before(session, customerOf(0, n * 7))],
  ["timeline of a customer", (session, n) => timeline(session, customerOf(0, n * 7))],
  ["answers to a kind of objection", (session) => answersTo(session, { kind: "objection.pricing" })],
  [
    "answers to an objection in words",
    async (session, n) => answersTo(session, { text: await readyText(SENTENCES[n % 4], EMBEDDER, NEVER) }),
  ],
  ["similar conversations", (session, n) => similar(session, EMBEDDER.name, idOf("conversation", n * 13))],
];

/** Six tenths a manager of the large team, the others a rep of it and a manager of a small one. */
function whoOf(n: number): Claims {
  if (n % 10 < 6) return claimsOf(0, 0);
  return n % 10 < 8 ? claimsOf(0, 1 + (n % 19)) : claimsOf(1, 0);
}

const { values } = parseArgs({
  options: { count: { type: "string", default: "50000" }, quality: { type: "boolean", default: false } },
});
if (!values.quality) await measureSpeed(Number(values.count));
await measureQuality(console.log);

async function measureSpeed(count: number): Promise<void> {
  const database = await openStore(count, console.log);
  console.log(
    `${count} conversations; ${cpus().length} cores, load ${loadavg()[0].toFixed(1)}; ${QUERIES} queries of each kind, one after the other`,
  );
  console.log(`${"".padEnd(36)}wall ms: p50   p95   p99     CPU ms: p50   p95   p99`);
  for (const [name, ask] of KINDS) {
    const random = randomOf(1);
    for (let n = 0; n < WARMING; n++) await database.as(whoOf(n), (session) => ask(session, n, random));
    const taken: Taken[] = [];
    for (let n = 0; n < QUERIES; n++)
      taken.push(await timed(() => database.as(whoOf(n), (session) => ask(session, n, random))));
    console.log(
      `${name.padEnd(36)}${shown(
        taken.map(({ wallMs }) => wallMs),
        14,
      )}${shown(
        taken.map(({ cpuMs }) => cpuMs),
        16,
      )}`,
    );
  }
  await compareWithScans(database);
  await database.close();
}

interface Taken {
  wallMs: number;
  /** Of all threads: what it would be on a machine that does nothing else. */
  cpuMs: number;
}

async function timed(work: () => Promise<unknown>): Promise<Taken> {
  const startMs = performance.now();
  const cpu = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(cpu);
  return { wallMs: performance.now() - startMs, cpuMs: (user + system) / 1000 };
}

function shown(times: number[], first: number): string {
  const sorted = times.toSorted((a, b) => a - b);
  const at = (part: number) =>
    sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))].toFixed(1);
  return at(0.5).padStart(first) + at(0.95).padStart(6) + at(0.99).padStart(6);
}

/** The same questions without indexes: every turn read, every vector compared. */
async function compareWithScans(database: Database): Promise<void> {
  const ready = await readyText("too expensive", EMBEDDER, NEVER);
  const scans: [string, string, unknown[]][] = [
    [
      "every turn read (ilike)",
      `select t.conversation_id from salestag.turn t join salestag.conversation c on c.id = t.conversation_id
      where c.team_id = $1 and t.text ilike '%too expensive%' group by 1 limit 100`,
      [idOf("team", 0)],
    ],
    [
      "every vector compared",
      `select e.conversation_id from salestag.embedding e join salestag.conversation c on c.id = e.conversation_id
      where c.team_id = $1 and e.part = 'passage' order by (e.vector <=> $2::halfvec) + 0 limit 50`,
      [idOf("team", 0), ready.vector],
    ],
  ];
  const median = async (work: () => Promise<unknown>) => {
    const taken: number[] = [];
    for (let n = 0; n < SCANS; n++) taken.push((await timed(work)).cpuMs);
    return taken.sort((a, b) => a - b)[Math.floor(SCANS / 2)];
  };
  const hybridMs = await median(() => database.as(claimsOf(0, 0), (session) => search(session, ready)));
  for (const [name, sql, parameters] of scans) {
    const scanMs = await median(() => database.system((session) => session.query(sql, parameters)));
    console.log(
      `${name}: ${scanMs.toFixed(1)} ms of CPU, ${(scanMs / hybridMs).toFixed(1)} times the whole hybrid search (${hybridMs.toFixed(1)} ms)`,
    );
  }
}
