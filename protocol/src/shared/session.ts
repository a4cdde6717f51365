// The mutual proof and the MAC of every frame after it (docs/wire-format.md, "Proof"). Used by badge and relay alike; which
// side one is decides the labels and the directions.
import { asciiBytes, equalBytes, joinBytes } from "./bytes";
import type { Crypto } from "./crypto";
import { FormatError } from "./errors";
import { sessionKeyOf } from "./keys";
import { FRAME_MAC_BYTES } from "./layout";
import { frameStart } from "./wire";

/** The two ends of a connection. The value goes into every MAC as its direction. */
export enum Side {
  Badge = 1,
  Relay = 2,
}

/** What both sides know once hello and challenge are exchanged. */
export interface Introduction {
  version: number;
  badgeId: Buffer;
  badgeNonce: Buffer;
  relayNonce: Buffer;
}

/** @returns the 32 bytes by which `side` proves that it has the badge's authentication key */
export function proofOf(crypto: Crypto, authKey: Buffer, side: Side, introduction: Introduction): Buffer {
  const label = asciiBytes(side === Side.Badge ? "salestag badge 1" : "salestag relay 1");
  const version = Buffer.alloc(1);
  version[0] = introduction.version;
  return crypto.hmac(authKey, [
    label,
    version,
    introduction.badgeId,
    introduction.badgeNonce,
    introduction.relayNonce,
  ]);
}

/** A frame whose MAC was right. */
export interface OpenedFrame {
  type: number;
  body: Buffer;
}

/** MACs of one connection: a counter for each direction, so that no frame can be left out, repeated or reordered. */
export class Session {
  private readonly key: Buffer;
  private sent = 0;
  private received = 0;

  constructor(
    private readonly crypto: Crypto,
    private readonly side: Side,
    authKey: Buffer,
    introduction: Introduction,
  ) {
    this.key = sessionKeyOf(crypto, authKey, introduction.badgeNonce, introduction.relayNonce);
  }

  /** @returns the next frame that this side sends, whole */
  frame(type: number, body: Buffer): Buffer {
    const mac = this.macOfNext(type, [body]);
    return joinBytes([frameStart(type, body.length + FRAME_MAC_BYTES), body, mac]);
  }

  /** @returns the MAC of the next frame that this side sends, of this type and with this body (in parts, to save copies) */
  macOfNext(type: number, bodyParts: Buffer[]): Buffer {
    return this.mac(this.side, this.sent++, type, bodyParts);
  }

  /**
   * Checks the next payload that the other side sent.
   * @throws FormatError when it is too short or its MAC does not match; the connection must end then
   */
  open(payload: Buffer): OpenedFrame {
    if (payload.length < 1 + FRAME_MAC_BYTES)
      throw new FormatError(`frame of ${payload.length} bytes has no room for its MAC`);
    const bodyEnd = payload.length - FRAME_MAC_BYTES;
    const body = payload.slice(1, bodyEnd);
    const sender = this.side === Side.Badge ? Side.Relay : Side.Badge;
    const expected = this.mac(sender, this.received++, payload[0], [body]);
    if (!equalBytes(expected, payload.slice(bodyEnd, payload.length)))
      throw new FormatError(`MAC of frame ${this.received - 1} does not match`);
    return { type: payload[0], body };
  }

  private mac(sender: Side, counter: number, type: number, bodyParts: Buffer[]): Buffer {
    const start = Buffer.alloc(6);
    start[0] = sender;
    start[1] = (counter >>> 24) & 255;
    start[2] = (counter >>> 16) & 255;
    start[3] = (counter >>> 8) & 255;
    start[4] = counter & 255;
    start[5] = type;
    const parts: Buffer[] = [start];
    for (const part of bodyParts) parts.push(part);
    return this.crypto.hmac(this.key, parts).slice(0, FRAME_MAC_BYTES);
  }
}

/** @returns a whole frame without a MAC, as used before the proof and in an error before it */
export function plainFrame(type: number, body: Buffer): Buffer {
  return joinBytes([frameStart(type, body.length), body]);
}
