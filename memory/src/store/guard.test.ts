// A person's transaction stays the person's: what would leave the role, change claims or run other statements is refused.
import assert from "node:assert/strict";
import { onBothDatabases } from "../testing/databases";
import { addTeams, subjectOf } from "../testing/teams";
import type { Session } from "./database";

const REP = { sub: subjectOf("a", "rep") };

onBothDatabases("store: guard", (database) => {
  const as = <T>(claims: { sub: string }, work: (session: Session) => Promise<T>) =>
    database().as(claims, work);
  beforeEach(() => database().system(addTeams));

  for (const text of [
    "reset role",
    "set role postgres",
    "set local role postgres",
    "/* x */ reset role",
    "-- x\nreset role",
    "begin; reset role",
    "do $$ begin reset role; end $$",
    "select set_config('role', 'postgres', true)",
    "select set_config('request.jwt.claims', '{\"sub\":\"b-manager\"}', true)",
    "select pg_catalog.SET_CONFIG('role', 'none', true)",
    "select query_to_xml('reset role', true, true, '')",
    "select U&\"\\0073et_config\"('role', 'none', true)",
    "set session authorization default",
    "discard all",
    "commit",
    "set local request.jwt.claims = '{}'",
    "copy salestag.team to stdout",
    "truncate salestag.customer cascade",
    "select 1; reset role",
  ])
    it(`the role stays what it is (${JSON.stringify(text)})`, async () => {
      let seen: unknown;
      await assert.rejects(
        as(REP, async (session) => {
          await session.query(text);
          seen = await session.query("select * from salestag.team");
        }),
      );
      assert.equal(seen, undefined);
    });

  it("settings of searches are allowed", () =>
    as(REP, async (session) => {
      await session.query("set local hnsw.ef_search = 100");
      await session.query("set local enable_seqscan = off");
    }));

  it("behind the guard the embedded database itself refuses to run code and change settings", async () => {
    if (database().durable) return; // there a login for persons alone does it: migrate.test.ts
    for (const text of [
      "select set_config('work_mem', '4MB', true)",
      "select query_to_xml('select 1', true, true, '')",
      "do $$ begin end $$",
      "create temporary table x (a integer)",
    ])
      await assert.rejects(
        database().system(async (session) => {
          await session.query("set local role authenticated");
          await session.query(text);
        }),
        { code: "42501" },
        text,
      );
  });
});
