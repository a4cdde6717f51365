// What the two databases have in common below the rights: transactions with limits, and scripts of several statements.
import type { Session } from "./database";

/** A transaction in which scripts may be run too. */
export interface Transaction extends Session {
  /** Runs several statements without values. */
  script(text: string): Promise<void>;
}

/** How long a transaction may take. */
export interface Limits {
  /** Longest that one statement may run. */
  statementMsMax: number;
  /** Longest that a transaction may stay open. */
  openMsMax: number;
}

export const DEFAULT_LIMITS: Limits = { statementMsMax: 30_000, openMsMax: 60_000 };

/** A database without rights of its own. */
export interface Engine {
  readonly durable: boolean;
  /** Runs `work` in a transaction of the service. */
  transaction<T>(limits: Limits, work: (transaction: Transaction) => Promise<T>): Promise<T>;
  /** Runs `work` in a transaction whose login may be one that is good for nothing but the role `authenticated`. */
  forPersons<T>(limits: Limits, work: (transaction: Transaction) => Promise<T>): Promise<T>;
  /** Runs one statement outside of any transaction. */
  alone(statement: string, msMax: number): Promise<void>;
  /** Cleans up and renews statistics, where nothing else does. */
  maintain(): Promise<void>;
  close(): Promise<unknown>;
}

/** Whoever catches a statement's error in a transaction and goes on has lost it all, in PostgreSQL as here. */
export const TAKEN_BACK =
  "The transaction was taken back: one of its statements had failed, and what ran in it went on all the same; use a savepoint, or let the error through.";

/** A database cannot be opened or used as it is; says what to do. */
export class DatabaseTrouble extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "DatabaseTrouble";
  }
}

/** The embedded database is damaged or cannot be trusted. What it held is in the chunks, the vault and the told files. */
export class RebuildNeeded extends DatabaseTrouble {
  /** @param problem what is wrong, a clause about the database */
  constructor(folder: string, problem: string, options?: ErrorOptions) {
    super(
      `The database in '${folder}' is not usable: ${problem}. Run 'salestag-memory rebuild': it makes the database anew from the sealed chunks and what was told.`,
      options,
    );
    this.name = "RebuildNeeded";
  }
}

/** A statement was refused; `code` is its SQLSTATE (PostgreSQL, appendix A). */
export class StatementRefused extends Error {
  constructor(
    message: string,
    readonly code: string,
    readonly constraint?: string,
  ) {
    super(message);
    this.name = "StatementRefused";
  }
}

/** Where names are looked for: the tables, and pgvector's types and operators, which Supabase keeps in a schema of their own. */
const SEARCH_PATH = "salestag, extensions, public, pg_temp";

/** @returns a script that begins a transaction */
export function beginScript({ statementMsMax }: Limits): string {
  return `begin; set local search_path = ${SEARCH_PATH}; set local statement_timeout = ${Math.ceil(statementMsMax)}`;
}

/**
 * Runs `work` until its end, or until the transaction has been open for too long: then its session answers no more.
 * @param now steady time in ms
 */
export async function withinLimits<T>(
  transaction: Transaction,
  { openMsMax }: Limits,
  work: (transaction: Transaction) => Promise<T>,
): Promise<T> {
  let over: string | undefined;
  let timer: NodeJS.Timeout | undefined;
  const guarded: Transaction = {
    query: async (text, values) => {
      if (over !== undefined) throw new DatabaseTrouble(over);
      return transaction.query(text, values);
    },
    script: async (text) => {
      if (over !== undefined) throw new DatabaseTrouble(over);
      return transaction.script(text);
    },
  };
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      over = `A transaction was open for more than ${openMsMax} ms and was taken back; do what is slow outside of it.`;
      reject(new DatabaseTrouble(over));
    }, openMsMax);
  });
  try {
    return await Promise.race([work(guarded), late]);
  } finally {
    clearTimeout(timer);
    over ??= "This transaction has ended; a session is good only inside of the function that got it.";
  }
}
