// Times of the embedded database: starting it, small transactions, lists of one person among many conversations. Run: tsx memory/bench/store.ts
// [conversations]; times are wall clock, p50 and p95, on whatever else the machine does.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Database } from "../src/store/database";
import { openDatabase, rebuildDatabase } from "../src/store/open";
import { addTeams, badgeOf, idOf, NUMBERS, subjectOf } from "../src/testing/teams";

const COUNT = Number(process.argv[2] ?? 50_000);
const TIMES = 200;
const LIMITS = { statementMsMax: 600_000, openMsMax: 600_000 };
const folder = mkdtempSync(join(tmpdir(), "salestag-bench-"));
const team = idOf("a", NUMBERS.team);

async function timed<T>(what: string, work: () => Promise<T>): Promise<T> {
  const startMs = performance.now();
  const result = await work();
  console.log(`${what}: ${Math.round(performance.now() - startMs)} ms`);
  return result;
}

async function repeated(what: string, work: () => Promise<unknown>): Promise<void> {
  const timesMs: number[] = [];
  for (let n = 0; n < TIMES; n++) {
    const startMs = performance.now();
    await work();
    timesMs.push(performance.now() - startMs);
  }
  timesMs.sort((a, b) => a - b);
  const at = (part: number) => timesMs[Math.floor(part * TIMES)].toFixed(1);
  console.log(`${what}: p50 ${at(0.5)} ms, p95 ${at(0.95)} ms`);
}

async function fill(database: Database): Promise<void> {
  await database.system(async (session) => {
    await session.query(
      `insert into salestag.conversation (id, team_id, badge_id, epoch, person_id, started_at, started_source, duration_ms, state, complete, chunks)
        select gen_random_uuid(), $1, $2, n + 1000, case when n % 10 = 0 then $3 else $4 end::uuid, now() - n * interval '1 minute', 'badge clock',
          60000, 'final', true, 3 from generate_series(1, $5::int) n`,
      [team, badgeOf("a"), idOf("a", NUMBERS.rep), idOf("a", NUMBERS.otherRep), COUNT],
    );
    await session.query(
      "insert into salestag.consent select id, 0, 'button' from salestag.conversation on conflict do nothing",
    );
    await session.query(
      `insert into salestag.tag select c.id, k, 'kind-' || k, 0, 0, 1, 0, 1, 'quote', 'rule', 'reason', 1
        from salestag.conversation c, generate_series(1, 5) k on conflict do nothing`,
    );
  }, LIMITS);
}

async function measure(database: Database): Promise<void> {
  const rep = { sub: subjectOf("a", "rep") };
  const one = (text: string) => database.as(rep, (session) => session.query(text));
  await repeated("a person's transaction, one statement", () => one("select 1"));
  await repeated("a told row (file with fsync)", () =>
    database.system((s) =>
      s.query("insert into salestag.customer (id, team_id, name) values (gen_random_uuid(), $1, 'x')", [
        team,
      ]),
    ),
  );
  await repeated("an audit row (line with fsync)", () =>
    database.system((s) =>
      s.query("insert into salestag.audit values (gen_random_uuid(), $1, now(), null, 'x', 'y')", [team]),
    ),
  );
  await repeated(`newest 20 of one rep among ${COUNT}`, () =>
    one("select id from salestag.conversation order by started_at desc limit 20"),
  );
  await repeated(`newest 20 with a tag of one rep among ${COUNT}`, () =>
    one(`select c.id from salestag.tag t join salestag.conversation c on c.id = t.conversation_id where kind = 'kind-2'
      order by c.started_at desc limit 20`),
  );
  await repeated(`number of a tag of one rep among ${COUNT}`, () =>
    one("select count(*) from salestag.tag where kind = 'kind-2'"),
  );
}

const first = await timed("make", () => openDatabase({ folder }));
await first.system(addTeams);
await timed(`fill with ${COUNT} conversations, ${5 * COUNT} tags`, () => fill(first));
await timed("maintain", () => first.maintain());
await measure(first);
await timed("close", () => first.close());
await (await timed("open", () => openDatabase({ folder }))).close();
await (await timed(`rebuild (${2 * TIMES} told rows)`, () => rebuildDatabase(folder))).close();
console.log(`memory: ${Math.round(process.memoryUsage.rss() / 1e6)} MB`);
rmSync(folder, { recursive: true, force: true });
