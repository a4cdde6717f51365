// Makes what was deleted vanish from the database's files too. PostgreSQL leaves a deleted row's bytes in its pages, in indexes, in the planner's samples and in
// the write-ahead log; each of them is written anew here. Of the embedded database nothing remains; of PostgreSQL, what docs/privacy.md names.
import { readdirSync, unlinkSync } from "node:fs";
import { join } from "node:path";
import type { Database } from "../store/database";

/** Longest that writing one table anew may take. */
const TABLE_MS_MAX = 3_600_000;
/** Segments of the log that lie ready for use again, at most: PostgreSQL's own max_wal_size is 64 of them. */
const SEGMENTS_MAX = 200;

/**
 * Writes every table of the memory anew, one after the other; others wait for the table that is being written.
 * @param databaseFolder of the embedded database; undefined on PostgreSQL
 * @throws when a statement fails; it can be done again at any time
 */
export async function scrub(database: Database, databaseFolder: string | undefined): Promise<void> {
  if (databaseFolder !== undefined) await forgetSamples(database);
  for (const table of await tablesOf(database)) {
    await database.alone(`vacuum full ${table}`, TABLE_MS_MAX);
    await database.alone(`analyze ${table}`, TABLE_MS_MAX);
  }
  if (databaseFolder === undefined) return;
  await database.alone("vacuum full pg_catalog.pg_statistic", TABLE_MS_MAX);
  await dropLog(database);
  await removeOrphans(database, databaseFolder);
}

async function tablesOf(database: Database): Promise<string[]> {
  const rows = await database.system((session) =>
    session.query<{ name: string }>(
      `select format('salestag.%I', relname) as name from pg_class
       where relnamespace = 'salestag'::regnamespace and relkind = 'r' order by relname`,
    ),
  );
  return rows.map(({ name }) => name);
}

/** ANALYZE keeps common values of columns, and keeps them for good where a table is empty. */
async function forgetSamples(database: Database): Promise<void> {
  await database.system((session) =>
    session.query(
      `delete from pg_statistic where starelid in (select oid from pg_class where relnamespace = 'salestag'::regnamespace)`,
    ),
  );
}

/** Goes on to fresh files of the write-ahead log until no old one is left. Files that are kept for use again still hold what was in them: none is kept. */
async function dropLog(database: Database): Promise<void> {
  for (let done = 0; done < SEGMENTS_MAX; done++) {
    await database.alone("set wal_recycle = off", TABLE_MS_MAX);
    await database.system((session) => session.query("select pg_switch_wal()"));
    await database.alone("checkpoint", TABLE_MS_MAX);
    const [{ count }] = await database.system((session) =>
      session.query<{ count: number }>("select count(*) from pg_ls_waldir()"),
    );
    if (count === 1 && done > 0) return;
  }
  throw new Error(
    `the database still keeps more than one file of its log after ${SEGMENTS_MAX} changes of it; run 'salestag-memory rebuild'.`,
  );
}

/** A process that was killed while a table was written anew leaves a file that no table knows: PostgreSQL never removes it. */
async function removeOrphans(database: Database, databaseFolder: string): Promise<void> {
  const [{ oid }] = await database.system((session) =>
    session.query<{ oid: number }>("select oid::bigint from pg_database where datname = current_database()"),
  );
  const folder = join(databaseFolder, "base", String(oid));
  const names = readdirSync(folder).filter((name) => /^\d+([._].*)?$/.test(name));
  // Asked for after the folder was read: what a transaction makes in between is in neither list.
  const known = await database.system((session) =>
    session.query<{ node: number }>(
      "select pg_relation_filenode(oid)::bigint as node from pg_class where pg_relation_filenode(oid) is not null",
    ),
  );
  const nodes = new Set(known.map(({ node }) => String(node)));
  for (const name of names) if (!nodes.has(/^\d+/.exec(name)![0])) unlinkSync(join(folder, name));
}
