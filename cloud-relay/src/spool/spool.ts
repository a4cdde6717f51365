// The spool: an append-only log in segment files. A record is acknowledged after fdatasync and not before; while one commit is
// under way the next batch gathers, so that many badges share one sync. The format and the invariants R1 to R12 that
// this file cites are in docs/spool-format.md.
import { mkdir, unlink } from "node:fs/promises";
import { join } from "node:path";
import { type ChunkRecord, encodeRecord } from "@salestag/protocol/host";
import type { Clock } from "../clock";
import { type Disk, type DiskFile, isNoRoom, NoRoomError, replaceFile } from "../disk";
import { ExitCode, messageOf, RelayError } from "../errors";
import type { Log } from "../log";
import { lockSpool, type SpoolLock } from "./lock";
import { comparePositions, type Position, PositionMap, positionAfter } from "./position";
import { readPositions, writePositions } from "./positions-file";
import { encodeSegmentHeader, recordBytes, SEGMENT_HEADER_BYTES, writeRecord } from "./segment-format";
import {
  listSegments,
  type ReadBatch,
  readBatch,
  type Segment,
  type SpoolPlace,
  scanSegment,
  segmentName,
} from "./segments";

export interface SpoolOptions {
  directory: string;
  disk: Disk;
  clock: Clock;
  log: Log;
  /** Salts of segments. @returns a u32 */
  randomUint32: () => number;
  /** A segment is closed when it has reached this size. */
  segmentBytesMax: number;
  /** The spool takes no more than this; undefined: as much as the disk has. */
  bytesMax?: number;
  /** Called once when the disk failed: nothing may be acknowledged any more and the process must end. */
  onFatal: (error: RelayError) => void;
}

interface Queued {
  record: ChunkRecord;
  payload: Buffer;
  resolve: () => void;
  reject: (error: Error) => void;
}

/** Bytes of one commit at most. */
const COMMIT_BYTES_MAX = 4 * 1024 * 1024;
/** Bytes that may wait for a commit before senders are paused. */
const QUEUE_BYTES_MAX = 16 * 1024 * 1024;

export class Spool {
  /** True while the last commit found no room. */
  full = false;

  private readonly durable = new PositionMap();
  private readonly appended = new Map<string, { position: Position; stored: Promise<void> }>();
  private segments: Segment[] = [];
  private file: DiskFile | undefined;
  private queue: Queued[] = [];
  private queuedBytes = 0;
  private committing: Promise<void> | undefined;
  private failed = false;
  private readonly listeners = new Set<() => void>();

  private constructor(
    private readonly options: SpoolOptions,
    private readonly lock: SpoolLock,
  ) {}

  /**
   * Opens a spool folder, made if it is missing, and recovers what an earlier process left (R6 to R8).
   * @throws RelayError when it is in use or unreadable
   */
  static async open(options: SpoolOptions): Promise<Spool> {
    await mkdir(options.directory, { recursive: true, mode: 0o750 });
    const spool = new Spool(options, lockSpool(options.directory, options.log));
    try {
      await spool.recover();
    } catch (cause) {
      spool.lock.release();
      throw cause;
    }
    return spool;
  }

  /** @returns the position before which every chunk of this badge is durable */
  positionOf(badge: string): Position {
    return this.durable.of(badge);
  }

  /** True when senders should be paused until `whenDrained`. */
  overloaded(): boolean {
    return this.queuedBytes > QUEUE_BYTES_MAX;
  }

  /** Bytes in all segments. */
  sizeBytes(): number {
    return this.segments.reduce((sum, { end }) => sum + end, 0);
  }

  /**
   * Stores a record once (R9): one that is durable already, or on its way, is not stored again.
   * @returns a promise that is kept when the record is on stable storage; rejected with a NoRoomError when there is no room
   */
  append(record: ChunkRecord): Promise<void> {
    if (comparePositions(record, this.durable.of(record.badge)) < 0) return Promise.resolve();
    const onItsWay = this.appended.get(record.badge);
    if (onItsWay !== undefined && comparePositions(record, onItsWay.position) < 0) return onItsWay.stored;
    const payload = encodeRecord(record);
    const stored = new Promise<void>((resolve, reject) => {
      this.queue.push({ record, payload, resolve, reject });
    });
    this.queuedBytes += payload.length;
    this.appended.set(record.badge, { position: positionAfter(record), stored });
    this.startCommit();
    return stored;
  }

  /** Calls `listener` after every commit. @returns a function that ends that */
  onCommit(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Where the oldest record lies. */
  start(): SpoolPlace {
    return { segment: this.segments[0].number, offset: SEGMENT_HEADER_BYTES };
  }

  /** @returns the next durable records from `from` on; none when a reader has reached the end */
  async read(from: SpoolPlace): Promise<ReadBatch> {
    const at = this.segments.findIndex(({ number }) => number >= from.segment);
    const segment = this.segments[at];
    const offset = segment.number === from.segment ? from.offset : SEGMENT_HEADER_BYTES;
    const place = { segment: segment.number, offset };
    if (offset < segment.end) return await readBatch(segment, place, segment.end);
    const next = this.segments[at + 1];
    if (next === undefined) return { records: [], next: place };
    return await this.read({ segment: next.number, offset: SEGMENT_HEADER_BYTES });
  }

  /** Deletes closed segments that lie wholly before `place`; positions are kept in a file of their own first (R10). */
  async forgetBefore(place: SpoolPlace): Promise<void> {
    const passed = this.segments.filter(({ number }) => number < place.segment);
    if (passed.length === 0) return;
    await writePositions(this.options.disk, this.options.directory, this.durable);
    for (const { path } of passed) await unlink(path);
    await this.options.disk.syncDirectory(this.options.directory);
    this.segments = this.segments.filter(({ number }) => number >= place.segment);
  }

  /** Finishes what is queued and gives the folder free. */
  async close(): Promise<void> {
    while (this.committing !== undefined) await this.committing;
    await this.file?.close();
    this.lock.release();
  }

  private async recover(): Promise<void> {
    const { directory, log } = this.options;
    await readPositions(directory, this.durable);
    const numbers = await listSegments(directory);
    for (const number of numbers) {
      const { tornBytes, ...segment } = await scanSegment(directory, number, this.durable, log);
      const last = number === numbers.at(-1);
      if (tornBytes > 0 && !last)
        log.error("spool damaged", { segment: segment.path, fromByte: segment.end });
      if (tornBytes > 0 && last) {
        // Never acknowledged: a record whose sync returned is found by the scan (R8).
        log.warn("torn end of the spool cut off", { segment: segment.path, bytes: tornBytes });
        const file = await this.options.disk.open(segment.path, "r+", 0o640);
        await file.truncate(segment.end);
        await file.dataSync();
        await file.close();
      }
      this.segments.push(segment);
    }
    await this.newSegment();
  }

  /** Makes the next segment: its header page and its name are durable before a record goes in (R5). */
  private async newSegment(): Promise<void> {
    const { directory, disk, clock, randomUint32 } = this.options;
    const number = (this.segments.at(-1)?.number ?? 0) + 1;
    const path = join(directory, segmentName(number));
    const salt = randomUint32();
    await replaceFile(disk, path, encodeSegmentHeader({ number, salt, createdMs: clock.unixMs() }), 0o640);
    await this.file?.close();
    this.file = await disk.open(path, "r+", 0o640);
    this.segments.push({ number, path, salt, end: SEGMENT_HEADER_BYTES });
  }

  private startCommit(): void {
    if (this.committing !== undefined || this.failed) return;
    this.committing = this.commitAll().finally(() => {
      this.committing = undefined;
    });
  }

  private async commitAll(): Promise<void> {
    while (this.queue.length > 0 && !this.failed) {
      const batch = this.takeBatch();
      try {
        await this.commit(batch);
        this.settle(batch);
      } catch (cause) {
        if (isNoRoom(cause)) await this.refuse(batch, cause);
        else this.fail(batch, cause);
      }
    }
  }

  private takeBatch(): Queued[] {
    let bytes = 0;
    let count = 0;
    while (count < this.queue.length && bytes < COMMIT_BYTES_MAX) bytes += this.queue[count++].payload.length;
    this.queuedBytes -= bytes;
    return this.queue.splice(0, count);
  }

  /** Writes a batch and makes it durable: one write, one fdatasync (R11). */
  private async commit(batch: Queued[]): Promise<void> {
    const { bytesMax, segmentBytesMax } = this.options;
    if ((this.segments.at(-1) as Segment).end >= segmentBytesMax) await this.newSegment();
    const segment = this.segments.at(-1) as Segment;
    const lengthBytes = batch.reduce((sum, { payload }) => sum + recordBytes(payload.length), 0);
    if (bytesMax !== undefined && this.sizeBytes() + lengthBytes > bytesMax)
      throw new NoRoomError(`the spool has reached its bound of ${bytesMax} bytes`);
    const bytes = Buffer.alloc(lengthBytes);
    let at = 0;
    for (const { payload } of batch)
      at = writeRecord(bytes, at, segment.end + at, segment.salt, segment.end, payload);
    const file = this.file as DiskFile;
    await file.write(bytes, segment.end);
    await file.dataSync();
    segment.end += lengthBytes;
  }

  private settle(batch: Queued[]): void {
    if (this.full) this.options.log.info("spool has room again");
    this.full = false;
    for (const { record, resolve } of batch) {
      this.durable.advance(record.badge, positionAfter(record));
      const onItsWay = this.appended.get(record.badge);
      if (onItsWay !== undefined && comparePositions(onItsWay.position, this.durable.of(record.badge)) <= 0)
        this.appended.delete(record.badge);
      resolve();
    }
    for (const listener of this.listeners) listener();
  }

  /** No room: back to the durable end, nothing of the batch or behind it is stored (R12); senders try again later. */
  private async refuse(batch: Queued[], cause: unknown): Promise<void> {
    const segment = this.segments.at(-1) as Segment;
    if (!this.full)
      this.options.log.error("spool has no room", { why: messageOf(cause), bytes: this.sizeBytes() });
    this.full = true;
    try {
      await this.file?.truncate(segment.end);
    } catch (again) {
      this.fail(batch, again);
      return;
    }
    const refused = [...batch, ...this.queue.splice(0)];
    this.queuedBytes = 0;
    this.appended.clear();
    for (const { reject } of refused) reject(new NoRoomError(`the spool has no room: ${messageOf(cause)}`));
    for (const listener of this.listeners) listener();
  }

  private fail(batch: Queued[], cause: unknown): void {
    this.failed = true;
    const error = new RelayError(
      ExitCode.Disk,
      `the disk of the spool failed (${messageOf(cause)}); nothing that it concerns was acknowledged, check the disk and start the relay again`,
    );
    for (const { reject } of [...batch, ...this.queue.splice(0)]) reject(error);
    this.options.onFatal(error);
  }
}
