// Opens the memory's database, embedded or on PostgreSQL, migrated and with its rights.
import { AsyncLocalStorage } from "node:async_hooks";
import { mkdirSync, rmSync } from "node:fs";
import { FolderInUse, lockFolderNow } from "@salestag/protocol/service";
import type { Claims, Database, Session } from "./database";
import { type EmbeddedEngine, openEmbedded } from "./embedded";
import { DatabaseTrouble, DEFAULT_LIMITS, type Engine, type Limits, RebuildNeeded } from "./engine";
import { checkState, foldersOf, writeState } from "./folder-state";
import { guarded, HARDEN_SQL } from "./guard";
import { migrate } from "./migrate";
import { openPostgres } from "./postgres";
import { restoreTold } from "./restore";

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
  if ("url" in place) return onPostgres(place.url, place.personsUrl, limits);
  mkdirSync(place.folder, { recursive: true, mode: 0o700 });
  return embedded(place.folder, limits);
}

/**
 * Makes the embedded database anew, with what was told in it; conversations follow when the chunks are taken in again. The old one is removed.
 * It may be interrupted, and is then done anew.
 * @param data the memory's data folder
 * @throws DatabaseTrouble when a told file is damaged; then nothing is lost, but there is no database yet
 */
export async function rebuildDatabase(data: string, limits: Limits = DEFAULT_LIMITS): Promise<Database> {
  mkdirSync(data, { recursive: true, mode: 0o700 });
  const unlock = lock(data);
  try {
    writeState(data, "making");
    rmSync(foldersOf(data).folder, { recursive: true, force: true });
    return databaseOf(await makeEmbedded(data), limits, unlock);
  } catch (cause) {
    unlock();
    throw cause;
  }
}

async function onPostgres(url: string, personsUrl: string | undefined, limits: Limits): Promise<Database> {
  const engine = await openPostgres(url, personsUrl);
  try {
    await migrate(engine);
  } catch (cause) {
    await engine.close();
    throw cause;
  }
  return databaseOf(engine, limits, () => undefined);
}

async function embedded(data: string, limits: Limits): Promise<Database> {
  const unlock = lock(data);
  try {
    const engine = checkState(data) ? await makeEmbedded(data) : await reopenEmbedded(data);
    return databaseOf(engine, limits, unlock);
  } catch (cause) {
    unlock();
    throw cause;
  }
}

async function makeEmbedded(data: string): Promise<Engine> {
  writeState(data, "making");
  const folders = foldersOf(data);
  const engine = await prepared(data, await openEmbedded(folders), async (made) => {
    await migrate(made);
    await made.transaction(DEFAULT_LIMITS, (transaction) => transaction.script(HARDEN_SQL));
    await restoreTold(folders.toldFolder, made);
  });
  writeState(data, "open");
  return engine;
}

async function reopenEmbedded(data: string): Promise<Engine> {
  writeState(data, "open");
  const folders = foldersOf(data);
  return prepared(data, await openEmbedded(folders), async (engine) => {
    const [{ there }] = await engine.transaction(DEFAULT_LIMITS, (transaction) =>
      transaction.query<{ there: boolean }>("select to_regclass('salestag.migration') is not null as there"),
    );
    if (!there) throw new RebuildNeeded(folders.folder, "its tables are gone");
    await migrate(engine);
  });
}

/** @returns the engine, with told rows kept from now on; that it is closed will be written down */
async function prepared(
  data: string,
  engine: EmbeddedEngine,
  prepare: (engine: EmbeddedEngine) => Promise<void>,
): Promise<Engine> {
  try {
    await prepare(engine);
    await engine.keepTold();
  } catch (cause) {
    await engine.close();
    throw cause;
  }
  return {
    durable: false,
    transaction: (limits, work) => engine.transaction(limits, work),
    forPersons: (limits, work) => engine.forPersons(limits, work),
    alone: (statement, msMax) => engine.alone(statement, msMax),
    maintain: () => engine.maintain(),
    async close() {
      if (await engine.close()) writeState(data, "closed");
    },
  };
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
  const alone = notInside();
  return {
    durable: engine.durable,
    system: (work, own = limits) => alone(() => engine.transaction(own, work)),
    as: (claims, work) =>
      alone(() =>
        engine.forPersons(limits, async (transaction) => {
          await become(transaction, claims);
          return work(guarded(transaction));
        }),
      ),
    maintain: () => alone(() => engine.maintain()),
    alone: (statement, msMax) => alone(() => engine.alone(statement, msMax)),
    async close() {
      try {
        await engine.close();
      } finally {
        unlock();
      }
    },
  };
}

/** A transaction that is begun inside of another waits for that one's end, which waits for it. @returns a function that refuses it instead */
function notInside(): <T>(work: () => Promise<T>) => Promise<T> {
  const inside = new AsyncLocalStorage<{ over: boolean }>();
  return async (work) => {
    if (inside.getStore()?.over === false)
      throw new DatabaseTrouble("A transaction was begun inside of another; use the session that is there.");
    const mark = { over: false };
    try {
      return await inside.run(mark, work);
    } finally {
      mark.over = true;
    }
  };
}

/** Until the transaction's end, whatever it does is bound by what the claims allow. */
async function become(session: Session, { sub }: Claims): Promise<void> {
  await session.query(
    "select set_config('request.jwt.claims', $1, true), set_config('role', 'authenticated', true)",
    [JSON.stringify({ sub, role: "authenticated" })],
  );
}
