// The PostgreSQL sink: the same SQL on a real PostgreSQL 15 and on PGlite, and the sink itself on the former.
import assert from "node:assert/strict";
import { PGlite } from "@electric-sql/pglite";
import { decodeRecord } from "@salestag/protocol/host";
import { PostgresServer } from "@salestag/protocol/testing";
import { Client } from "pg";
import { entryOf } from "../testing/entries";
import { ensureTable, insertChunks, postgresSink, type SqlClient } from "./postgres";
import { RejectedError, type Sink } from "./sink";

const A = "0102030405060708";
const NEVER = new AbortController().signal;

interface Row {
  position: string;
  badge: string;
  epoch: string;
  index: string;
  received_at: Date;
  record: Uint8Array;
}

async function rowsOf(client: SqlClient): Promise<Row[]> {
  const { rows } = await client.query("SELECT * FROM salestag_chunks ORDER BY position", []);
  return rows as Row[];
}

describe("sink: PostgreSQL", () => {
  let server: PostgresServer;
  let client: Client;

  before(async () => {
    server = await PostgresServer.start();
  });
  after(() => server.end());
  beforeEach(async () => {
    client = await connected();
  });
  afterEach(async () => {
    await client.query("DROP TABLE IF EXISTS salestag_chunks");
    await client.end();
  });

  async function connected(): Promise<Client> {
    const { port, password } = server;
    const made = new Client({ host: "127.0.0.1", port, user: "postgres", database: "postgres", password });
    await made.connect();
    return made;
  }

  function sinkAs(user: string, password: string): Sink {
    const { port } = server;
    return postgresSink(
      { host: "127.0.0.1", port, user, database: "postgres", password, tls: false },
      "salestag_chunks",
    );
  }

  const engines: [string, () => Promise<SqlClient & { close(): Promise<void> }>][] = [
    [
      "PostgreSQL 15",
      async () => {
        const own = await connected();
        return { query: (text, values) => own.query(text, values), close: () => own.end() };
      },
    ],
    [
      "PGlite",
      async () => {
        const own = await PGlite.create();
        return { query: (text, values) => own.query(text, values), close: () => own.close() };
      },
    ],
  ];
  for (const [name, open] of engines)
    it(`${name}: makes the table, keeps each chunk once, positions rise`, async () => {
      const engine = await open();
      for (let round = 0; round < 2; round++) await ensureTable(engine, "salestag_chunks");
      const entries = [entryOf(A, 4294967295, 0), entryOf(A, 4294967295, 4294967294), entryOf(A, 7, 1)];
      await insertChunks(engine, "salestag_chunks", entries.slice(0, 2));
      await insertChunks(engine, "salestag_chunks", entries);
      const rows = await rowsOf(engine);
      assert.deepEqual(
        rows.map(({ record }) => decodeRecord(Buffer.from(record))),
        entries.map(({ record }) => record),
      );
      for (const [at, { badge, epoch, index, received_at }] of rows.entries()) {
        const { record } = entries[at];
        assert.deepEqual([badge, Number(epoch), Number(index)], [record.badge, record.epoch, record.index]);
        assert.equal(received_at.getTime(), record.receivedMs);
      }
      await engine.close();
    });

  it("delivers, repeatedly without doubles, and 256 chunks at once", async () => {
    const sink = sinkAs("postgres", server.password);
    const entries = Array.from({ length: 256 }, (_, index) => entryOf(A, 2, index, 4000));
    for (let round = 0; round < 2; round++) await sink.deliver(entries, NEVER);
    const rows = await rowsOf(client);
    assert.deepEqual(
      rows.map(({ record }) => Buffer.from(record)),
      entries.map(({ encoded }) => encoded),
    );
    await sink.close?.();
  });

  it("a role that may only read and insert is enough where the table is there", async () => {
    await ensureTable(client, "salestag_chunks");
    await client.query("CREATE ROLE feeder LOGIN PASSWORD 'feed'");
    await client.query("GRANT SELECT, INSERT ON salestag_chunks TO feeder");
    const sink = sinkAs("feeder", "feed");
    await sink.deliver([entryOf(A, 2, 0)], NEVER);
    assert.equal((await rowsOf(client)).length, 1);
    await sink.close?.();
  });

  it("a server that goes away fails a delivery and is used again when it is back", async () => {
    const sink = sinkAs("postgres", server.password);
    await sink.deliver([entryOf(A, 2, 0)], NEVER);
    await client.end();
    await server.down();
    await assert.rejects(sink.deliver([entryOf(A, 2, 1)], NEVER));
    await server.up();
    client = await connected();
    await sink.deliver([entryOf(A, 2, 1)], NEVER);
    assert.equal((await rowsOf(client)).length, 2);
    await sink.close?.();
  });

  it("a value that the table refuses is a refusal of the chunk; a wrong password is not, and is not told", async () => {
    const sink = sinkAs("postgres", server.password);
    const bad = entryOf(A, 2, 0);
    const entry = { ...bad, record: { ...bad.record, badge: "not a badge" } };
    await assert.rejects(sink.deliver([entry], NEVER), RejectedError);
    await sink.close?.();
    const wrong = sinkAs("postgres", "no-such-password");
    await assert.rejects(wrong.deliver([bad], NEVER), (error: Error) => {
      assert.ok(!(error instanceof RejectedError));
      assert.match(error.message, /password authentication failed/);
      assert.doesNotMatch(error.message + wrong.name, /no-such-password/);
      return true;
    });
    await wrong.close?.();
  });
});
