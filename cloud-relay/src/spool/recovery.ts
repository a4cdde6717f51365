// What a spool folder holds when the relay starts: scans every segment, cuts the torn tail of the last one, reports damage
// anywhere else without touching it, and rebuilds every badge's position. Invariants R7 and R8 of docs/spool-format.md.
import { closeSync, fstatSync, openSync, readSync, unlinkSync } from "node:fs";
import { type ChunkRecord, decodeRecord } from "@salestag/protocol/host";
import type { Log } from "@salestag/protocol/service";
import type { Disk } from "../disk";
import { messageOf } from "../errors";
import { readCheckpoint } from "./checkpoint";
import { PositionMap, positionAfter } from "./position";
import { type Segment, segmentNumbers, segmentPath } from "./segment";
import { decodeSegmentHeader, type FoundRecord, findRecords, SEGMENT_HEADER_BYTES } from "./segment-format";

/** What was found. */
export interface Recovered {
  /** Segments with records, rising by number. None of them is appended to again. */
  segments: Segment[];
  positions: PositionMap;
  /** Number that the next segment gets. */
  nextNumber: number;
}

/** A stretch of a segment, from the one offset to before the other, that holds no record. */
type Gap = [from: number, to: number];

/**
 * Reads a spool folder and makes what it counts as stored durable.
 * @throws RelayError when its checkpoint cannot be read; the errors of node:fs
 */
export async function recoverSpool(directory: string, disk: Disk, log: Log): Promise<Recovered> {
  const positions = new PositionMap();
  const checkpoint = readCheckpoint(directory);
  for (const [badge, epoch, index] of checkpoint.badges) positions.advance(badge, { epoch, index });
  const numbers = segmentNumbers(directory);
  const segments: Segment[] = [];
  const read = reusingReader();
  for (const number of numbers) {
    const isLast = number === numbers[numbers.length - 1];
    const isCounted = number <= checkpoint.throughSegment;
    const file = { path: segmentPath(directory, number), number, isLast, isCounted };
    const segment = await recoverSegment(file, read(file.path), positions, disk, log);
    if (segment !== undefined) segments.push(segment);
  }
  // Damaged files stay and keep their numbers.
  const nextNumber = Math.max(checkpoint.throughSegment, ...segmentNumbers(directory)) + 1;
  return { segments, positions, nextNumber };
}

interface SegmentFile {
  path: string;
  number: number;
  isLast: boolean;
  /** The checkpoint has the positions of its records: they need not be decoded, which is a third of the time of a start. */
  isCounted: boolean;
}

async function recoverSegment(
  { path, number, isLast, isCounted }: SegmentFile,
  bytes: Buffer,
  positions: PositionMap,
  disk: Disk,
  log: Log,
): Promise<Segment | undefined> {
  const header = decodeSegmentHeader(bytes);
  if (typeof header === "string" || header.number !== number) {
    const why = typeof header === "string" ? header : `its header says number ${header.number}`;
    // A header that was not durable yet has no records behind it (R5).
    if (isLast && bytes.length <= SEGMENT_HEADER_BYTES) unlinkSync(path);
    else log.error("segment is damaged and left alone", { path, why });
    return undefined;
  }
  const body = bytes.subarray(SEGMENT_HEADER_BYTES);
  let records = [...findRecords(body, SEGMENT_HEADER_BYTES, header.salt, false)];
  let gaps = gapsBetween(records, bytes.length);
  if (isLast) {
    const cutAt = tornAt(records, gaps);
    records = records.filter(({ offset }) => cutAt === undefined || offset < cutAt);
    gaps = gaps.filter(([from]) => cutAt === undefined || from < cutAt);
    await makeDurable(disk, path, cutAt);
    if (cutAt !== undefined)
      log.warn("unfinished commit cut off", { path, from: cutAt, bytes: bytes.length - cutAt });
  }
  for (const [from, to] of gaps) log.error("segment is damaged", { path, from, to });
  if (!isCounted) for (const found of records) countRecord(found, path, positions, log);
  if (records.length === 0 && gaps.length === 0) {
    unlinkSync(path);
    return undefined;
  }
  return { number, path, salt: header.salt, end: records.at(-1)?.end ?? SEGMENT_HEADER_BYTES };
}

/** @returns a function that reads a whole file into the memory of the one before: new memory would take as long as reading does */
function reusingReader(): (path: string) => Buffer {
  let kept = Buffer.alloc(0);
  return (path) => {
    const file = openSync(path, "r");
    try {
      const { size } = fstatSync(file);
      if (kept.length < size) kept = Buffer.alloc(size);
      let done = 0;
      while (done < size) {
        const bytesRead = readSync(file, kept, done, size - done, done);
        if (bytesRead === 0) break;
        done += bytesRead;
      }
      return kept.subarray(0, done);
    } finally {
      closeSync(file);
    }
  };
}

function gapsBetween(records: FoundRecord[], fileBytes: number): Gap[] {
  const gaps: Gap[] = [];
  let end = SEGMENT_HEADER_BYTES;
  for (const record of records) {
    if (record.offset > end) gaps.push([end, record.offset]);
    end = record.end;
  }
  if (fileBytes > end) gaps.push([end, fileBytes]);
  return gaps;
}

/**
 * Where the commit begins to be incomplete that a crash interrupted. A gap in front of a place that some record says was
 * durable when it was written is damage. Behind that place nothing was acked, so whole records there go as well: keeping them
 * would skip the ones in the gap (R7).
 */
function tornAt(records: FoundRecord[], gaps: Gap[]): number | undefined {
  let durableEnd = SEGMENT_HEADER_BYTES;
  for (const record of records) durableEnd = Math.max(durableEnd, record.durableEnd);
  return gaps.find(([from]) => from >= durableEnd)?.[0];
}

/** What lies in the page cache only would be counted and then lost, so the last segment is synced before it counts (R8). */
async function makeDurable(disk: Disk, path: string, cutAt: number | undefined): Promise<void> {
  const file = await disk.open(path, "r+", 0);
  try {
    if (cutAt !== undefined) await file.truncate(cutAt);
    await file.dataSync();
  } finally {
    await file.close();
  }
}

function countRecord(found: FoundRecord, path: string, positions: PositionMap, log: Log): void {
  let record: ChunkRecord;
  try {
    record = decodeRecord(found.payload);
  } catch (cause) {
    log.error("segment has a record that cannot be read", {
      path,
      from: found.offset,
      why: messageOf(cause),
    });
    return;
  }
  positions.advance(record.badge, positionAfter(record));
}
