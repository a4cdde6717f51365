// Brings a database to this code's version: the files of memory/migrations in order, each once and in a transaction of its own.
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { DatabaseTrouble, type Engine, type Limits, type Transaction } from "./engine";

export const MIGRATIONS = fileURLToPath(new URL("../../migrations", import.meta.url));

/** Creating indexes on what is there may take long. */
const LIMITS: Limits = { statementMsMax: 3_600_000, openMsMax: 3_600_000 };
/** Held while one program migrates, so that another that starts waits: a number that nobody else is likely to take. */
const LOCK = 7_232_538_047;

interface Migration {
  name: string;
  sql: string;
  checksum: string;
}

interface Done {
  name: string;
  checksum: string;
}

/**
 * @param folder of the files, `NNNN-what.sql`
 * @throws DatabaseTrouble when the database is newer than this code or a file that it has had was changed; then nothing is changed
 */
export async function migrate(engine: Engine, folder = MIGRATIONS): Promise<void> {
  const migrations = readMigrations(folder);
  for (;;) {
    const more = await engine.transaction(LIMITS, async (transaction) => {
      await transaction.query("select pg_advisory_xact_lock($1)", [LOCK]);
      const done = await doneIn(transaction);
      const next = nextOf(migrations, done);
      if (next !== undefined) await apply(transaction, next);
      return next !== undefined;
    });
    if (!more) return;
  }
}

function readMigrations(folder: string): Migration[] {
  const names = readdirSync(folder).filter((name) => /^\d{4}-[a-z0-9-]+\.sql$/.test(name));
  return names.sort().map((name) => {
    const sql = readFileSync(join(folder, name), "utf8");
    return { name, sql, checksum: createHash("sha256").update(sql).digest("hex") };
  });
}

async function doneIn(transaction: Transaction): Promise<Done[]> {
  const [{ there }] = await transaction.query<{ there: boolean }>(
    "select to_regclass('salestag.migration') is not null as there",
  );
  return there ? transaction.query<Done>("select name, checksum from salestag.migration order by name") : [];
}

function nextOf(migrations: readonly Migration[], done: readonly Done[]): Migration | undefined {
  for (const [at, { name, checksum }] of done.entries()) {
    const own = migrations[at];
    if (own?.name !== name)
      throw new DatabaseTrouble(
        `The database has had the migration '${name}', which this version of the memory does not know: it is newer; use the version that made it, or a newer one.`,
      );
    if (own.checksum !== checksum)
      throw new DatabaseTrouble(
        `The migration '${name}' was changed after the database had it; put the file back as it was, and write a new migration for what should change.`,
      );
  }
  return migrations[done.length];
}

async function apply(transaction: Transaction, { name, sql, checksum }: Migration): Promise<void> {
  try {
    await transaction.script(sql);
    await transaction.query("insert into salestag.migration values ($1, $2, now())", [name, checksum]);
  } catch (cause) {
    const text = cause instanceof Error ? cause.message : String(cause);
    throw new DatabaseTrouble(`The migration '${name}' failed and was taken back: ${text}.`, { cause });
  }
}
