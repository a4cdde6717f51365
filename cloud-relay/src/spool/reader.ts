// Reads the spool for the sinks: from a cursor on, in order, and never past what is durable. Damaged stretches are reported and
// stepped over.
import { open } from "node:fs/promises";
import { type ChunkRecord, decodeRecord } from "@salestag/protocol/host";
import type { Log } from "@salestag/protocol/service";
import { messageOf } from "../errors";
import type { Segment } from "./segment";
import { findRecords, RECORD_BYTES_MAX, SEGMENT_HEADER_BYTES } from "./segment-format";

/** A place in the spool: everything before it was read. */
export interface Cursor {
  segment: number;
  /** Bytes from the start of the segment. */
  offset: number;
}

/** One record of the spool. */
export interface SpoolEntry {
  record: ChunkRecord;
  /** The record as MessagePack, as it is stored. */
  encoded: Buffer;
}

/** What one read found. */
export interface SpoolPart {
  entries: SpoolEntry[];
  /** Where the next read starts. */
  next: Cursor;
}

const PART_BYTES = 1024 * 1024;

/**
 * Reads the next records of one segment.
 * @param segment its `end` bounds what is read
 * @param offset where to start, at most `end`
 * @returns up to PART_BYTES of records and the offset behind them, which is beyond `offset` unless that was `end`
 */
export async function readSegmentPart(
  segment: Segment,
  offset: number,
  log: Log,
): Promise<{ entries: SpoolEntry[]; nextOffset: number }> {
  const end = segment.end;
  const start = Math.max(offset, SEGMENT_HEADER_BYTES);
  const bytes = await readBytes(segment.path, start, Math.min(PART_BYTES, end - start));
  const more = start + bytes.length < end;
  const entries: SpoolEntry[] = [];
  let at = start;
  for (const found of findRecords(bytes, start, segment.salt, more)) {
    if (found.offset > at) reportDamage(segment, at, found.offset, log);
    at = found.end;
    const entry = readEntry(segment, found.offset, found.payload, log);
    if (entry !== undefined) entries.push(entry);
  }
  if (at > start || bytes.length === 0) return { entries, nextOffset: at };
  // Nothing but damage: step over all of it but what may be the start of the next record.
  const nextOffset = more ? start + bytes.length - RECORD_BYTES_MAX : end;
  reportDamage(segment, start, nextOffset, log);
  return { entries, nextOffset };
}

async function readBytes(path: string, offset: number, lengthBytes: number): Promise<Buffer> {
  const bytes = Buffer.alloc(lengthBytes);
  const file = await open(path, "r");
  try {
    let done = 0;
    while (done < lengthBytes) {
      const { bytesRead } = await file.read(bytes, done, lengthBytes - done, offset + done);
      if (bytesRead === 0)
        throw new Error(
          `${path} ends at ${offset + done} bytes, records were expected up to ${offset + lengthBytes}`,
        );
      done += bytesRead;
    }
  } finally {
    await file.close();
  }
  return bytes;
}

function readEntry(segment: Segment, offset: number, payload: Buffer, log: Log): SpoolEntry | undefined {
  try {
    return { record: decodeRecord(payload), encoded: payload };
  } catch (cause) {
    log.error("record cannot be read", { path: segment.path, from: offset, why: messageOf(cause) });
    return undefined;
  }
}

function reportDamage(segment: Segment, from: number, to: number, log: Log): void {
  log.error("segment is damaged", { path: segment.path, from, to });
}
