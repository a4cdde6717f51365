// Databases for tests: one body of tests runs on the embedded database and on a real PostgreSQL 15.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PostgresServer, requirePgvector } from "@salestag/protocol/testing";
import type { Database } from "../store/database";
import { DEFAULT_LIMITS, type Limits } from "../store/engine";
import { openDatabase } from "../store/open";

/**
 * Registers the suite twice. Each suite has one database, empty before each test.
 * @param body gets a function that gives the database of the running test
 * @param limits of its transactions
 */
export function onBothDatabases(
  area: string,
  body: (database: () => Database) => void,
  limits: Limits = DEFAULT_LIMITS,
): void {
  describe(`${area} (embedded)`, () => {
    const folder = mkdtempSync(join(tmpdir(), "salestag-memory-"));
    withDatabase(() => openDatabase({ folder }, limits), body);
    after(() => rmSync(folder, { recursive: true, force: true }));
  });
  describe(`${area} (PostgreSQL 15)`, () => {
    let server: PostgresServer | undefined;
    before(async function () {
      requirePgvector(this as unknown as Mocha.Context);
      server = await PostgresServer.start();
    });
    withDatabase(() => openDatabase({ url: server!.url() }, limits), body);
    after(() => server?.end());
  });
}

function withDatabase(open: () => Promise<Database>, body: (database: () => Database) => void): void {
  let database: Database | undefined;
  before(async () => {
    database = await open();
  });
  beforeEach(() => emptied(database!));
  body(() => database!);
  after(() => database?.close());
}

/** Takes all rows out of all tables but that of migrations; also those that are only added to. */
export async function emptied(database: Database): Promise<void> {
  await database.system((session) =>
    session.query(`do $$ declare place text; begin
      set local session_replication_role = replica;
      for place in select format('salestag.%I', tablename) from pg_tables where schemaname = 'salestag' and tablename <> 'migration' loop
        execute 'delete from ' || place;
      end loop;
    end $$`),
  );
}
