// The spool in a stream of NATS JetStream (docs/spool-jetstream.md): a chunk is durable when JetStream has acked it. A badge's chunks are published one after
// the other, each on condition that the badge's newest message is the one that this relay knows of: so a chunk is stored once, whichever relays had it.

import { JetStreamApiCodes, JetStreamApiError } from "@nats-io/jetstream";
import { type ChunkRecord, decodeRecord, encodeRecord } from "@salestag/protocol/host";
import type { Clock, Log, NatsServer } from "@salestag/protocol/service";
import { ExitCode, RelayError } from "../errors";
import { type NatsStream, natsProblem, openStream, type StreamSettings } from "../nats/connection";
import type { ChunkStore, StoredChunk, StoreListener } from "./chunk-store";
import type { Feed } from "./feed";
import { JetStreamFeed } from "./jetstream-feed";
import { comparePositions, type Position, positionAfter, START } from "./position";

/** Where the stream is. */
export interface JetStreamSpoolSettings {
  place: NatsServer;
  stream: StreamSettings;
  /** Folder of what is kept besides chunks: dead letters. Needed for sinks only. */
  folder?: string;
  /** Longest wait for JetStream's ack, in ms. */
  ackMsMax?: number;
}

export interface JetStreamSpoolParts {
  log: Log;
  clock: Clock;
  listener: StoreListener;
}

const ACK_MS_MAX = 5000;
const RETRY_MS = 500;
const QUEUE_BYTES_MAX = 16 * 1024 * 1024;
const STATE_MS = 5000;

interface Queued extends StoredChunk {
  chunk: Position;
}

/** What is known of one badge. */
interface BadgeState {
  durable: Position;
  /** Like `durable`, but with what is queued. */
  accepted: Position;
  /** The stream's number of the badge's newest message; 0 for none. */
  newest: number;
  queue: Queued[];
  publishing: Promise<void> | undefined;
  connected: boolean;
}

/** See the top of the file. */
export class JetStreamSpool implements ChunkStore {
  noRoomReason = "";
  readonly stored = { chunks: 0, bytes: 0 };
  bytes = 0;

  private readonly badges = new Map<string, BadgeState>();
  private queuedBytes = 0;
  private crowded = false;
  private closing = false;
  private cancelLook: () => void = () => {};
  private readonly waiting = new Set<() => void>();

  private constructor(
    private readonly settings: JetStreamSpoolSettings,
    private readonly parts: JetStreamSpoolParts,
    private readonly nats: NatsStream,
  ) {
    this.lookLater(0);
  }

  /** Connects, and makes the stream where it is missing. @throws RelayError that says what is wrong */
  static async open(settings: JetStreamSpoolSettings, parts: JetStreamSpoolParts): Promise<JetStreamSpool> {
    try {
      return new JetStreamSpool(settings, parts, await openStream(settings.place, settings.stream));
    } catch (cause) {
      const where = settings.place.servers.join(", ");
      throw new RelayError(
        ExitCode.Spool,
        `the spool in JetStream at ${where} cannot be used: ${natsProblem(cause)}`,
        { cause },
      );
    }
  }

  get hasRoom(): boolean {
    return this.noRoomReason === "";
  }

  get isCrowded(): boolean {
    return this.crowded;
  }

  /** Always looks, as another relay may have had the badge in between. */
  async prepare(badge: string): Promise<void> {
    const state = this.badges.get(badge) ?? {
      durable: START,
      accepted: START,
      newest: 0,
      queue: [],
      publishing: undefined,
      connected: true,
    };
    this.badges.set(badge, state);
    state.connected = true;
    try {
      await this.lookUp(badge, state);
    } catch (cause) {
      throw new Error(natsProblem(cause));
    }
  }

  leave(badge: string): void {
    const state = this.badges.get(badge);
    if (state === undefined) return;
    state.connected = false;
    if (state.queue.length === 0) this.badges.delete(badge);
  }

  durablePosition(badge: string): Position {
    return this.badges.get(badge)?.durable ?? START;
  }

  isDurable(badge: string, chunk: Position): boolean {
    return comparePositions(chunk, this.durablePosition(badge)) < 0;
  }

  append(record: ChunkRecord): void {
    const state = this.badges.get(record.badge);
    if (this.closing || state === undefined || comparePositions(record, state.accepted) < 0) return;
    const payload = encodeRecord(record);
    state.accepted = positionAfter(record);
    state.queue.push({ badge: record.badge, chunk: { epoch: record.epoch, index: record.index }, payload });
    this.queuedBytes += payload.length;
    if (this.queuedBytes > QUEUE_BYTES_MAX && !this.crowded) {
      this.crowded = true;
      this.parts.log.warn("JetStream is slower than the badges send, they wait", {
        queuedBytes: this.queuedBytes,
      });
    }
    state.publishing ??= this.publishAll(record.badge, state);
  }

  openFeed(sinkName: string): Promise<Feed> {
    return JetStreamFeed.open(this.nats, this.settings.stream.stream, sinkName, this.parts.clock);
  }

  /** What is deleted, and when, is the stream's own setting. */
  feedsOpened(): void {}

  async drain(): Promise<void> {
    this.closing = true;
    for (const resolve of this.waiting) resolve();
    await Promise.all([...this.badges.values()].map(({ publishing }) => publishing));
  }

  async close(): Promise<void> {
    await this.drain();
    this.cancelLook();
    await this.nats.connection.close();
  }

  /** Finds how far a badge has come, from its newest message. */
  private async lookUp(badge: string, state: BadgeState): Promise<void> {
    const { stream, subject } = this.settings.stream;
    const found = await this.nats.manager.streams.getMessage(stream, { last_by_subj: `${subject}.${badge}` });
    state.newest = found?.seq ?? 0;
    if (found === null) return;
    const position = positionAfter(decodeRecord(Buffer.from(found.data)));
    if (comparePositions(position, state.durable) > 0) state.durable = position;
    if (comparePositions(position, state.accepted) > 0) state.accepted = position;
  }

  /** Runs until the badge's queue is empty. */
  private async publishAll(badge: string, state: BadgeState): Promise<void> {
    while (state.queue.length > 0) {
      const [head] = state.queue;
      try {
        if (!this.isDurable(badge, head.chunk)) await this.publish(badge, state, head);
        state.queue.shift();
        this.queuedBytes -= head.payload.length;
        this.setNoRoom("");
        this.parts.listener.committed(new Set([badge]), [head]);
        this.uncrowd();
      } catch (cause) {
        if (await this.settled(badge, state, cause)) continue;
        if (this.closing) break;
        this.setNoRoom(natsProblem(cause));
        await this.pause();
        if (this.closing) break;
      }
    }
    state.publishing = undefined;
    if (!state.connected && state.queue.length === 0) this.badges.delete(badge);
  }

  private async publish(badge: string, state: BadgeState, { chunk, payload }: Queued): Promise<void> {
    const { stream, subject } = this.settings.stream;
    const { seq } = await this.nats.client.publish(`${subject}.${badge}`, payload, {
      msgID: `${badge}/${chunk.epoch}/${chunk.index}`,
      timeout: this.settings.ackMsMax ?? ACK_MS_MAX,
      retries: 1,
      expect: { streamName: stream, lastSubjectSequence: state.newest },
    });
    state.newest = seq;
    state.durable = positionAfter(chunk);
    this.stored.chunks++;
    this.stored.bytes += payload.length;
  }

  /** @returns true when the failure was that another publisher was faster, and what it has stored is known now */
  private async settled(badge: string, state: BadgeState, cause: unknown): Promise<boolean> {
    if (!(cause instanceof JetStreamApiError && cause.code === JetStreamApiCodes.StreamWrongLastSequence))
      return false;
    try {
      await this.lookUp(badge, state);
      return true;
    } catch {
      return false; // it is out of reach now; the next attempt finds the same
    }
  }

  private uncrowd(): void {
    if (!this.crowded || this.queuedBytes > QUEUE_BYTES_MAX / 2) return;
    this.crowded = false;
    this.parts.listener.uncrowded();
  }

  private setNoRoom(why: string): void {
    const changed = (why === "") !== this.hasRoom;
    this.noRoomReason = why;
    if (!changed) return;
    if (why === "") this.parts.log.info("JetStream takes chunks again");
    else this.parts.log.error("JetStream takes no chunks: badges are told to hold until it does", { why });
    this.parts.listener.roomChanged();
  }

  private pause(): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        cancel();
        this.waiting.delete(done);
        resolve();
      };
      const cancel = this.parts.clock.after(RETRY_MS, done);
      this.waiting.add(done);
    });
  }

  /** Looks now and then how large the stream is. */
  private lookLater(delayMs: number): void {
    this.cancelLook = this.parts.clock.after(delayMs, () => {
      this.nats.manager.streams
        .info(this.settings.stream.stream)
        .then(({ state }) => {
          this.bytes = state.bytes;
        })
        .catch(() => undefined) // told when a chunk cannot be stored
        .finally(() => this.closing || this.lookLater(STATE_MS));
    });
  }
}
