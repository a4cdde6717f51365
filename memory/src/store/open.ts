// Opens the memory's database, embedded or on PostgreSQL, migrated and with its rights.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { FolderInUse, lockFolderNow } from "@salestag/protocol/service";
import type { Claims, Database, Session } from "./database";
import { openEmbedded } from "./embedded";
import { DatabaseTrouble, DEFAULT_LIMITS, type Engine, type Limits } from "./engine";
import { migrate } from "./migrate";
import { openPostgres } from "./postgres";

/** Where the database is. */
export type DatabasePlace =
  /** Embedded, in this data folder; it is made where it is missing. */
  | { folder: string }
  /**
   * On PostgreSQL 15 or later with pgvector, or Supabase: the URL of the tables' owner. `personsUrl`: a login that is a member of `authenticated` and
   * nothing else, for transactions of persons (docs/memory-store.md, "Rights").
   */
  | { url: string; personsUrl?: string };

/**
 * Opens the database and brings it to this code's version.
 * @throws DatabaseTrouble when it cannot be used as it is; says what to do
 */
export async function openDatabase(place: DatabasePlace, limits: Limits = DEFAULT_LIMITS): Promise<Database> {
  const { engine, unlock } = "url" in place ? await onPostgres(place) : await embedded(place.folder);
  try {
    await migrate(engine);
  } catch (cause) {
    await engine.close();
    unlock();
    throw cause;
  }
  return databaseOf(engine, limits, unlock);
}

interface Opened {
  engine: Engine;
  unlock: () => void;
}

async function onPostgres({ url, personsUrl }: { url: string; personsUrl?: string }): Promise<Opened> {
  return { engine: await openPostgres(url, personsUrl), unlock: () => undefined };
}

async function embedded(folder: string): Promise<Opened> {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const unlock = lock(folder);
  try {
    return { engine: await openEmbedded(join(folder, "database")), unlock };
  } catch (cause) {
    unlock();
    throw cause;
  }
}

function lock(folder: string): () => void {
  try {
    return lockFolderNow(folder, { shared: false });
  } catch (cause) {
    if (!(cause instanceof FolderInUse)) throw cause;
    throw new DatabaseTrouble(
      `The memory's folder '${folder}' is in use by ${cause.by}; end that program, or choose another folder.`,
      { cause },
    );
  }
}

function databaseOf(engine: Engine, limits: Limits, unlock: () => void): Database {
  return {
    durable: engine.durable,
    system: (work) => engine.transaction(limits, work),
    as: (claims, work) =>
      engine.forPersons(limits, async (transaction) => {
        await become(transaction, claims);
        return work(transaction);
      }),
    async close() {
      await engine.close();
      unlock();
    },
  };
}

/** Until the transaction's end, whatever it does is bound by what the claims allow. */
async function become(session: Session, { sub }: Claims): Promise<void> {
  await session.query(
    "select set_config('request.jwt.claims', $1, true), set_config('role', 'authenticated', true)",
    [JSON.stringify({ sub, role: "authenticated" })],
  );
}
