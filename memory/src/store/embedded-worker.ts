// The thread of the embedded database: PGlite with pgvector. It answers one request after the other; PGlite would starve the event loop that it is in.
import { mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { parentPort, workerData } from "node:worker_threads";
import { PGlite } from "@electric-sql/pglite";
import { vector } from "@electric-sql/pglite-pgvector";
import { clauseOf } from "@salestag/protocol/service";
import { CHANGES_SQL, KEPT_SQL, keeperSql } from "./keeper-sql";
import type { Answer, Folders, Request } from "./thread";
import { type Change, keep, sync } from "./told";
import { PARSERS, SERIALIZERS } from "./values";

const port = parentPort!;

const { folder, toldFolder } = workerData as Folders;
/** Whether told rows are kept in files: not before the triggers for it are made. */
let keeping = false;

async function main(): Promise<void> {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const database = await PGlite.create(folder, {
    extensions: { vector },
    parsers: PARSERS,
    serializers: SERIALIZERS,
  });
  port.postMessage({ id: 0 } satisfies Answer);
  port.on("message", (request: Request) => {
    void run(database, request).then((answer) => port.postMessage(answer));
  });
}

async function run(database: PGlite, request: Request): Promise<Answer> {
  const { id } = request;
  try {
    return { id, rows: await answer(database, request) };
  } catch (cause) {
    const { message, code, constraint } = cause as { message: string; code?: string; constraint?: string };
    return { id, error: { message, code, constraint } };
  }
}

async function answer(database: PGlite, { kind, text, values }: Request): Promise<object[]> {
  switch (kind) {
    case "query":
      return (await database.query<object>(text, values)).rows;
    case "script":
      await database.exec(text);
      return [];
    case "commit":
      return commit(database);
    case "keep":
      await database.exec(keeperSql());
      keeping = true;
      await keepChanges(database);
      return [];
    case "close":
      await database.exec("checkpoint");
      await database.close();
      syncAll(folder);
      return [];
  }
}

/** Nothing that was told is acknowledged before it is in files. */
async function commit(database: PGlite): Promise<object[]> {
  const [{ command }] = await database.exec("commit");
  if (keeping) await keepChanges(database);
  return [{ command }];
}

async function keepChanges(database: PGlite): Promise<void> {
  for (;;) {
    const { rows } = await database.query<Change>(CHANGES_SQL);
    if (rows.length === 0) return;
    keepNow(rows);
    await database.query(KEPT_SQL, [rows[rows.length - 1].n]);
  }
}

function keepNow(changes: readonly Change[]): void {
  try {
    keep(toldFolder, changes);
  } catch (cause) {
    throw new Error(
      `What was told is in the database but could not be put into files in '${toldFolder}': ${clauseOf(cause)}. Make room or mend the disk; it is tried again with the next transaction.`,
      { cause },
    );
  }
}

/** PGlite never waits for the disk: done here, once it is closed. */
function syncAll(path: string): void {
  for (const entry of readdirSync(path, { recursive: true, withFileTypes: true })) {
    if (entry.isFile() || entry.isDirectory()) sync(join(entry.parentPath, entry.name));
  }
  sync(path);
}

await main();
