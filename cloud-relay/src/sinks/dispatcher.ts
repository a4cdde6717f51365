// Feeds one sink from the spool: in order, at least once, from a durable cursor. A delivery that fails is repeated after a wait
// that doubles each time; other sinks have dispatchers of their own and do not notice.
import type { Clock } from "../clock";
import type { Disk } from "../disk";
import { messageOf } from "../errors";
import type { Log } from "../log";
import type { Cursor, SpoolEntry, SpoolPart } from "../spool/reader";
import { CursorFile } from "./cursor-file";
import type { Sink } from "./sink";

const ENTRIES_MAX = 256;
const RETRY_FIRST_MS = 500;
const RETRY_MAX_MS = 300_000;
const SAVE_INTERVAL_MS = 1000;
/** Time that a sink has for what is in the spool when the relay ends. */
const STOP_MS_MAX = 5000;

/** What a dispatcher needs of the spool. */
export interface SpoolSource {
  readonly end: Cursor;
  read(cursor: Cursor): Promise<SpoolPart>;
}

export interface DispatcherOptions {
  sink: Sink;
  source: SpoolSource;
  spoolDirectory: string;
  disk: Disk;
  clock: Clock;
  /** A number from 0 to below 1. */
  random: () => number;
  log: Log;
  /** Called whenever the durable cursor has moved. */
  onSaved: () => Promise<void>;
}

/** See the top of the file. */
export class Dispatcher {
  private cursor: Cursor;
  private savedMs: number;
  /** Deliveries that failed since the start. */
  failuresTotal = 0;

  private failures = 0;
  private woken = false;
  private wakeUp: () => void = () => {};
  private stopping = false;
  private readonly giveUp = new AbortController();
  private readonly running: Promise<void>;

  private constructor(
    private readonly options: DispatcherOptions,
    private readonly file: CursorFile,
  ) {
    this.cursor = file.saved;
    this.savedMs = options.clock.steadyMs();
    this.running = this.run();
  }

  /** Opens the sink's cursor and starts to deliver. */
  static async start(options: DispatcherOptions): Promise<Dispatcher> {
    const file = await CursorFile.open(options.disk, options.spoolDirectory, options.sink.name);
    return new Dispatcher(options, file);
  }

  /** Name of the sink. */
  get name(): string {
    return this.options.sink.name;
  }

  /** Where the sink has come to. */
  get position(): Cursor {
    return this.cursor;
  }

  /** The cursor from which a restart would continue: segments before it are not needed any more. */
  get savedCursor(): Cursor {
    return this.file.saved;
  }

  /** The spool has more. */
  wake(): void {
    this.woken = true;
    this.wakeUp();
  }

  /** Delivers what is in the spool, as far as the sink takes it at once, saves the cursor and ends. */
  async stop(): Promise<void> {
    this.stopping = true;
    this.wakeUp();
    const cancel = this.options.clock.after(STOP_MS_MAX, () => this.giveUp.abort());
    await this.running;
    cancel();
    await this.file.close();
  }

  private async run(): Promise<void> {
    while (!this.giveUp.signal.aborted) {
      this.woken = false;
      try {
        const { entries, next } = await this.options.source.read(this.cursor);
        if (!sameCursor(next, this.cursor)) await this.deliver(entries, next);
        await this.saveWhenDue();
        if (!sameCursor(this.cursor, this.options.source.end)) continue;
        if (this.stopping) break;
        await this.idle();
      } catch (cause) {
        await this.waitAfter(cause);
        if (this.stopping) break;
      }
    }
    await this.saveLast();
  }

  private async saveLast(): Promise<void> {
    try {
      await this.save();
    } catch (cause) {
      const { sink, log } = this.options;
      log.error("cursor not saved: the sink gets its newest chunks again", {
        sink: sink.name,
        why: messageOf(cause),
      });
    }
  }

  private async deliver(entries: SpoolEntry[], next: Cursor): Promise<void> {
    for (let at = 0; at < entries.length; at += ENTRIES_MAX)
      await this.options.sink.deliver(entries.slice(at, at + ENTRIES_MAX), this.giveUp.signal);
    if (this.failures > 0) {
      this.options.log.info("sink takes chunks again", {
        sink: this.options.sink.name,
        failures: this.failures,
      });
      this.failures = 0;
    }
    this.cursor = next;
  }

  /** Saves at most once a second, and at once when a segment is done with and can be deleted. */
  private async saveWhenDue(): Promise<void> {
    const sameSegment = this.cursor.segment === this.file.saved.segment;
    if (sameSegment && this.options.clock.steadyMs() - this.savedMs < SAVE_INTERVAL_MS) return;
    await this.save();
  }

  private async save(): Promise<void> {
    this.savedMs = this.options.clock.steadyMs();
    if (sameCursor(this.cursor, this.file.saved)) return;
    await this.file.save(this.cursor);
    await this.options.onSaved();
  }

  /** Until there is more, or the cursor is to be saved. */
  private async idle(): Promise<void> {
    const saved = sameCursor(this.cursor, this.file.saved);
    await this.wait(saved ? undefined : SAVE_INTERVAL_MS, false);
  }

  private async waitAfter(cause: unknown): Promise<void> {
    const { sink, random, log } = this.options;
    // Full jitter: relays that lost the same sink do not come back at the same time.
    const waitMs = Math.ceil(random() * Math.min(RETRY_MAX_MS, RETRY_FIRST_MS * 2 ** this.failures)) + 1;
    this.failures++;
    this.failuresTotal++;
    log.warn("sink failed", { sink: sink.name, why: messageOf(cause), failures: this.failures, waitMs });
    await this.wait(waitMs, true);
  }

  /** @param throughWakes true to wait even when the spool has more */
  private wait(waitMs: number | undefined, throughWakes: boolean): Promise<void> {
    return new Promise((resolve) => {
      if (this.stopping || (this.woken && !throughWakes)) return resolve();
      const done = (): void => {
        cancel();
        this.wakeUp = () => {};
        resolve();
      };
      const cancel = waitMs === undefined ? () => {} : this.options.clock.after(waitMs, done);
      this.wakeUp = () => {
        if (this.stopping || !throughWakes) done();
      };
    });
  }
}

function sameCursor(a: Cursor, b: Cursor): boolean {
  return a.segment === b.segment && a.offset === b.offset;
}
