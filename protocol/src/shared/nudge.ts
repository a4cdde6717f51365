// A nudge: what the team sends to one badge through a relay that can neither read nor make one. Frame body of type 128: an array of header and
// sealed bytes; the header is bound through the key (docs/wire-format.md, "Nudge").

import { equalBytes } from "./bytes";
import { CborReader, CborWriter } from "./cbor";
import type { Crypto } from "./crypto";
import { FormatError } from "./errors";
import { nudgeKeyOf } from "./keys";
import { BADGE_ID_BYTES, CHUNK_TAG_BYTES, PROTOCOL_VERSION } from "./layout";

/** Longest text of a nudge, in bytes of UTF-8. */
export const NUDGE_TEXT_BYTES_MAX = 120;
const SEALED_BYTES_MAX = 160;
const HEADER_BYTES_MAX = 24;

/** One nudge. */
export interface Nudge {
  /** Rises from nudge to nudge of a badge, from 1: an earlier one is not shown again. */
  id: number;
  /** Unix time in ms from which it is not shown any more; 0 for never. */
  expiresUnixMs: number;
  /** Which vibration; 1 is the common one. */
  pattern: number;
  text: string;
}

/** @returns the body of a nudge frame */
export function sealNudge(crypto: Crypto, inboxKey: Buffer, badgeId: Buffer, nudge: Nudge): Buffer {
  const header = new CborWriter(HEADER_BYTES_MAX)
    .array(3)
    .uint(PROTOCOL_VERSION)
    .bytes(badgeId)
    .uint(nudge.id)
    .done();
  const plaintext = new CborWriter(SEALED_BYTES_MAX)
    .array(3)
    .uint(nudge.expiresUnixMs)
    .uint(nudge.pattern)
    .text(nudge.text)
    .done();
  const sealed = crypto.seal(nudgeKeyOf(crypto, inboxKey, header), plaintext);
  return new CborWriter(HEADER_BYTES_MAX + SEALED_BYTES_MAX + 32).array(2).bytes(header).bytes(sealed).done();
}

/** What anybody can read of a nudge. */
export interface NudgeHeader {
  badgeId: Buffer;
  id: number;
}

/**
 * Reads what a relay may know of a nudge.
 * @throws FormatError when the body has not the form of a nudge
 */
export function readNudgeHeader(body: Buffer): NudgeHeader {
  const outer = new CborReader(body);
  outer.array("nudge", 2, 2);
  const header = outer.bytes("nudge header", 1, HEADER_BYTES_MAX);
  outer.bytes("sealed nudge", CHUNK_TAG_BYTES, SEALED_BYTES_MAX);
  outer.end("nudge");
  return decodeHeader(header);
}

function decodeHeader(header: Buffer): NudgeHeader {
  const reader = new CborReader(header);
  reader.array("nudge header", 3, 3);
  const version = reader.uint("nudge version", 255);
  if (version !== PROTOCOL_VERSION)
    throw new FormatError(`nudge version must be ${PROTOCOL_VERSION}, got ${version}`);
  const badgeId = reader.bytes("nudge badge id", BADGE_ID_BYTES, BADGE_ID_BYTES);
  const id = reader.uint("nudge number", 4294967295);
  reader.end("nudge header");
  return { badgeId, id };
}

/**
 * @returns the nudge; undefined when the team did not make it, for this badge
 * @throws FormatError when the body has not the form of a nudge
 */
export function openNudge(
  crypto: Crypto,
  inboxKey: Buffer,
  badgeId: Buffer,
  body: Buffer,
): Nudge | undefined {
  const outer = new CborReader(body);
  outer.array("nudge", 2, 2);
  const header = outer.bytes("nudge header", 1, HEADER_BYTES_MAX);
  const sealed = outer.bytes("sealed nudge", CHUNK_TAG_BYTES, SEALED_BYTES_MAX);
  outer.end("nudge");
  const { badgeId: addressee, id } = decodeHeader(header);
  if (!equalBytes(addressee, badgeId)) return undefined;
  const plaintext = crypto.open(nudgeKeyOf(crypto, inboxKey, header), sealed);
  if (plaintext === undefined) return undefined;
  const inner = new CborReader(plaintext);
  inner.array("nudge content", 3, 3);
  const expiresUnixMs = inner.uint("nudge expiry");
  const pattern = inner.uint("nudge pattern", 255);
  const text = inner.text("nudge text", NUDGE_TEXT_BYTES_MAX);
  inner.end("nudge content");
  return { id, expiresUnixMs, pattern, text };
}
