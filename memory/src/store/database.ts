// What the rest of the memory sees of a database: transactions as the service or as a person. The same schema and SQL run embedded (PGlite) and on PostgreSQL.

import type { Limits } from "./engine";

/** One transaction. */
export interface Session {
  /**
   * Runs one statement.
   * @param values for $1, $2 ...; a Date for timestamptz, an array for arrays, any JSON value (stringified) for jsonb, '[1,2]' for a vector
   * @returns the rows, in both databases alike: timestamptz as Date, integers and bigint as numbers, jsonb parsed, arrays as arrays, vectors as '[1,2]'
   */
  query<Row extends object = Record<string, unknown>>(text: string, values?: unknown[]): Promise<Row[]>;
}

/** Claims of a verified token, as Supabase hands them to PostgreSQL. */
export interface Claims {
  /** Names the person (`salestag.person.subject`). */
  sub: string;
}

/** A database that is migrated to this code's version. */
export interface Database {
  /** Whether the database itself makes durable what it committed. Where not, what was told is kept in files too. */
  readonly durable: boolean;
  /**
   * A transaction as the service, whom row-level security does not bind. It is taken back when `work` throws. Nothing slow may happen in it (no request
   * to elsewhere): the embedded database does one at a time.
   * @param limits others than the database's, for what is rare and long, such as making an index
   * @throws StatementRefused with its SQLSTATE, or DatabaseTrouble (engine.ts)
   */
  system<T>(work: (session: Session) => Promise<T>, limits?: Limits): Promise<T>;
  /** A transaction as a person: sees and changes what the person may. Runs statements on rows only (guard.ts). */
  as<T>(claims: Claims, work: (session: Session) => Promise<T>): Promise<T>;
  /**
   * Runs one statement that no transaction can hold, such as VACUUM, as the service.
   * @param msMax longest that it may take
   */
  alone(statement: string, msMax: number): Promise<void>;
  /**
   * Cleans up and renews the statistics that queries are planned by. PostgreSQL does that by itself, the embedded database never does: without it
   * searches get slow. Due once a day and after much was added; nothing else runs meanwhile.
   */
  maintain(): Promise<void>;
  /** Waits for the transactions that run, and closes. */
  close(): Promise<void>;
}
