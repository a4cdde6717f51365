// The record of one chunk between relay, spool and sinks: a MessagePack map with string keys, readable by any MessagePack
// library. Fields: docs/wire-format.md, "Spool record".
import { Packr } from "msgpackr";
import { decodeChunkHeader, FormatError, FRAME_PAYLOAD_BYTES_MAX } from "../shared";

/** What the relay keeps and passes on of one chunk. */
export interface ChunkRecord {
  /** Badge id, 16 hexadecimal digits. */
  badge: string;
  epoch: number;
  index: number;
  /** Unix time in ms when the relay received the chunk. */
  receivedMs: number;
  /** Encoded chunk header as it came. */
  header: Buffer;
  sealed: Buffer;
}

const RECORD_VERSION = 1;
const RECORD_BYTES_MAX = FRAME_PAYLOAD_BYTES_MAX + 1024;
const SLAB_BYTES = 64 * 1024;

// No `records` extension (other languages must read it) and plain objects for maps.
const packr = new Packr({ useRecords: false, mapsAsObjects: true, variableMapSize: true });
// Records lie one behind the other in it until it is full, then in a new one: msgpackr's own start is too short for two of them.
packr.useBuffer(Buffer.allocUnsafeSlow(SLAB_BYTES));

/** @returns the record as MessagePack */
export function encodeRecord(record: ChunkRecord): Buffer {
  return packr.pack({ v: RECORD_VERSION, ...record });
}

/**
 * Reads a record and checks that its fields say the same as the chunk header in it.
 * @throws FormatError for anything else
 */
export function decodeRecord(encoded: Buffer): ChunkRecord {
  if (encoded.length > RECORD_BYTES_MAX)
    throw new FormatError(`record must be at most ${RECORD_BYTES_MAX} bytes, got ${encoded.length}`);
  const value = unpack(encoded);
  if (value.v !== RECORD_VERSION)
    throw new FormatError(`record version must be ${RECORD_VERSION}, got ${String(value.v)}`);
  const { badge, epoch, index, receivedMs, header, sealed } = value;
  if (!Buffer.isBuffer(header) || !Buffer.isBuffer(sealed))
    throw new FormatError("record must have a header and a sealed chunk as bytes");
  if (typeof receivedMs !== "number" || !Number.isSafeInteger(receivedMs) || receivedMs < 0)
    throw new FormatError(`record receive time must be a whole number of ms, got ${String(receivedMs)}`);
  const parsed = decodeChunkHeader(header);
  if (parsed.badgeId.toString("hex") !== badge || parsed.epoch !== epoch || parsed.index !== index)
    throw new FormatError(
      `record of badge ${String(badge)}, epoch ${String(epoch)}, index ${String(index)} holds another chunk's header`,
    );
  return { badge, epoch, index, receivedMs, header: Buffer.from(header), sealed: Buffer.from(sealed) };
}

function unpack(encoded: Buffer): Record<string, unknown> {
  let value: unknown;
  try {
    value = packr.unpack(encoded);
  } catch (cause) {
    throw new FormatError(`record is not MessagePack: ${cause instanceof Error ? cause.message : cause}`);
  }
  if (typeof value !== "object" || value === null) throw new FormatError("record is not a MessagePack map");
  return value as Record<string, unknown>;
}
