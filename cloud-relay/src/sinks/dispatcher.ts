// Feeds one sink: in order, at least once. A delivery that fails is repeated after a wait that doubles each time; a chunk that the sink will not take is
// put aside as a dead letter after a bound, so that what comes behind it gets through. Other sinks have dispatchers of their own and do not notice.
import type { Clock, Log } from "@salestag/protocol/service";
import { messageOf } from "../errors";
import type { Feed } from "../spool/feed";
import type { SpoolEntry } from "../spool/reader";
import type { DeadLetters } from "./dead-letters";
import { nameOf, RejectedError, type Sink } from "./sink";

const ENTRIES_MAX = 256;
const RETRY_FIRST_MS = 500;
const RETRY_MAX_MS = 300_000;
/** Time that a sink has for what is in the spool when the relay ends. */
const STOP_MS_MAX = 5000;

/** When a chunk is put aside. */
export interface DeadLetterBounds {
  /** Refusals of the chunk itself. */
  rejections: number;
  /** Time for which a single chunk is tried while the sink fails in other ways. */
  afterMs: number;
}

export const DEAD_LETTER_BOUNDS: DeadLetterBounds = { rejections: 5, afterMs: 86_400_000 };

export interface DispatcherOptions {
  sink: Sink;
  feed: Feed;
  deadLetters: DeadLetters;
  bounds?: DeadLetterBounds;
  clock: Clock;
  /** A number from 0 to below 1. */
  random: () => number;
  log: Log;
}

/** What `take` gave, and how much of it is delivered. */
interface Work {
  entries: SpoolEntry[];
  done: number;
}

/** See the top of the file. */
export class Dispatcher {
  /** Deliveries that failed since the start. */
  failuresTotal = 0;
  /** Why the last delivery failed, and the Unix time in ms at which it is repeated; undefined when it did not. */
  trouble: { why: string; retryUnixMs: number } | undefined;

  private work: Work = { entries: [], done: 0 };
  private batchMax = ENTRIES_MAX;
  /** In a row. */
  private failures = 0;
  /** Refusals of the chunk that is first in line. */
  private rejections = 0;
  /** When the chunk that is first in line was first tried. */
  private triedSinceMs: number | undefined;
  private readonly stopping = new AbortController();
  private readonly givingUp = new AbortController();
  private readonly bounds: DeadLetterBounds;
  private readonly running: Promise<void>;

  /** Starts to deliver. */
  constructor(private readonly options: DispatcherOptions) {
    this.bounds = options.bounds ?? DEAD_LETTER_BOUNDS;
    this.running = this.run();
  }

  /** Name of the sink. */
  get name(): string {
    return this.options.sink.name;
  }

  get bytesBehind(): number {
    return this.options.feed.bytesBehind;
  }

  get deadLetters(): DeadLetters {
    return this.options.deadLetters;
  }

  /** Delivers what there is, as far as the sink takes it at once, saves the place and ends. */
  async stop(): Promise<void> {
    this.stopping.abort();
    const cancel = this.options.clock.after(STOP_MS_MAX, () => this.givingUp.abort());
    await this.running;
    cancel();
    await this.options.feed.close();
    await this.options.sink.close?.();
  }

  private async run(): Promise<void> {
    const { feed } = this.options;
    while (!this.givingUp.signal.aborted) {
      try {
        if (this.work.entries.length === 0)
          this.work = { entries: await feed.take(this.stopping.signal), done: 0 };
        if (this.work.entries.length === 0) break;
        await this.deliverAll();
        await feed.pass();
        this.work = { entries: [], done: 0 };
      } catch (cause) {
        await this.waitAfter(cause);
        if (this.stopping.signal.aborted) break;
      }
    }
    await this.saveLast();
  }

  private async saveLast(): Promise<void> {
    try {
      await this.options.feed.save();
    } catch (cause) {
      const { sink, log } = this.options;
      log.error("cursor not saved: the sink gets its newest chunks again", {
        sink: sink.name,
        why: messageOf(cause),
      });
    }
  }

  private async deliverAll(): Promise<void> {
    const { sink, clock } = this.options;
    const { work } = this;
    while (work.done < work.entries.length) {
      const batch = work.entries.slice(work.done, work.done + this.batchMax);
      this.triedSinceMs ??= clock.steadyMs();
      try {
        await sink.deliver(batch, this.givingUp.signal);
      } catch (cause) {
        await this.failed(batch, cause);
        continue;
      }
      this.taken(batch.length);
    }
  }

  private taken(count: number): void {
    if (this.failures > 0)
      this.options.log.info("sink takes chunks again", { sink: this.name, failures: this.failures });
    this.failures = 0;
    this.trouble = undefined;
    this.batchMax = Math.min(ENTRIES_MAX, this.batchMax * 2);
    this.goOn(count);
  }

  private goOn(count: number): void {
    this.work.done += count;
    this.rejections = 0;
    this.triedSinceMs = undefined;
  }

  /** Returns when the delivery may be tried again at once: with fewer chunks, or without the one that was put aside. @throws the cause otherwise */
  private async failed(batch: SpoolEntry[], cause: unknown): Promise<void> {
    const rejected = cause instanceof RejectedError;
    const { clock } = this.options;
    const late = clock.steadyMs() - (this.triedSinceMs ?? 0) >= this.bounds.afterMs;
    if (!rejected && !late) throw cause;
    if (batch.length > 1) {
      this.batchMax = late ? 1 : Math.ceil(batch.length / 2);
      return;
    }
    if (rejected) this.rejections++;
    if (this.rejections < this.bounds.rejections && !late) throw cause;
    await this.putAside(batch[0], messageOf(cause));
    this.failuresTotal++;
    this.goOn(1);
  }

  private async putAside(entry: SpoolEntry, why: string): Promise<void> {
    const { clock, deadLetters, log } = this.options;
    await deadLetters.keep(entry, why, clock.unixMs());
    log.error("sink does not take a chunk: it is put aside as a dead letter", {
      sink: this.name,
      chunk: nameOf(entry),
      why,
    });
  }

  private async waitAfter(cause: unknown): Promise<void> {
    const { random, clock, log } = this.options;
    // Full jitter: relays that lost the same sink do not come back at the same time.
    const waitMs = Math.ceil(random() * Math.min(RETRY_MAX_MS, RETRY_FIRST_MS * 2 ** this.failures)) + 1;
    this.failures++;
    this.failuresTotal++;
    const why = messageOf(cause);
    this.trouble = { why, retryUnixMs: clock.unixMs() + waitMs };
    log.warn("sink failed", { sink: this.name, why, failures: this.failures, waitMs });
    await this.pause(waitMs);
  }

  private pause(waitMs: number): Promise<void> {
    const { signal } = this.stopping;
    return new Promise((resolve) => {
      if (signal.aborted) return resolve();
      const done = (): void => {
        cancel();
        signal.removeEventListener("abort", done);
        resolve();
      };
      const cancel = this.options.clock.after(waitMs, done);
      signal.addEventListener("abort", done);
    });
  }
}
