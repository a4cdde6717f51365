// One watcher's stream of server-sent events (HTML, section 9.2): in order, each conversation written to the audit log before anything of it is shown,
// cut when its reader is too slow, ended when its token expires or the person's rights change.
import { Readable } from "node:stream";
import { type Clock, type Log, messageOf } from "@salestag/protocol/service";
import { type Entry, type Feed, maySee, type Viewer } from "./feed";

/** Comments in between tell both sides that the other is there, and rights are looked at again. */
export const HEARTBEAT_MS = 15_000;
/** What may wait for a slow reader, bytes of text and number of events. */
export const WAITING_BYTES_MAX = 256 * 1024;
export const WAITING_EVENTS_MAX = 2_000;
/** A client waits this long before it comes back. */
const RETRY_MS = 2_000;
/** The longest that a timer of Node waits. */
const TIMER_MS_MAX = 2 ** 31 - 1;

/** What a stream needs to know and do. */
export interface StreamOptions {
  feed: Feed;
  viewer: Viewer;
  lastId: string | undefined;
  expiresUnixMs: number;
  clock: Clock;
  log: Log;
  /** Writes to the audit log that something of these conversations is shown. @throws when the viewer's rights are not what they were */
  seen(conversationIds: string[]): Promise<void>;
  /** @returns whether the viewer's rights are what they were */
  unchanged(): Promise<boolean>;
}

export class LiveStream {
  readonly out: Readable;
  private readonly waiting: Entry[] = [];
  private readonly audited = new Set<string>();
  private readonly unwatch: () => void;
  private stopBeat = () => {};
  private stopExpiry = () => {};
  private sending = false;
  private checking = false;
  private ended = false;
  /** The reader had not taken everything at the last heartbeat. */
  private behind = false;

  constructor(private readonly options: StreamOptions) {
    this.out = new Readable({ read: () => undefined });
    this.out.once("close", () => this.stop());
    const { feed, viewer, lastId, clock, expiresUnixMs } = options;
    const { missed, kept, end } = feed.watch(viewer, lastId, (entry) => this.take(entry));
    this.unwatch = end;
    this.out.push(`retry: ${RETRY_MS}\n\n`);
    if (missed) this.out.push(text("gap", { why: "Some events are not kept any more: list conversations." }));
    this.beat();
    for (const entry of kept) this.take(entry);
    this.expireAt(clock, expiresUnixMs);
  }

  /** Says why, and ends it. */
  end(why: string): void {
    if (this.ended) return;
    this.out.push(text("end", { why }));
    this.out.push(null);
    this.stop();
  }

  private stop(): void {
    this.ended = true;
    this.unwatch();
    this.stopBeat();
    this.stopExpiry();
  }

  private expireAt(clock: Clock, expiresUnixMs: number): void {
    const leftMs = expiresUnixMs - clock.unixMs();
    if (leftMs <= 0) this.end("The token has expired: sign in again.");
    else
      this.stopExpiry = clock.after(Math.min(leftMs, TIMER_MS_MAX), () =>
        this.expireAt(clock, expiresUnixMs),
      );
  }

  private beat(): void {
    this.stopBeat = this.options.clock.after(HEARTBEAT_MS, () => {
      const unread = this.out.readableLength > 0;
      if (unread && this.behind) {
        this.cut("it reads too slowly");
        return;
      }
      this.behind = unread;
      this.out.push(": beat\n\n");
      void this.check();
      this.beat();
    });
  }

  /** Whoever was moved or removed sees nothing more. */
  private async check(): Promise<void> {
    if (this.checking) return;
    this.checking = true;
    try {
      if (!(await this.options.unchanged())) this.end("Your rights have changed: come back for new ones.");
    } catch (cause) {
      this.cut(messageOf(cause));
    } finally {
      this.checking = false;
    }
  }

  private take(entry: Entry): void {
    if (this.ended) return;
    this.waiting.push(entry);
    if (this.waiting.length > WAITING_EVENTS_MAX) this.cut("it reads too slowly");
    else if (!this.sending) void this.send();
  }

  private async send(): Promise<void> {
    this.sending = true;
    try {
      while (this.waiting.length > 0 && !this.ended) {
        const batch = this.waiting.splice(0);
        await this.audit(batch);
        for (const { id, event } of batch) this.write(id, event);
      }
    } catch (cause) {
      this.cut(messageOf(cause));
    } finally {
      this.sending = false;
    }
  }

  private async audit(batch: Entry[]): Promise<void> {
    const ids = [...new Set(batch.map(({ event }) => event.conversationId))];
    const unseen = ids.filter((id) => !this.audited.has(id));
    if (unseen.length === 0) return;
    await this.options.seen(unseen);
    for (const id of unseen) this.audited.add(id);
  }

  private write(id: string, event: Entry["event"]): void {
    if (this.ended || !maySee(this.options.viewer, event)) return;
    const { teamId: _, atUnixMs, type, ...rest } = event;
    this.out.push(text(type, { type, at: new Date(atUnixMs).toISOString(), ...rest }, id));
    if (this.out.readableLength > WAITING_BYTES_MAX) this.cut("it reads too slowly");
  }

  /** Ends it at once; who comes back with the last event's id misses nothing that is kept. */
  private cut(why: string): void {
    if (this.ended) return;
    this.options.log.warn("live stream cut", { person: this.options.viewer.personId, why });
    this.stop();
    this.out.destroy(new Error(why));
  }
}

/** @returns an event as it is sent; JSON has no line breaks */
function text(type: string, data: object, id?: string): string {
  return `${id === undefined ? "" : `id: ${id}\n`}event: ${type}\ndata: ${JSON.stringify(data)}\n\n`;
}
