// The bytes of a spool segment: a header page, then records. Specified in docs/spool-format.md; R1 to R4 are its invariants
// on bytes. All numbers are little endian.
import { crc32 } from "node:zlib";
import { FRAME_PAYLOAD_BYTES_MAX } from "@salestag/protocol/host";

/** Bytes of the header page; the first record starts here. */
export const SEGMENT_HEADER_BYTES = 4096;
/** Bytes before the payload of a record. */
export const RECORD_HEADER_BYTES = 12;
/** Longest payload of a record: the longest frame as MessagePack. */
export const RECORD_PAYLOAD_BYTES_MAX = FRAME_PAYLOAD_BYTES_MAX + 1024;
const ALIGNMENT = 4;
/** Longest record, header and padding included. */
export const RECORD_BYTES_MAX = recordBytes(RECORD_PAYLOAD_BYTES_MAX);

const MAGIC = Buffer.from("STSPOOL\n", "latin1");
const VERSION = 1;
const HEADER_CRC_AT = 32;

/** What the header page says. */
export interface SegmentHeader {
  /** Number of the segment in its spool, from 1; the file is named by it. */
  number: number;
  /** Random; part of every record's checksum (R2). */
  salt: number;
  /** Unix time in ms. */
  createdMs: number;
}

/** A record that was found in a segment. */
export interface FoundRecord {
  /** Where it starts, in bytes from the start of the segment. */
  offset: number;
  /** Where the next one starts. */
  end: number;
  /** Everything before this offset was durable when the record was written (R4). */
  durableEnd: number;
  /** Shares memory with the bytes that were read. */
  payload: Buffer;
}

/** @returns the header page */
export function encodeSegmentHeader(header: SegmentHeader): Buffer {
  const page = Buffer.alloc(SEGMENT_HEADER_BYTES);
  MAGIC.copy(page);
  page.writeUInt32LE(VERSION, 8);
  page.writeUInt32LE(header.number, 12);
  page.writeUInt32LE(header.salt, 16);
  page.writeBigUInt64LE(BigInt(header.createdMs), 24);
  page.writeUInt32LE(crc32(page.subarray(0, HEADER_CRC_AT)), HEADER_CRC_AT);
  return page;
}

/** @returns what the header page says, or a sentence on why it is none (R1) */
export function decodeSegmentHeader(page: Buffer): SegmentHeader | string {
  if (page.length < SEGMENT_HEADER_BYTES) return `the header page is cut short after ${page.length} bytes`;
  if (!page.subarray(0, MAGIC.length).equals(MAGIC)) return "it does not start like a segment";
  if (page.readUInt32LE(HEADER_CRC_AT) !== crc32(page.subarray(0, HEADER_CRC_AT)))
    return "the checksum of its header page does not match";
  const version = page.readUInt32LE(8);
  if (version !== VERSION) return `it has version ${version}, this relay reads version ${VERSION}`;
  return {
    number: page.readUInt32LE(12),
    salt: page.readUInt32LE(16),
    createdMs: Number(page.readBigUInt64LE(24)),
  };
}

/** @returns bytes that a record with this payload takes, padding included (R3) */
export function recordBytes(payloadBytes: number): number {
  return Math.ceil((RECORD_HEADER_BYTES + payloadBytes) / ALIGNMENT) * ALIGNMENT;
}

/**
 * Writes one record into `target` at `at`; it will lie at `offset` in the segment.
 * @returns where the next one goes in `target`
 */
export function writeRecord(
  target: Buffer,
  at: number,
  offset: number,
  salt: number,
  durableEnd: number,
  payload: Buffer,
): number {
  target.writeUInt32LE(payload.length, at + 4);
  target.writeUInt32LE(durableEnd, at + 8);
  payload.copy(target, at + RECORD_HEADER_BYTES);
  const checked = target.subarray(at + 4, at + RECORD_HEADER_BYTES + payload.length);
  target.writeUInt32LE(crc32(checked, seedOf(salt, offset)), at);
  const end = at + recordBytes(payload.length);
  target.fill(0, at + RECORD_HEADER_BYTES + payload.length, end);
  return end;
}

/**
 * Finds the records in a part of a segment, in order. Bytes that are no record are stepped over to the next one that is: a
 * record whose `offset` is not the `end` of the one before tells the caller that something is missing between them.
 * @param bytes the part
 * @param partOffset where the part starts in the segment; a multiple of 4
 * @param more true when the segment goes on behind the part: a record that is cut off at its end is then left for later
 */
export function* findRecords(
  bytes: Buffer,
  partOffset: number,
  salt: number,
  more: boolean,
): Generator<FoundRecord> {
  let at = 0;
  while (at + RECORD_HEADER_BYTES < bytes.length) {
    const payloadBytes = bytes.readUInt32LE(at + 4);
    const durableEnd = bytes.readUInt32LE(at + 8);
    const plausible =
      payloadBytes > 0 && payloadBytes <= RECORD_PAYLOAD_BYTES_MAX && durableEnd <= partOffset + at;
    const end = at + recordBytes(payloadBytes);
    if (plausible && end > bytes.length && more) return;
    if (
      !plausible ||
      end > bytes.length ||
      !checksumMatches(bytes, at, partOffset + at, salt, payloadBytes)
    ) {
      at += ALIGNMENT;
      continue;
    }
    const payloadAt = at + RECORD_HEADER_BYTES;
    const payload = bytes.subarray(payloadAt, payloadAt + payloadBytes);
    yield { offset: partOffset + at, end: partOffset + end, durableEnd, payload };
    at = end;
  }
}

function checksumMatches(
  bytes: Buffer,
  at: number,
  offset: number,
  salt: number,
  payloadBytes: number,
): boolean {
  const checked = bytes.subarray(at + 4, at + RECORD_HEADER_BYTES + payloadBytes);
  return bytes.readUInt32LE(at) === crc32(checked, seedOf(salt, offset));
}

/** Salt and place go into the checksum, so that a stale or moved record cannot look valid (R2). */
function seedOf(salt: number, offset: number): number {
  return (salt ^ offset) >>> 0;
}
