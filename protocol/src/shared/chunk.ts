// The sealed chunk: a plain header and a ciphertext bound to it through the key. Layout: docs/wire-format.md, "Sealed chunk".
import { CborReader, CborWriter } from "./cbor";
import type { Crypto } from "./crypto";
import { FormatError } from "./errors";
import { chunkKeyOf } from "./keys";
import { BADGE_ID_BYTES, CHUNK_FRAMES_MAX, CHUNK_HEADER_BYTES_MAX, PROTOCOL_VERSION } from "./layout";

/** What a chunk holds. 0 is never valid; 3 is kept for status reports. */
export enum ChunkKind {
  Audio = 1,
  Events = 2,
}

/** How the plaintext is coded. 0 is never valid. */
export enum ChunkCodec {
  /** Items of audio.ts: Opus packets of 20 ms and gaps. */
  OpusItems = 1,
  /** A CBOR array of events, events.ts. */
  CborEvents = 2,
}

/** The plain part of a chunk. The relay sees this and nothing more. */
export interface ChunkHeader {
  /** 8 bytes. */
  badgeId: Buffer;
  /** Number of the conversation in the badge's key chain. */
  epoch: number;
  /** Number of the chunk in its epoch, from 0, audio and events together. */
  index: number;
  kind: number;
  /** Start of what the chunk holds, in ms since the badge booted. */
  startMs: number;
  /** Time that the chunk spans, gaps included. */
  durationMs: number;
  codec: number;
  /** Opus packets in an audio chunk, events in an events chunk. */
  count: number;
}

const HEADER_VALUES = 9;
const NUMBER_MAX = 4294967295;

/** @returns the header as a deterministic CBOR array, at most CHUNK_HEADER_BYTES_MAX bytes */
export function encodeChunkHeader(header: ChunkHeader): Buffer {
  return new CborWriter(CHUNK_HEADER_BYTES_MAX)
    .array(HEADER_VALUES)
    .uint(PROTOCOL_VERSION)
    .bytes(header.badgeId)
    .uint(header.epoch)
    .uint(header.index)
    .uint(header.kind)
    .uint(header.startMs)
    .uint(header.durationMs)
    .uint(header.codec)
    .uint(header.count)
    .done();
}

/**
 * Reads a header.
 * @throws FormatError when it is not a header of this version
 */
export function decodeChunkHeader(encoded: Buffer): ChunkHeader {
  if (encoded.length > CHUNK_HEADER_BYTES_MAX)
    throw new FormatError(
      `chunk header must be at most ${CHUNK_HEADER_BYTES_MAX} bytes, got ${encoded.length}`,
    );
  const reader = new CborReader(encoded);
  reader.array("chunk header", HEADER_VALUES, HEADER_VALUES);
  const version = reader.uint("chunk version");
  if (version !== PROTOCOL_VERSION)
    throw new FormatError(`chunk version must be ${PROTOCOL_VERSION}, got ${version}`);
  const header: ChunkHeader = {
    badgeId: reader.bytes("chunk badge id", BADGE_ID_BYTES, BADGE_ID_BYTES),
    epoch: reader.uint("chunk epoch", NUMBER_MAX),
    index: reader.uint("chunk index", NUMBER_MAX),
    kind: reader.uint("chunk kind", 255),
    startMs: reader.uint("chunk start"),
    durationMs: reader.uint("chunk duration", NUMBER_MAX),
    codec: reader.uint("chunk codec", 255),
    count: reader.uint("chunk count", NUMBER_MAX),
  };
  reader.end("chunk header");
  if (header.kind === 0 || header.codec === 0)
    throw new FormatError(
      `chunk kind and codec must not be 0, got kind ${header.kind}, codec ${header.codec}`,
    );
  if (header.kind === ChunkKind.Audio && header.count > CHUNK_FRAMES_MAX)
    throw new FormatError(`audio chunk must hold at most ${CHUNK_FRAMES_MAX} packets, got ${header.count}`);
  return header;
}

/** @returns ciphertext and tag of the plaintext, under the key that belongs to this encoded header alone */
export function sealChunk(crypto: Crypto, epochKey: Buffer, header: Buffer, plaintext: Buffer): Buffer {
  return crypto.seal(chunkKeyOf(crypto, epochKey, header), plaintext);
}

/** @returns the plaintext, or undefined when header, key or ciphertext do not belong together */
export function openChunk(
  crypto: Crypto,
  epochKey: Buffer,
  header: Buffer,
  sealed: Buffer,
): Buffer | undefined {
  return crypto.open(chunkKeyOf(crypto, epochKey, header), sealed);
}
