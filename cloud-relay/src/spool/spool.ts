// The spool: every chunk that was acked and not yet delivered, in an append-only log of segments. Chunks queue up, one commit is
// in flight at a time, and a chunk counts as durable only behind its sync. Format and invariants: docs/spool-format.md.
import { statfsSync } from "node:fs";
import { unlink } from "node:fs/promises";
import { type ChunkRecord, encodeRecord } from "@salestag/protocol/host";
import { type Clock, FolderInUse, type Log, lockFolderNow } from "@salestag/protocol/service";
import { type Disk, isNoRoom, makeFolder, NoRoomError } from "../disk";
import { ExitCode, messageOf, RelayError, systemCodeOf } from "../errors";
import { writeCheckpoint } from "./checkpoint";
import type { ChunkStore, StoredChunk, StoreListener } from "./chunk-store";
import type { Feed } from "./feed";
import { comparePositions, type Position, PositionMap, positionAfter } from "./position";
import { type Cursor, readSegmentPart, type SpoolPart } from "./reader";
import { type Recovered, recoverSpool } from "./recovery";
import { OpenSegment, type Segment } from "./segment";
import { RECORD_BYTES_MAX, recordBytes, SEGMENT_HEADER_BYTES } from "./segment-format";
import { SpoolFeed } from "./spool-feed";

/** A segment is sealed when it would become longer. */
export const SEGMENT_BYTES = 64 * 1024 * 1024;
/** Smallest bound of the whole spool. */
export const SPOOL_BYTES_MIN = 256 * 1024;

const SEGMENT_BYTES_MIN = SEGMENT_HEADER_BYTES + RECORD_BYTES_MAX;
const COMMIT_BYTES_MAX = 4 * 1024 * 1024;
const QUEUE_BYTES_MAX = 16 * 1024 * 1024;
const NO_ROOM_RETRY_MS = 1000;
const DIRECTORY_MODE = 0o750;

export interface SpoolOptions {
  directory: string;
  /** Longest segment, in bytes. */
  segmentBytes: number;
  /** Bound of all segments together, in bytes; Infinity for what the disk has. */
  bytesMax: number;
  disk: Disk;
  clock: Clock;
  /** Bytes from a cryptographically strong source. */
  random: (lengthBytes: number) => Buffer;
  log: Log;
  listener: StoreListener;
}

interface Queued extends StoredChunk {
  next: Position;
}

/** See the top of the file. */
export class Spool implements ChunkStore {
  private readonly durable: PositionMap;
  /** Like `durable`, but with what is queued. */
  private readonly accepted = new PositionMap();
  private readonly sealed: Segment[];
  private readonly segmentBytes: number;
  private queue: Queued[] = [];
  private queuedBytes = 0;
  private storedBytes = 0;
  private crowded = false;
  private outOfRoom = false;
  private readonly feeds: SpoolFeed[] = [];
  /** While a sink has no feed yet it may need everything. */
  private mayDelete = false;
  noRoomReason = "";
  private failure: RelayError | undefined = undefined;
  private closing = false;
  private committing: Promise<void> | undefined = undefined;
  private stopWaiting: () => void = () => {};

  private constructor(
    private readonly options: SpoolOptions,
    recovered: Recovered,
    private active: OpenSegment,
    private readonly unlock: () => void,
  ) {
    this.sealed = recovered.segments;
    this.durable = recovered.positions;
    for (const [badge, position] of this.durable.entries()) this.accepted.advance(badge, position);
    for (const segment of [...this.sealed, active]) this.storedBytes += segment.end;
    this.segmentBytes = segmentBytesFor(options);
  }

  /**
   * Locks the folder, recovers what is in it and begins a new segment.
   * @throws RelayError when the folder is in use or cannot be read, or has no room for a segment
   */
  static async open(options: SpoolOptions): Promise<Spool> {
    const { directory, disk, clock, random, log } = options;
    await makeFolder(disk, directory, DIRECTORY_MODE);
    const unlock = lockSpool(directory, log);
    try {
      const recovered = await recoverSpool(directory, disk, log);
      const header = {
        number: recovered.nextNumber,
        salt: random(4).readUInt32LE(),
        createdMs: clock.unixMs(),
      };
      const active = await OpenSegment.create(disk, directory, header);
      return new Spool(options, recovered, active, unlock);
    } catch (cause) {
      unlock();
      if (cause instanceof RelayError) throw cause;
      const code = isNoRoom(cause) ? ExitCode.Disk : ExitCode.Spool;
      throw new RelayError(code, `spool ${directory} cannot be opened: ${messageOf(cause)}`, { cause });
    }
  }

  /** False while there is no room for more chunks. */
  get hasRoom(): boolean {
    return !this.outOfRoom && this.failure === undefined;
  }

  /** True while more is queued than should be; whoever appends should hold until `uncrowded`. */
  get isCrowded(): boolean {
    return this.crowded;
  }

  /** Bytes of all segments. */
  get bytes(): number {
    return this.storedBytes;
  }

  /** Chunks that were stored since the start, and their bytes. */
  stored = { chunks: 0, bytes: 0 };

  /** @returns bytes of records that a reader at `cursor` has not had */
  bytesBehind(cursor: Cursor): number {
    let bytes = 0;
    for (const { number, end } of [...this.sealed, this.active])
      if (number > cursor.segment) bytes += end - SEGMENT_HEADER_BYTES;
      else if (number === cursor.segment) bytes += end - Math.max(cursor.offset, SEGMENT_HEADER_BYTES);
    return Math.max(0, bytes);
  }

  /** Every position is known from the start. */
  prepare(): undefined {
    return undefined;
  }

  leave(): void {}

  async openFeed(sinkName: string): Promise<Feed> {
    const { directory, disk, clock } = this.options;
    const onSaved = () => this.releaseDelivered();
    const feed = await SpoolFeed.open({
      sinkName,
      source: this,
      spoolDirectory: directory,
      disk,
      clock,
      onSaved,
    });
    this.feeds.push(feed);
    return feed;
  }

  feedsOpened(): void {
    this.mayDelete = this.feeds.length > 0;
  }

  /** @returns the position before which all chunks of a badge are durable */
  durablePosition(badge: string): Position {
    return this.durable.of(badge);
  }

  /** @returns true when the chunk with this epoch and index is durable */
  isDurable(badge: string, chunk: Position): boolean {
    return comparePositions(chunk, this.durable.of(badge)) < 0;
  }

  /**
   * Queues a chunk unless it is queued or durable already (R11). The listener hears when it is durable. Where there is no room the
   * queue waits for it (R12).
   */
  append(record: ChunkRecord): void {
    if (this.failure !== undefined || this.closing) return;
    if (comparePositions(record, this.accepted.of(record.badge)) < 0) return;
    const payload = encodeRecord(record);
    const next = positionAfter(record);
    this.accepted.advance(record.badge, next);
    this.queue.push({ badge: record.badge, next, payload });
    this.queuedBytes += payload.length;
    if (this.queuedBytes > QUEUE_BYTES_MAX && !this.crowded) {
      this.crowded = true;
      this.options.log.warn("disk is slower than the badges send, they wait", {
        queuedBytes: this.queuedBytes,
      });
    }
    this.committing ??= this.commitAll();
  }

  /** Where a reader that has read everything stands. */
  get end(): Cursor {
    return { segment: this.active.number, offset: this.active.end };
  }

  /**
   * Reads on from a cursor; one that points to a segment that is gone continues at the oldest that is there.
   * @returns no entries and the same cursor at the end
   */
  async read(cursor: Cursor): Promise<SpoolPart> {
    const segment = this.sealed.find(({ number }) => number >= cursor.segment) ?? this.active;
    const offset = segment.number === cursor.segment ? cursor.offset : SEGMENT_HEADER_BYTES;
    if (offset >= segment.end) return { entries: [], next: this.behind(segment, offset) };
    const { entries, nextOffset } = await readSegmentPart(segment, offset, this.options.log);
    return { entries, next: { segment: segment.number, offset: nextOffset } };
  }

  /** Deletes the segments that every sink has passed. */
  private async releaseDelivered(): Promise<void> {
    if (this.mayDelete)
      await this.release(Math.min(...this.feeds.map(({ savedCursor }) => savedCursor.segment)));
  }

  /** Deletes the sealed segments before this number: every sink has them (R10). */
  async release(beforeSegment: number): Promise<void> {
    while (this.sealed.length > 0 && this.sealed[0].number < beforeSegment) {
      const [segment] = this.sealed.splice(0, 1);
      await unlink(segment.path);
      this.storedBytes -= segment.end;
      this.stopWaiting();
    }
  }

  /** Takes no more and commits what is queued, unless there is no room for it: that is not acked and comes again. */
  async drain(): Promise<void> {
    this.closing = true;
    this.stopWaiting();
    await this.committing;
  }

  /** Drains, and unlocks the folder. */
  async close(): Promise<void> {
    await this.drain();
    await this.active.close();
    this.unlock();
  }

  private behind(segment: Segment, offset: number): Cursor {
    if (segment === this.active) return { segment: segment.number, offset: segment.end };
    const following = this.sealed.find(({ number }) => number > segment.number) ?? this.active;
    return following === segment ? { segment: segment.number, offset } : startOf(following);
  }

  /** Runs until the queue is empty. */
  private async commitAll(): Promise<void> {
    try {
      while (this.queue.length > 0) {
        try {
          await this.commit();
        } catch (cause) {
          if (!isNoRoom(cause)) throw cause;
          this.setOutOfRoom(true, messageOf(cause));
          if (this.closing) break;
          await this.waitForRoom();
        }
      }
    } catch (cause) {
      this.fail(cause);
    } finally {
      this.committing = undefined;
    }
  }

  private async commit(): Promise<void> {
    const room = this.segmentBytes - this.active.end;
    if (recordBytes(this.queue[0].payload.length) > room) await this.rotate();
    const batch = this.nextBatch();
    await this.active.append(batch.map(({ payload }) => payload));
    const badges = new Set<string>();
    for (const { badge, next, payload } of batch) {
      this.durable.advance(badge, next);
      badges.add(badge);
      this.queuedBytes -= payload.length;
      this.storedBytes += recordBytes(payload.length);
      this.stored.chunks++;
      this.stored.bytes += payload.length;
    }
    this.queue = this.queue.slice(batch.length);
    this.setOutOfRoom(false);
    this.options.listener.committed(badges, batch);
    for (const feed of this.feeds) feed.wake();
    if (this.crowded && this.queuedBytes <= QUEUE_BYTES_MAX / 2) {
      this.crowded = false;
      this.options.listener.uncrowded();
    }
  }

  /** @throws NoRoomError when the spool's bound leaves no room for the first chunk of the queue */
  private nextBatch(): Queued[] {
    const roomInSegment = this.segmentBytes - this.active.end;
    const roomInSpool = this.options.bytesMax - this.storedBytes;
    const batchBytesMax = Math.min(COMMIT_BYTES_MAX, roomInSegment, roomInSpool);
    const batch: Queued[] = [];
    let batchBytes = 0;
    for (const queued of this.queue) {
      batchBytes += recordBytes(queued.payload.length);
      if (batchBytes > batchBytesMax) break;
      batch.push(queued);
    }
    if (batch.length === 0) throw this.boundReached();
    return batch;
  }

  /** Seals the active segment and begins the next (R5, R9). */
  private async rotate(): Promise<void> {
    const { directory, disk, clock, random, bytesMax } = this.options;
    if (this.storedBytes + SEGMENT_HEADER_BYTES > bytesMax) throw this.boundReached();
    await this.active.sync();
    await writeCheckpoint(disk, directory, this.active.number, this.durable);
    const header = {
      number: this.active.number + 1,
      salt: random(4).readUInt32LE(),
      createdMs: clock.unixMs(),
    };
    const next = await OpenSegment.create(disk, directory, header);
    await this.active.close();
    this.sealed.push(this.active);
    this.active = next;
    this.storedBytes += next.end;
  }

  private boundReached(): NoRoomError {
    return new NoRoomError(
      `its segments may take ${this.options.bytesMax} bytes and take ${this.storedBytes}`,
    );
  }

  private setOutOfRoom(outOfRoom: boolean, why = ""): void {
    if (this.outOfRoom === outOfRoom) return;
    this.outOfRoom = outOfRoom;
    this.noRoomReason = why;
    const { directory, log, listener } = this.options;
    if (outOfRoom)
      log.error("spool is full: badges are told to hold until there is room", { directory, why });
    else log.info("spool has room again", { directory });
    listener.roomChanged();
  }

  private waitForRoom(): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.options.clock.after(NO_ROOM_RETRY_MS, resolve);
      this.stopWaiting = () => {
        cancel();
        resolve();
      };
    });
  }

  private fail(cause: unknown): void {
    const { directory, listener } = this.options;
    const code = systemCodeOf(cause) === undefined ? ExitCode.Internal : ExitCode.Disk;
    this.failure = new RelayError(
      code,
      `spool ${directory} cannot be written, nothing more is acked: ${messageOf(cause)}`,
      { cause },
    );
    listener.failed(this.failure);
  }
}

/** A spool with a bound, or on a small disk, gets short segments: only sealed ones can be deleted to make room. */
function segmentBytesFor(options: SpoolOptions): number {
  const { bsize, blocks } = statfsSync(options.directory);
  const shortest = Math.min(options.segmentBytes, options.bytesMax / 4, (bsize * blocks) / 8);
  return Math.max(SEGMENT_BYTES_MIN, Math.floor(shortest));
}

function startOf(segment: Segment): Cursor {
  return { segment: segment.number, offset: SEGMENT_HEADER_BYTES };
}

function lockSpool(directory: string, log: Log): () => void {
  try {
    return lockFolderNow(directory, {
      shared: false,
      onTakeover: (pid) => log.warn("lock of an ended relay taken over", { pid }),
    });
  } catch (cause) {
    if (!(cause instanceof FolderInUse)) throw cause;
    throw new RelayError(
      ExitCode.Spool,
      `spool is in use by ${cause.by} (${cause.path}); stop it or choose another spool folder`,
    );
  }
}
