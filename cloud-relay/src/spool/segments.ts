// The segment files of a spool folder: their names, their order, and what lies in them. Invariants R5 to R8 of
// docs/spool-format.md are kept here.
import { open, readdir } from "node:fs/promises";
import { join } from "node:path";
import { type ChunkRecord, decodeRecord } from "@salestag/protocol/host";
import { ExitCode, RelayError } from "../errors";
import type { Log } from "../log";
import { type PositionMap, positionAfter } from "./position";
import { decodeSegmentHeader, findRecords, SEGMENT_HEADER_BYTES } from "./segment-format";

/** A place in the spool. */
export interface SpoolPlace {
  /** Number of the segment. */
  segment: number;
  /** Bytes from its start. */
  offset: number;
}

/** A segment that is on disk. */
export interface Segment {
  number: number;
  path: string;
  salt: number;
  /** Where its last record ends. */
  end: number;
}

/** Bytes that are read at a time. */
const READ_BYTES = 1024 * 1024;

/** @returns the file name of a segment */
export function segmentName(number: number): string {
  return `${String(number).padStart(10, "0")}.seg`;
}

/** @returns numbers of all segments in a folder, oldest first */
export async function listSegments(directory: string): Promise<number[]> {
  const names = await readdir(directory);
  return names
    .map((name) => /^(\d{10})\.seg$/.exec(name)?.[1])
    .filter((digits) => digits !== undefined)
    .map(Number)
    .sort((a, b) => a - b);
}

/** What a scan of a segment found. */
export interface ScannedSegment extends Segment {
  /** Bytes between `end` and the end of the file: a torn write, or nothing. */
  tornBytes: number;
}

/**
 * Reads a segment from its first record to its last and moves `positions` on (R6). Bytes that are no record, with a record
 * behind them that was written when they were durable, are damage: they are reported and stepped over (R7). Bytes that are
 * no record at the end are a torn write (R8).
 * @throws RelayError when the header page is unusable
 */
export async function scanSegment(
  directory: string,
  number: number,
  positions: PositionMap,
  log: Log,
): Promise<ScannedSegment> {
  const path = join(directory, segmentName(number));
  const file = await open(path, "r");
  try {
    const { size } = await file.stat();
    const page = Buffer.alloc(SEGMENT_HEADER_BYTES);
    const { bytesRead } = await file.read(page, 0, page.length, 0);
    const header = decodeSegmentHeader(page.subarray(0, bytesRead));
    if (typeof header === "string" || header.number !== number)
      throw new RelayError(
        ExitCode.Spool,
        `segment ${path} is unusable: ${typeof header === "string" ? header : `it says that it is number ${header.number}`}; move it out of the spool and keep it`,
      );
    const bytes = Buffer.alloc(size - SEGMENT_HEADER_BYTES);
    await readAll(file, bytes, SEGMENT_HEADER_BYTES);
    let end = SEGMENT_HEADER_BYTES;
    for (const found of findRecords(bytes, SEGMENT_HEADER_BYTES, header.salt, false)) {
      if (found.offset !== end) {
        if (found.durableEnd <= end) break; // it was never durable together with what lies before it: the torn end
        log.error("spool damaged", { segment: path, fromByte: end, toByte: found.offset });
      }
      end = found.end;
      const record = decodeRecord(found.payload);
      positions.advance(record.badge, positionAfter(record));
    }
    return { number, path, salt: header.salt, end, tornBytes: size - end };
  } finally {
    await file.close();
  }
}

/** Records in the order in which they were stored, and where the next ones begin. */
export interface ReadBatch {
  records: ChunkRecord[];
  next: SpoolPlace;
}

/**
 * Reads up to about a megabyte of records of one segment.
 * @param from where to begin: the end of a record or the start of a segment
 * @param end where the durable part of the segment ends
 */
export async function readBatch(segment: Segment, from: SpoolPlace, end: number): Promise<ReadBatch> {
  const start = Math.max(from.offset, SEGMENT_HEADER_BYTES);
  const bytes = Buffer.alloc(Math.min(READ_BYTES, end - start));
  const file = await open(segment.path, "r");
  try {
    await readAll(file, bytes, start);
  } finally {
    await file.close();
  }
  const more = start + bytes.length < end;
  const records: ChunkRecord[] = [];
  let offset = start;
  for (const found of findRecords(bytes, start, segment.salt, more)) {
    records.push(decodeRecord(Buffer.from(found.payload)));
    offset = found.end;
  }
  if (!more)
    offset = end; // damage at the end of a segment was reported when the spool was opened
  else if (records.length === 0) offset = start + bytes.length;
  return { records, next: { segment: segment.number, offset } };
}

async function readAll(file: Awaited<ReturnType<typeof open>>, bytes: Buffer, offset: number): Promise<void> {
  let done = 0;
  while (done < bytes.length) {
    const { bytesRead } = await file.read(bytes, done, bytes.length - done, offset + done);
    if (bytesRead === 0)
      throw new Error(`a segment became ${bytes.length - done} bytes shorter while it was read`);
    done += bytesRead;
  }
}
