// The same database on PostgreSQL or Supabase: transactions on connections of a pool.
import { clauseOf } from "@salestag/protocol/service";
import { DatabaseError, Pool, type PoolClient } from "pg";
import {
  beginScript,
  DatabaseTrouble,
  type Engine,
  type Limits,
  StatementRefused,
  TAKEN_BACK,
  type Transaction,
  withinLimits,
} from "./engine";
import { PG_TYPES } from "./values";

const CONNECT_MS_MAX = 10_000;
const CONNECTIONS_MAX = 8;
/** What the driver waits for an answer beyond the server's own limit on statements. */
const GRACE_MS = 5_000;

/**
 * @param url `postgres://user:password@host/database`; TLS as its `sslmode` says
 * @param personsUrl a login that is a member of `authenticated` and nothing else, for transactions of persons
 * @throws DatabaseTrouble when nothing can be reached there; never tells the password
 */
export async function openPostgres(url: string, personsUrl?: string): Promise<Engine> {
  const service = poolOf(url);
  const persons = personsUrl === undefined ? service : poolOf(personsUrl);
  const pools = new Set([service, persons]);
  const engine: Engine = {
    durable: true,
    transaction: (limits, work) => transact(service, limits, work),
    forPersons: (limits, work) => transact(persons, limits, work),
    alone: (statement, msMax) => alone(service, statement, msMax),
    maintain: async () => undefined,
    close: async () => {
      for (const pool of pools) await pool.end();
    },
  };
  try {
    for (const pool of pools) (await connect(pool)).release();
  } catch (cause) {
    await engine.close();
    throw cause;
  }
  return engine;
}

function poolOf(url: string): Pool {
  const pool = new Pool({
    connectionString: checkedUrl(url),
    max: CONNECTIONS_MAX,
    connectionTimeoutMillis: CONNECT_MS_MAX,
    application_name: "salestag-memory",
    types: PG_TYPES as never,
  });
  pool.on("error", () => undefined); // a connection ended while nothing was under way; the next transaction opens another
  return pool;
}

/** @throws DatabaseTrouble without the URL itself, which may hold a password */
function checkedUrl(url: string): string {
  let protocol: string;
  try {
    ({ protocol } = new URL(url));
  } catch {
    protocol = "";
  }
  if (protocol !== "postgres:" && protocol !== "postgresql:")
    throw new DatabaseTrouble(
      "The database's URL is none of PostgreSQL; write postgres://user:password@host:5432/database.",
    );
  return url;
}

async function connect(pool: Pool): Promise<PoolClient> {
  try {
    return await pool.connect();
  } catch (cause) {
    const { host, port, database, user } = pool.options;
    const { hostname, pathname, port: urlPort, username } = new URL(pool.options.connectionString!);
    const at = `${host ?? hostname}:${port ?? (urlPort || 5432)}${database ?? pathname} as '${user ?? decodeURIComponent(username)}'`;
    throw new DatabaseTrouble(
      `PostgreSQL at ${at} cannot be used: ${clauseOf(cause)}; look whether it runs and whether the URL is right.`,
      { cause },
    );
  }
}

async function transact<T>(
  pool: Pool,
  limits: Limits,
  work: (transaction: Transaction) => Promise<T>,
): Promise<T> {
  const client = await connect(pool);
  const transaction = transactionOf(client, limits);
  let broken = false;
  client.on("error", () => {
    broken = true;
  });
  try {
    await transaction.script(beginScript(limits));
    const result = await withinLimits(transaction, limits, work);
    if ((await transaction.commit()) === "ROLLBACK") throw new DatabaseTrouble(TAKEN_BACK);
    return result;
  } catch (cause) {
    await client.query("rollback").catch(() => {
      broken = true; // then the server takes it back itself, and this connection is not used again
    });
    throw cause;
  } finally {
    client.removeAllListeners("error");
    client.release(broken);
  }
}

async function alone(pool: Pool, statement: string, msMax: number): Promise<void> {
  const client = await connect(pool);
  let failed = true;
  try {
    await transactionOf(client, { statementMsMax: msMax, openMsMax: msMax }).script(statement);
    failed = false;
  } finally {
    client.release(failed);
  }
}

interface Committable extends Transaction {
  /** @returns what the server did: "COMMIT" or "ROLLBACK" */
  commit(): Promise<string>;
}

function transactionOf(client: PoolClient, { statementMsMax }: Limits): Committable {
  const ask = async (config: object) => {
    try {
      return (await client.query({
        ...config,
        query_timeout: statementMsMax + GRACE_MS,
      } as never)) as unknown as {
        rows: never;
        command: string;
      };
    } catch (cause) {
      if (cause instanceof DatabaseError)
        throw new StatementRefused(cause.message, cause.code ?? "XX000", cause.constraint);
      throw new DatabaseTrouble(`PostgreSQL stopped answering: ${clauseOf(cause)}.`, { cause });
    }
  };
  return {
    query: async (text, values) => (await ask({ text, values, queryMode: "extended" })).rows,
    script: async (text) => {
      await ask({ text });
    },
    commit: async () => (await ask({ text: "commit" })).command,
  };
}
