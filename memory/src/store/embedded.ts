// The embedded database: PGlite in a thread of its own, one transaction after the other in the order of their asking.
import { Worker } from "node:worker_threads";
import { messageOf } from "@salestag/protocol/service";
import {
  beginScript,
  DatabaseTrouble,
  type Engine,
  type Limits,
  StatementRefused,
  type Transaction,
  withinLimits,
} from "./engine";

/** To the thread. */
export interface Request {
  id: number;
  kind: "query" | "script" | "close";
  text: string;
  values?: unknown[];
}

/** From the thread; the one with id 0 says that the database is open. */
export interface Answer {
  id: number;
  rows?: object[];
  error?: { message: string; code?: string; constraint?: string };
}

/** Most transactions that wait for their turn. */
const WAITING_MAX = 10_000;

/**
 * Opens the folder of an embedded database, or makes it. Whoever calls holds the lock of its data folder.
 * @throws DatabaseTrouble when it cannot be opened
 */
export async function openEmbedded(folder: string): Promise<Engine> {
  const thread = await Thread.start(folder);
  return new Embedded(folder, thread);
}

class Embedded implements Engine {
  readonly durable = false;
  private last: Promise<unknown> = Promise.resolve();
  private waiting = 0;
  private closed = false;

  constructor(
    private readonly folder: string,
    private thread: Thread,
  ) {}

  async transaction<T>(limits: Limits, work: (transaction: Transaction) => Promise<T>): Promise<T> {
    if (this.closed) throw new DatabaseTrouble("The embedded database is closed.");
    if (this.waiting >= WAITING_MAX)
      throw new DatabaseTrouble(
        `${WAITING_MAX} transactions wait for the embedded database; try again later.`,
      );
    this.waiting++;
    const turn = this.last.then(() => this.run(limits, work));
    this.last = turn.catch(() => undefined).finally(() => this.waiting--);
    return turn;
  }

  forPersons<T>(limits: Limits, work: (transaction: Transaction) => Promise<T>): Promise<T> {
    return this.transaction(limits, work);
  }

  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    await this.last;
    await this.thread.close();
  }

  private async run<T>(limits: Limits, work: (transaction: Transaction) => Promise<T>): Promise<T> {
    if (this.thread.ended !== undefined) this.thread = await Thread.start(this.folder);
    const { thread } = this;
    const ask = (kind: Request["kind"], text: string, values?: unknown[]) =>
      thread.ask({ kind, text, values }, limits.statementMsMax);
    const transaction: Transaction = {
      query: async (text, values) => (await ask("query", text, values)) as never,
      script: async (text) => {
        await ask("script", text);
      },
    };
    await transaction.script(beginScript(limits));
    try {
      const result = await withinLimits(transaction, limits, work);
      await transaction.script("commit");
      return result;
    } catch (cause) {
      if (thread.ended === undefined) await transaction.script("rollback");
      throw cause;
    }
  }
}

/** The database's thread and what was asked of it. */
class Thread {
  /** Why it ended. */
  ended: DatabaseTrouble | undefined;
  private readonly asked = new Map<number, { resolve(rows: object[]): void; reject(cause: Error): void }>();
  private lastId = 0;

  private constructor(private readonly worker: Worker) {
    worker.on("message", (answer: Answer) => this.answered(answer));
    worker.on("error", (cause) => this.fail(messageOf(cause)));
    worker.on("exit", (code) => this.fail(`its thread ended with ${code}`));
  }

  /** @throws DatabaseTrouble */
  static async start(folder: string): Promise<Thread> {
    const worker = new Worker(new URL("./embedded-worker.mjs", import.meta.url), {
      workerData: { folder },
      execArgv: [],
    });
    const thread = new Thread(worker);
    try {
      await thread.until(0);
    } catch (cause) {
      throw new DatabaseTrouble(
        `The database in '${folder}' cannot be opened: ${messageOf(cause)} If it is damaged, run 'salestag-memory rebuild': it is made anew from chunks and told files.`,
        { cause },
      );
    }
    return thread;
  }

  /**
   * @param msMax how long the answer may take; afterwards the thread is ended, as nothing else stops a statement
   * @returns rows
   */
  async ask(request: Omit<Request, "id">, msMax: number): Promise<object[]> {
    if (this.ended !== undefined) throw this.ended;
    const id = ++this.lastId;
    const answer = this.until(id);
    this.worker.postMessage({ id, ...request } satisfies Request);
    const timer = setTimeout(() => {
      this.fail(`a statement took more than ${msMax} ms`);
      void this.worker.terminate();
    }, msMax);
    return answer.finally(() => clearTimeout(timer));
  }

  async close(): Promise<void> {
    if (this.ended !== undefined) return;
    await this.ask({ kind: "close", text: "" }, CLOSE_MS_MAX);
    this.ended = new DatabaseTrouble("The embedded database is closed.");
    await this.worker.terminate();
  }

  private until(id: number): Promise<object[]> {
    return new Promise((resolve, reject) => this.asked.set(id, { resolve, reject }));
  }

  private answered({ id, rows, error }: Answer): void {
    const asked = this.asked.get(id);
    this.asked.delete(id);
    if (error === undefined) asked?.resolve(rows ?? []);
    else asked?.reject(new StatementRefused(error.message, error.code ?? "XX000", error.constraint));
  }

  private fail(reason: string): void {
    this.ended ??= new DatabaseTrouble(`The embedded database stopped: ${reason}.`);
    for (const { reject } of this.asked.values()) reject(this.ended);
    this.asked.clear();
  }
}

const CLOSE_MS_MAX = 60_000;
