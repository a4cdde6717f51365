// Brings the spool's records to one sink: from where its cursor stands, in order, again and again until each batch is taken. Each
// sink has a dispatcher and a cursor of its own, so one that is down delays nobody else.
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "../clock";
import { type Disk, replaceFile } from "../disk";
import { messageOf, systemCodeOf } from "../errors";
import type { Log } from "../log";
import type { SpoolPlace } from "../spool/segments";
import type { Spool } from "../spool/spool";
import type { Sink } from "./sink";

export interface DispatcherOptions {
  spool: Spool;
  sink: Sink;
  /** The spool's folder: the cursor lies there. */
  directory: string;
  disk: Disk;
  clock: Clock;
  log: Log;
  /** 0 to 1, for the spread of retries. */
  random: () => number;
  /** Called whenever the cursor moved. */
  onMoved: () => void;
}

const RETRY_MS_MIN = 500;
const RETRY_MS_MAX = 60_000;

export class Dispatcher {
  /** Everything before this place was delivered. */
  cursor: SpoolPlace = { segment: 0, offset: 0 };

  private stopping = false;
  private wake: () => void = () => {};
  private running: Promise<void> = Promise.resolve();

  constructor(private readonly options: DispatcherOptions) {}

  /** Reads the cursor and begins to deliver. */
  async start(): Promise<void> {
    this.cursor = await this.readCursor();
    this.running = this.run();
  }

  /** Delivers what is in the spool now unless the sink refuses it, keeps the cursor, and ends. */
  async stop(): Promise<void> {
    this.stopping = true;
    this.wake();
    await this.running;
  }

  private async run(): Promise<void> {
    const { spool } = this.options;
    const unsubscribe = spool.onCommit(() => this.wake());
    let failures = 0;
    for (;;) {
      // Made before reading, so that a commit during the read is not missed.
      const woken = new Promise<void>((resolve) => {
        this.wake = resolve;
      });
      const { records, next } = await spool.read(this.cursor);
      const moved = next.segment !== this.cursor.segment || next.offset !== this.cursor.offset;
      if (records.length === 0 && !moved) {
        if (this.stopping) break;
        await woken;
        continue;
      }
      try {
        if (records.length > 0) await this.options.sink.deliver(records);
        failures = 0;
      } catch (cause) {
        failures++;
        if (this.stopping) break;
        await this.pause(failures, cause, woken);
        continue;
      }
      await this.moveCursor(next);
    }
    unsubscribe();
  }

  private async pause(failures: number, cause: unknown, woken: Promise<void>): Promise<void> {
    const { clock, log, random, sink } = this.options;
    const doubled = Math.min(RETRY_MS_MAX, RETRY_MS_MIN * 2 ** Math.min(failures - 1, 10));
    const retryMs = Math.round(doubled * (0.5 + 0.5 * random()));
    log.warn("sink refused a delivery", { sink: sink.name, why: messageOf(cause), retryMs, failures });
    await new Promise<void>((resolve) => {
      const cancel = clock.after(retryMs, resolve);
      woken.then(() => {
        if (!this.stopping) return; // a new chunk is no reason to try earlier
        cancel();
        resolve();
      });
    });
  }

  private cursorPath(): string {
    const name = createHash("sha256").update(this.options.sink.name).digest("hex").slice(0, 16);
    return join(this.options.directory, `cursor-${name}.json`);
  }

  private async readCursor(): Promise<SpoolPlace> {
    const path = this.cursorPath();
    try {
      const { segment, offset } = JSON.parse(await readFile(path, "utf8")) as SpoolPlace;
      if (Number.isSafeInteger(segment) && Number.isSafeInteger(offset)) return { segment, offset };
      this.options.log.warn("cursor is damaged, delivering all again", { path });
    } catch (cause) {
      if (systemCodeOf(cause) !== "ENOENT")
        this.options.log.warn("cursor is damaged, delivering all again", { path, why: messageOf(cause) });
    }
    return this.options.spool.start();
  }

  private async moveCursor(place: SpoolPlace): Promise<void> {
    this.cursor = place;
    const { disk, sink } = this.options;
    const text = `${JSON.stringify({ version: 1, sink: sink.name, ...place })}\n`;
    await replaceFile(disk, this.cursorPath(), Buffer.from(text), 0o640);
    this.options.onMoved();
  }
}
