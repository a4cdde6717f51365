// Sink that puts chunks into a table of PostgreSQL (or anything that speaks its SQL): one row a chunk, once. The table is made where it is missing.
import { DatabaseError, Pool } from "pg";
import type { SpoolEntry } from "../spool/reader";
import { RejectedError, type Sink } from "./sink";

/** Runs one statement; `$1` stands for the first value. */
export interface SqlClient {
  query(text: string, values: unknown[]): Promise<{ rows: unknown[] }>;
}

export interface PostgresPlace {
  host: string;
  port: number;
  database: string;
  user: string;
  password?: string;
  /** TLS with a certificate that is checked; `ca` in its stead of the system's. */
  tls: boolean;
  ca?: string;
}

const CONNECT_MS_MAX = 10_000;
const QUERY_MS_MAX = 60_000;
/** SQLSTATE classes that are about the values: PostgreSQL 15, appendix A. */
const REJECTION_CLASSES = ["22", "23"];

/** The table's definition, version 1; `position` rises in the order of arrival, so that a reader can go on from where it was. */
export function tableSql(table: string): string {
  return `CREATE TABLE IF NOT EXISTS ${table} (
  position bigint GENERATED ALWAYS AS IDENTITY,
  badge text NOT NULL CHECK (badge ~ '^[0-9a-f]{16}$'),
  epoch bigint NOT NULL,
  index bigint NOT NULL,
  received_at timestamptz NOT NULL,
  record bytea NOT NULL,
  PRIMARY KEY (badge, epoch, index),
  UNIQUE (position)
)`;
}

/** Puts chunks into the table; one that is there already stays as it is. */
export async function insertChunks(
  client: SqlClient,
  table: string,
  entries: readonly SpoolEntry[],
): Promise<void> {
  const rows = entries.map(
    (_, at) => `($${5 * at + 1}, $${5 * at + 2}, $${5 * at + 3}, $${5 * at + 4}, $${5 * at + 5})`,
  );
  const values = entries.flatMap(({ record, encoded }) => [
    record.badge,
    record.epoch,
    record.index,
    new Date(record.receivedMs),
    encoded,
  ]);
  await client.query(
    `INSERT INTO ${table} (badge, epoch, index, received_at, record) VALUES ${rows.join(", ")} ON CONFLICT DO NOTHING`,
    values,
  );
}

/** Makes the table unless it is there: a role that may only insert needs no more than that. */
export async function ensureTable(client: SqlClient, table: string): Promise<void> {
  const { rows } = await client.query("SELECT to_regclass($1) IS NULL AS missing", [table]);
  if ((rows[0] as { missing: boolean }).missing) await client.query(tableSql(table), []);
}

/** @param table a name, with or without its schema, that needs no quotes */
export function postgresSink(place: PostgresPlace, table: string): Sink {
  const { host, port, database, user, password, tls, ca } = place;
  const pool = new Pool({
    host,
    port,
    database,
    user,
    password,
    ssl: tls ? { ca, rejectUnauthorized: true } : undefined,
    max: 1,
    connectionTimeoutMillis: CONNECT_MS_MAX,
    query_timeout: QUERY_MS_MAX,
    application_name: "salestag-relay",
  });
  pool.on("error", () => undefined); // the connection ended while nothing was under way; the next delivery opens another
  let ready = false;
  return {
    name: `postgres:${host}:${port}/${database}/${table}`,
    async deliver(entries) {
      try {
        if (!ready) await ensureTable(pool, table);
        ready = true;
        await insertChunks(pool, table, entries);
      } catch (cause) {
        ready = false;
        throw rejection(cause) ?? cause;
      }
    },
    close: () => pool.end(),
  };
}

function rejection(cause: unknown): RejectedError | undefined {
  if (!(cause instanceof DatabaseError) || !REJECTION_CLASSES.includes(cause.code?.slice(0, 2) ?? ""))
    return undefined;
  return new RejectedError(`${cause.message} (SQLSTATE ${cause.code})`);
}
