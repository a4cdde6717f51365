// The thread of the embedded database: PGlite with pgvector. It answers one request after the other; PGlite would starve the event loop that it is in.
import { parentPort, workerData } from "node:worker_threads";
import { PGlite } from "@electric-sql/pglite";
import { vector } from "@electric-sql/pglite-pgvector";
import type { Answer, Request } from "./embedded";
import { PARSERS, SERIALIZERS } from "./values";

const port = parentPort!;

async function main(): Promise<void> {
  const { folder } = workerData as { folder: string };
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

async function run(database: PGlite, { id, kind, text, values }: Request): Promise<Answer> {
  try {
    if (kind === "close") await database.close();
    else if (kind === "script") await database.exec(text);
    else return { id, rows: (await database.query<object>(text, values)).rows };
    return { id };
  } catch (cause) {
    const { message, code, constraint } = cause as { message: string; code?: string; constraint?: string };
    return { id, error: { message, code, constraint } };
  }
}

await main();
