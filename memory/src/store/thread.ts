// The embedded database's thread, from outside: requests to it and its answers.
import { Worker } from "node:worker_threads";
import { clauseOf } from "@salestag/protocol/service";
import { DatabaseTrouble, RebuildNeeded, StatementRefused } from "./engine";

/** Where the embedded database and what was told lie. */
export interface Folders {
  /** PGlite's. */
  folder: string;
  /** DATA/told. */
  toldFolder: string;
}

/** To the thread. `commit` also puts what was told into files; `keep` makes the triggers for that. */
export interface Request {
  id: number;
  kind: "query" | "script" | "commit" | "keep" | "close";
  text: string;
  values?: unknown[];
}

/** From the thread; the one with id 0 says that the database is open. */
export interface Answer {
  id: number;
  rows?: object[];
  error?: { message: string; code?: string; constraint?: string };
}

/** Making a database takes 3 to 6 s of an idle core. */
const START_MS_MAX = 180_000;
/** SQLSTATE of "data_corrupted", "index_corrupted", "io_error" and "undefined_file": PostgreSQL, appendix A. */
const DAMAGE_CODES = ["XX001", "XX002", "58030", "58P01"];

interface Asked {
  resolve(rows: object[]): void;
  reject(cause: Error): void;
}

export class DatabaseThread {
  /** Why it ended. */
  ended: DatabaseTrouble | undefined;
  private readonly asked = new Map<number, Asked>();
  private lastId = 0;

  private constructor(
    private readonly worker: Worker,
    private readonly folder: string,
  ) {
    worker.on("message", (answer: Answer) => this.answered(answer));
    worker.on("error", (cause) => this.fail(clauseOf(cause)));
    worker.on("exit", (code) => this.fail(`its thread ended with ${code}`));
  }

  /** @throws RebuildNeeded when the folder cannot be opened */
  static async start(folders: Folders): Promise<DatabaseThread> {
    const worker = new Worker(new URL("./embedded-worker.mjs", import.meta.url), {
      workerData: folders,
      execArgv: [],
      stdout: true, // what PostgreSQL says of its start is not the program's
      stderr: true,
    });
    for (const stream of [worker.stdout, worker.stderr]) stream.resume();
    const thread = new DatabaseThread(worker, folders.folder);
    try {
      await thread.within(START_MS_MAX, thread.until(0), "opening it");
    } catch (cause) {
      throw new RebuildNeeded(folders.folder, `it cannot be opened: ${clauseOf(cause)}`, { cause });
    }
    return thread;
  }

  /**
   * @param msMax how long the answer may take; afterwards the thread is ended, as nothing else stops a statement
   * @returns rows
   * @throws StatementRefused, or DatabaseTrouble when the thread is no more
   */
  async ask(request: Omit<Request, "id">, msMax: number): Promise<object[]> {
    if (this.ended !== undefined) throw this.ended;
    const id = ++this.lastId;
    const answer = this.until(id);
    this.worker.postMessage({ id, ...request } satisfies Request);
    return this.within(msMax, answer, "a statement");
  }

  /** @returns false when it had ended before */
  async close(msMax: number): Promise<boolean> {
    if (this.ended !== undefined) return false;
    await this.ask({ kind: "close", text: "" }, msMax);
    this.ended = new DatabaseTrouble("The embedded database is closed.");
    await this.worker.terminate();
    return true;
  }

  private async within<T>(msMax: number, answer: Promise<T>, what: string): Promise<T> {
    const timer = setTimeout(() => this.fail(`${what} took more than ${msMax} ms`), msMax);
    try {
      return await answer;
    } catch (cause) {
      // Nobody may open the folder again before this one has let go of it.
      if (this.ended !== undefined) await this.worker.terminate();
      throw cause;
    } finally {
      clearTimeout(timer);
    }
  }

  private until(id: number): Promise<object[]> {
    return new Promise((resolve, reject) => this.asked.set(id, { resolve, reject }));
  }

  private answered({ id, rows, error }: Answer): void {
    const asked = this.asked.get(id);
    this.asked.delete(id);
    if (error === undefined) asked?.resolve(rows ?? []);
    else asked?.reject(this.errorOf(error));
  }

  private errorOf({ message, code, constraint }: NonNullable<Answer["error"]>): Error {
    if (code !== undefined && DAMAGE_CODES.includes(code)) return new RebuildNeeded(this.folder, message);
    if (code === undefined || !/^[0-9A-Z]{5}$/.test(code)) return new DatabaseTrouble(message);
    return new StatementRefused(message, code, constraint);
  }

  private fail(reason: string): void {
    this.ended ??= new DatabaseTrouble(`The embedded database stopped: ${reason}.`);
    for (const { reject } of this.asked.values()) reject(this.ended);
    this.asked.clear();
  }
}
