// The embedded database: PGlite in a thread of its own, one transaction after the other in the order of their asking.
import {
  beginScript,
  DatabaseTrouble,
  type Engine,
  type Limits,
  TAKEN_BACK,
  type Transaction,
  withinLimits,
} from "./engine";
import { DatabaseThread, type Folders, type Request } from "./thread";

/** Most transactions that wait for their turn. */
const WAITING_MAX = 10_000;
const KEEPER_MS_MAX = 600_000;
const MAINTAIN_MS_MAX = 3_600_000;
const CLOSE_MS_MAX = 60_000;

/** An embedded database, whose told rows can be kept in files too. */
export interface EmbeddedEngine extends Engine {
  readonly durable: false;
  /** From now on told rows are in files before a transaction is over, also those that an interruption left behind. */
  keepTold(): Promise<void>;
  /** @returns whether all of it is on the disk now */
  close(): Promise<boolean>;
}

/**
 * Opens the folder of an embedded database, or makes it. Whoever calls holds the lock of its data folder.
 * @throws RebuildNeeded when it cannot be opened
 */
export async function openEmbedded(folders: Folders): Promise<EmbeddedEngine> {
  return new Embedded(folders, await DatabaseThread.start(folders));
}

class Embedded implements EmbeddedEngine {
  readonly durable = false;
  private last: Promise<unknown> = Promise.resolve();
  private waiting = 0;
  private keeping = false;
  private closed = false;

  constructor(
    private readonly folders: Folders,
    private thread: DatabaseThread,
  ) {}

  transaction<T>(limits: Limits, work: (transaction: Transaction) => Promise<T>): Promise<T> {
    return this.inTurn(() => this.run(limits, work));
  }

  async alone(statement: string, msMax: number): Promise<void> {
    await this.inTurn(async () => (await this.running()).ask({ kind: "script", text: statement }, msMax));
  }

  private async inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (this.closed) throw new DatabaseTrouble("The embedded database is closed.");
    if (this.waiting >= WAITING_MAX)
      throw new DatabaseTrouble(
        `${WAITING_MAX} transactions wait for the embedded database; try again later.`,
      );
    this.waiting++;
    const turn = this.last.then(work);
    this.last = turn.then(
      () => this.waiting--,
      () => this.waiting--,
    );
    return turn;
  }

  forPersons<T>(limits: Limits, work: (transaction: Transaction) => Promise<T>): Promise<T> {
    return this.transaction(limits, work);
  }

  async keepTold(): Promise<void> {
    await this.thread.ask({ kind: "keep", text: "" }, KEEPER_MS_MAX);
    this.keeping = true;
  }

  async maintain(): Promise<void> {
    await this.inTurn(async () => {
      if (this.thread.ended !== undefined) await this.startAgain();
      await this.thread.ask({ kind: "script", text: "vacuum (analyze)" }, MAINTAIN_MS_MAX);
    });
  }

  async close(): Promise<boolean> {
    if (this.closed) return false;
    this.closed = true;
    await this.last;
    return this.thread.close(CLOSE_MS_MAX);
  }

  /** @returns the thread; another one where it has ended */
  private async running(): Promise<DatabaseThread> {
    if (this.thread.ended !== undefined) await this.startAgain();
    return this.thread;
  }

  private async run<T>(limits: Limits, work: (transaction: Transaction) => Promise<T>): Promise<T> {
    const thread = await this.running();
    const ask = (kind: Request["kind"], text = "", values?: unknown[]) =>
      thread.ask({ kind, text, values }, limits.statementMsMax);
    const transaction: Transaction = {
      query: async (text, values) => (await ask("query", text, values)) as never,
      script: async (text) => void (await ask("script", text)),
    };
    await transaction.script(beginScript(limits));
    let result: T;
    try {
      result = await withinLimits(transaction, limits, work);
    } catch (cause) {
      if (thread.ended === undefined) await transaction.script("rollback");
      throw cause;
    }
    const [{ command }] = (await ask("commit")) as { command: string }[];
    if (command === "ROLLBACK") throw new DatabaseTrouble(TAKEN_BACK);
    return result;
  }

  /** After its thread died: the folder is as after the end of a process, which PostgreSQL recovers from. */
  private async startAgain(): Promise<void> {
    this.thread = await DatabaseThread.start(this.folders);
    if (this.keeping) await this.keepTold();
  }
}
