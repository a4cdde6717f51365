// Migrations: in order, once, whole or not at all; two programs at once; a database that is newer than the code; Supabase's layout.
import assert from "node:assert/strict";
import { cpSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { PostgresServer, requirePgvector, useFolder } from "@salestag/protocol/testing";
import { Client } from "pg";
import { addTeams, subjectOf } from "../testing/teams";
import type { Engine } from "./engine";
import { DEFAULT_LIMITS } from "./engine";
import { MIGRATIONS, migrate } from "./migrate";
import { openDatabase } from "./open";
import { openPostgres } from "./postgres";

describe("store: migrations (PostgreSQL 15)", () => {
  let server: PostgresServer;
  let url = "";
  let count = 0;
  const folder = useFolder();
  const files = () => join(folder(), "migrations");

  before(async function () {
    requirePgvector(this as unknown as Mocha.Context);
    server = await PostgresServer.start();
  });
  beforeEach(async () => {
    cpSync(MIGRATIONS, files(), { recursive: true });
    await sql(server.url(), `create database test${++count}`);
    url = server.url(`test${count}`);
  });
  after(() => server?.end());

  async function migrated(): Promise<void> {
    const engine = await openPostgres(url);
    try {
      await migrate(engine, files());
    } finally {
      await engine.close();
    }
  }
  const done = async () =>
    (await sql(url, "select name from salestag.migration order by name")).map(({ name }) => name);

  it("each once; a new one follows", async () => {
    await migrated();
    assert.deepEqual(await done(), readdirSync(MIGRATIONS).sort());
    writeFileSync(join(files(), "9000-more.sql"), "create table salestag.more (a integer)");
    for (let round = 0; round < 2; round++) await migrated();
    assert.equal((await done()).at(-1), "9000-more.sql");
  });

  it("two programs that start at once both work", async () => {
    const opened = await Promise.all([1, 2, 3, 4].map(() => openDatabase({ url })));
    assert.deepEqual(await done(), readdirSync(MIGRATIONS).sort());
    for (const database of opened) await database.close();
  });

  it("one that fails is named and taken back, and those before it stay", async () => {
    writeFileSync(join(files(), "9000-more.sql"), "create table salestag.more (a integer); select 1 / 0");
    await assert.rejects(migrated(), /'9000-more\.sql' failed and was taken back: division by zero/);
    assert.deepEqual(await done(), readdirSync(MIGRATIONS).sort());
    assert.deepEqual(await sql(url, "select to_regclass('salestag.more') as more"), [{ more: null }]);
  });

  it("a database that is newer than the code is left as it is", async () => {
    writeFileSync(join(files(), "9000-more.sql"), "create table salestag.more (a integer)");
    await migrated();
    await assert.rejects(
      openDatabase({ url }),
      /'9000-more\.sql', which this version .* does not know: it is newer/,
    );
    assert.equal((await done()).at(-1), "9000-more.sql");
  });

  it("a file that was changed afterwards is named", async () => {
    await migrated();
    writeFileSync(join(files(), "0002-rights.sql"), "-- changed\n");
    writeFileSync(join(files(), "9000-more.sql"), "create table salestag.more (a integer)");
    await assert.rejects(migrated(), /'0002-rights\.sql' was changed after/);
    assert.deepEqual(await sql(url, "select to_regclass('salestag.more') as more"), [{ more: null }]);
  });

  it("Supabase's layout: extensions in a schema of their own, roles that are there, an owner who is no superuser", async () => {
    await sql(server.url(), SUPABASE_ROLES);
    await sql(
      url,
      "create schema extensions; create extension vector schema extensions; grant usage on schema extensions to public",
    );
    await sql(url, `alter database test${count} owner to owner`);
    const database = await openDatabase({
      url: server.url(`test${count}`, "owner", "owner"),
      personsUrl: server.url(`test${count}`, "persons", "persons"),
    });
    await database.system(addTeams);
    const seen = await database.as({ sub: subjectOf("a", "rep") }, (session) =>
      session.query(
        "select conversation_id, vector <=> '[1,0]' as distance, current_user::text as who from salestag.embedding",
      ),
    );
    assert.deepEqual(
      seen.map(({ distance, who }) => [distance, who]),
      [[0, "authenticated"]],
    );
    const where =
      "select extnamespace::regnamespace::text as name from pg_extension where extname = 'vector'";
    assert.deepEqual(await database.system((session) => session.query(where)), [{ name: "extensions" }]);
    await database.close();
    for (const [user, text] of [
      ["anon", "select * from salestag.team"],
      ["anon", "select salestag.me()"],
      ["persons", "select * from salestag.team"],
    ])
      await assert.rejects(sql(server.url(`test${count}`, user, user), text), { code: "42501" });
    const rows = await sql(
      server.url(`test${count}`, "persons", "persons"),
      "set role authenticated; select * from salestag.team",
    );
    assert.deepEqual(rows, []);
  });

  it("a login for persons alone: who leaves the role has nothing", async () => {
    await sql(server.url(), "drop role if exists apart; create role apart login noinherit password 'apart'");
    const owner = await openDatabase({ url });
    await owner.system(addTeams);
    await owner.close();
    await sql(url, "grant authenticated to apart");
    const engine: Engine = await openPostgres(url, server.url(`test${count}`, "apart", "apart"));
    const leaving = engine.forPersons(DEFAULT_LIMITS, async (transaction) => {
      await transaction.query("select set_config('role', 'authenticated', true)");
      assert.deepEqual(await transaction.query("select * from salestag.team"), []);
      await transaction.query("reset role");
      await transaction.query("select * from salestag.team");
    });
    await assert.rejects(leaving, { code: "42501" });
    await engine.close();
  });
});

const SUPABASE_ROLES = `
  create role anon login password 'anon';
  do $$ begin
    if to_regrole('authenticated') is null then create role authenticated nologin noinherit; end if;
  end $$;
  create role owner login createrole bypassrls password 'owner';
  create role persons login noinherit password 'persons';
  grant authenticated to owner with admin option;
  grant authenticated to persons;`;

async function sql(url: string, text: string): Promise<Record<string, unknown>[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    const result: unknown = await client.query(text);
    return (Array.isArray(result) ? result.at(-1) : result).rows;
  } finally {
    await client.end();
  }
}
