// The envelope of what the team sends to one badge through a relay that can neither read nor make it: an array of header and sealed bytes. The header is bound
// through the key (docs/wire-format.md, "Letters").
import { CborReader, CborWriter } from "./cbor";
import type { Crypto } from "./crypto";
import { FormatError } from "./errors";
import { BADGE_ID_BYTES, CHUNK_TAG_BYTES, PROTOCOL_VERSION } from "./layout";

const HEADER_BYTES_MAX = 24;

/** What anybody can read of a letter. */
export interface LetterHeader {
  badgeId: Buffer;
  /** Rises from letter to letter of a kind, for each badge, from 1. */
  id: number;
}

/** A letter that was taken apart, and not opened. */
export interface SealedLetter extends LetterHeader {
  /** As it was sent. */
  header: Buffer;
  sealed: Buffer;
}

/** @returns the encoded header of a letter */
export function letterHeader(badgeId: Buffer, id: number): Buffer {
  return new CborWriter(HEADER_BYTES_MAX).array(3).uint(PROTOCOL_VERSION).bytes(badgeId).uint(id).done();
}

/** @returns the body of a frame with a letter */
export function sealLetter(crypto: Crypto, key: Buffer, header: Buffer, plaintext: Buffer): Buffer {
  const sealed = crypto.seal(key, plaintext);
  return new CborWriter(header.length + sealed.length + 8).array(2).bytes(header).bytes(sealed).done();
}

/**
 * @param what for the sentences: "nudge"
 * @param sealedBytesMax longest sealed content
 * @throws FormatError when the body has not the form of a letter
 */
export function readLetter(what: string, body: Buffer, sealedBytesMax: number): SealedLetter {
  const outer = new CborReader(body);
  outer.array(what, 2, 2);
  const header = outer.bytes(`${what} header`, 1, HEADER_BYTES_MAX);
  const sealed = outer.bytes(`sealed ${what}`, CHUNK_TAG_BYTES, sealedBytesMax);
  outer.end(what);
  const reader = new CborReader(header);
  reader.array(`${what} header`, 3, 3);
  const version = reader.uint(`${what} version`, 255);
  if (version !== PROTOCOL_VERSION)
    throw new FormatError(`${what} version must be ${PROTOCOL_VERSION}, got ${version}`);
  const badgeId = reader.bytes(`${what} badge id`, BADGE_ID_BYTES, BADGE_ID_BYTES);
  const id = reader.uint(`${what} number`, 4294967295);
  reader.end(`${what} header`);
  return { badgeId, id, header, sealed };
}
