// The frames between badge and relay. On the wire a frame is
//
//   u16 length (big endian, of all that follows) | u8 type | body | MAC of 8 bytes (after the proof only)
//
// and the body a deterministic CBOR array. This file has one encode and one decode for each body; protocol/wire.cddl has the
// same as CDDL, and a test holds the two together. The MAC is added and checked by session.ts.
import { CborReader, CborWriter } from "./cbor";
import { FormatError } from "./errors";
import {
  BADGE_ID_BYTES,
  CHUNK_HEADER_BYTES_MAX,
  CHUNK_TAG_BYTES,
  ERROR_TEXT_BYTES_MAX,
  FRAME_LENGTH_BYTES,
  FRAME_PAYLOAD_BYTES_MAX,
  NONCE_BYTES,
  PROOF_BYTES,
} from "./layout";

/**
 * Type numbers. 0 is never valid. Below 128 a receiver must know the type or end the connection; from 128 on it may ignore
 * what it does not know. 129 is kept for a configuration that the team sends to the badge.
 */
export enum FrameType {
  Hello = 1,
  Challenge = 2,
  Proof = 3,
  Welcome = 4,
  Chunk = 5,
  Ack = 6,
  Ping = 9,
  Pong = 10,
  Bye = 11,
  Error = 12,
  /** What the team sends to the badge: nudge.ts. */
  Nudge = 128,
}

/** First type number that a receiver may ignore. */
export const FRAME_TYPE_OPTIONAL_MIN = 128;

/** Why a connection was ended, for the other side's log and its choice of what to do next. */
export enum ErrorCode {
  /** A frame that is no frame of this protocol. */
  BadFrame = 1,
  /** The other side speaks another version. */
  Version = 2,
  /** The relay has no badge of this id. */
  UnknownBadge = 3,
  /** A proof or a MAC did not match. */
  BadProof = 4,
  /** A frame that is not allowed at this point. */
  Unexpected = 5,
  /** The relay cannot store now; try again later. */
  Unavailable = 6,
  /** Another connection of the same badge took over. */
  Replaced = 7,
  /** Nothing was heard for too long. */
  Timeout = 8,
}

/** Badge to relay, first frame. */
export interface Hello {
  version: number;
  badgeId: Buffer;
  nonce: Buffer;
}

/** Relay to badge: the relay's own nonce and its proof. */
export interface Challenge {
  nonce: Buffer;
  proof: Buffer;
}

/** Relay to badge, first frame with a MAC. */
export interface Welcome {
  /** Unix time in ms. */
  unixMs: number;
  /** Every chunk before (nextEpoch, nextIndex) is durable. */
  nextEpoch: number;
  nextIndex: number;
  /** Chunks that may be in flight. */
  window: number;
  /** Newest configuration that the relay has for this badge; 0 for none. */
  configVersion: number;
}

/** Badge to relay. */
export interface ChunkFrame {
  /** Encoded chunk header, chunk.ts. */
  header: Buffer;
  sealed: Buffer;
}

/** Relay to badge. */
export interface Ack {
  /** Every chunk before (nextEpoch, nextIndex) that this badge sent is durable. */
  nextEpoch: number;
  nextIndex: number;
  /** Chunks that may be in flight from now on; 0 stops the badge until the next ack. */
  window: number;
}

/** Either way, last frame. */
export interface ErrorFrame {
  code: number;
  text: string;
}

const NUMBER_MAX = 4294967295;
const WINDOW_MAX = 255;

export function encodeHello(hello: Hello): Buffer {
  return new CborWriter(64).array(3).uint(hello.version).bytes(hello.badgeId).bytes(hello.nonce).done();
}

export function decodeHello(body: Buffer): Hello {
  const reader = new CborReader(body);
  reader.array("hello", 3, 3);
  const hello: Hello = {
    version: reader.uint("hello version", 255),
    badgeId: reader.bytes("hello badge id", BADGE_ID_BYTES, BADGE_ID_BYTES),
    nonce: reader.bytes("hello nonce", NONCE_BYTES, NONCE_BYTES),
  };
  reader.end("hello");
  return hello;
}

export function encodeChallenge(challenge: Challenge): Buffer {
  return new CborWriter(64).array(2).bytes(challenge.nonce).bytes(challenge.proof).done();
}

export function decodeChallenge(body: Buffer): Challenge {
  const reader = new CborReader(body);
  reader.array("challenge", 2, 2);
  const challenge: Challenge = {
    nonce: reader.bytes("challenge nonce", NONCE_BYTES, NONCE_BYTES),
    proof: reader.bytes("challenge proof", PROOF_BYTES, PROOF_BYTES),
  };
  reader.end("challenge");
  return challenge;
}

export function encodeProof(proof: Buffer): Buffer {
  return new CborWriter(64).array(1).bytes(proof).done();
}

export function decodeProof(body: Buffer): Buffer {
  const reader = new CborReader(body);
  reader.array("proof", 1, 1);
  const proof = reader.bytes("proof", PROOF_BYTES, PROOF_BYTES);
  reader.end("proof");
  return proof;
}

export function encodeWelcome(welcome: Welcome): Buffer {
  return new CborWriter(64)
    .array(5)
    .uint(welcome.unixMs)
    .uint(welcome.nextEpoch)
    .uint(welcome.nextIndex)
    .uint(welcome.window)
    .uint(welcome.configVersion)
    .done();
}

export function decodeWelcome(body: Buffer): Welcome {
  const reader = new CborReader(body);
  reader.array("welcome", 5, 5);
  const welcome: Welcome = {
    unixMs: reader.uint("welcome time"),
    nextEpoch: reader.uint("welcome epoch", NUMBER_MAX),
    nextIndex: reader.uint("welcome index", NUMBER_MAX),
    window: reader.uint("welcome window", WINDOW_MAX),
    configVersion: reader.uint("welcome configuration", NUMBER_MAX),
  };
  reader.end("welcome");
  return welcome;
}

/**
 * Everything of a chunk frame's body that comes before the sealed bytes: the badge sends the sealed bytes from where they lie
 * instead of copying them once more.
 */
export function encodeChunkBodyStart(header: Buffer, sealedBytes: number): Buffer {
  return new CborWriter(CHUNK_HEADER_BYTES_MAX + 8).array(2).bytes(header).bytesHead(sealedBytes).done();
}

export function decodeChunkFrame(body: Buffer): ChunkFrame {
  const reader = new CborReader(body);
  reader.array("chunk", 2, 2);
  const chunk: ChunkFrame = {
    header: reader.bytes("chunk header", 1, CHUNK_HEADER_BYTES_MAX),
    sealed: reader.bytes("sealed chunk", CHUNK_TAG_BYTES, FRAME_PAYLOAD_BYTES_MAX),
  };
  reader.end("chunk");
  return chunk;
}

export function encodeAck(ack: Ack): Buffer {
  return new CborWriter(32).array(3).uint(ack.nextEpoch).uint(ack.nextIndex).uint(ack.window).done();
}

export function decodeAck(body: Buffer): Ack {
  const reader = new CborReader(body);
  reader.array("ack", 3, 3);
  const ack: Ack = {
    nextEpoch: reader.uint("ack epoch", NUMBER_MAX),
    nextIndex: reader.uint("ack index", NUMBER_MAX),
    window: reader.uint("ack window", WINDOW_MAX),
  };
  reader.end("ack");
  return ack;
}

/** Body of ping, pong and bye: one number, a token or a reason. */
export function encodeNumber(value: number): Buffer {
  return new CborWriter(16).array(1).uint(value).done();
}

export function decodeNumber(body: Buffer, what: string): number {
  const reader = new CborReader(body);
  reader.array(what, 1, 1);
  const value = reader.uint(what, NUMBER_MAX);
  reader.end(what);
  return value;
}

export function encodeError(error: ErrorFrame): Buffer {
  return new CborWriter(ERROR_TEXT_BYTES_MAX + 16).array(2).uint(error.code).text(error.text).done();
}

export function decodeError(body: Buffer): ErrorFrame {
  const reader = new CborReader(body);
  reader.array("error", 2, 2);
  const error: ErrorFrame = {
    code: reader.uint("error code", 255),
    text: reader.text("error text", ERROR_TEXT_BYTES_MAX),
  };
  reader.end("error");
  return error;
}

/** @returns length prefix and type of a frame whose body (and MAC, if any) the caller sends right after */
export function frameStart(type: number, bodyAndMacBytes: number): Buffer {
  const payloadBytes = 1 + bodyAndMacBytes;
  if (payloadBytes > FRAME_PAYLOAD_BYTES_MAX)
    throw new RangeError(`frame must be at most ${FRAME_PAYLOAD_BYTES_MAX} bytes, got ${payloadBytes}`);
  const start = Buffer.alloc(FRAME_LENGTH_BYTES + 1);
  start[0] = payloadBytes >> 8;
  start[1] = payloadBytes & 255;
  start[2] = type;
  return start;
}

/** Cuts a stream of bytes into frame payloads (type, body and MAC). Holds at most one partial frame. */
export class FrameSplitter {
  /** Longest payload that is accepted; raised by the caller once the other side has proved itself. */
  payloadBytesMax: number;

  private partial: Buffer | undefined = undefined;
  private filled = 0;
  private head = Buffer.alloc(FRAME_LENGTH_BYTES);
  private headFilled = 0;

  constructor(payloadBytesMax: number) {
    this.payloadBytesMax = payloadBytesMax;
  }

  /**
   * @param bytes the next bytes of the stream
   * @param onPayload called for every frame that is complete, with what may share memory with `bytes`; what it throws ends the call
   * @throws FormatError for a length of 0 or over `payloadBytesMax`; the stream cannot be read any further then
   */
  push(bytes: Buffer, onPayload: (payload: Buffer) => void): void {
    let at = 0;
    while (at < bytes.length) {
      if (this.partial === undefined) {
        this.head[this.headFilled++] = bytes[at++];
        if (this.headFilled < FRAME_LENGTH_BYTES) continue;
        this.headFilled = 0;
        const payloadBytes = this.checkedLength((this.head[0] << 8) | this.head[1]);
        if (payloadBytes > bytes.length - at) {
          this.partial = Buffer.alloc(payloadBytes);
          this.filled = 0;
          continue;
        }
        at += payloadBytes;
        onPayload(bytes.slice(at - payloadBytes, at)); // whole already: Node need not copy it
        continue;
      }
      const wanted = this.partial.length - this.filled;
      const taken = Math.min(wanted, bytes.length - at);
      this.partial.set(bytes.slice(at, at + taken), this.filled);
      this.filled += taken;
      at += taken;
      if (this.filled < this.partial.length) continue;
      const payload = this.partial;
      this.partial = undefined;
      onPayload(payload);
    }
  }

  private checkedLength(payloadBytes: number): number {
    if (payloadBytes === 0 || payloadBytes > this.payloadBytesMax)
      throw new FormatError(
        `frame length must be 1 to ${this.payloadBytesMax} bytes here, got ${payloadBytes}`,
      );
    return payloadBytes;
  }
}
