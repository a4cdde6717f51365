// A nudge: a word of the team to the one who wears a badge. Frame body of type 128 (docs/wire-format.md, "Nudge").
import { equalBytes } from "./bytes";
import { CborReader, CborWriter } from "./cbor";
import type { Crypto } from "./crypto";
import { nudgeKeyOf } from "./keys";
import { type LetterHeader, letterHeader, readLetter, sealLetter } from "./letter";

/** Longest text of a nudge, in bytes of UTF-8. */
export const NUDGE_TEXT_BYTES_MAX = 120;
const SEALED_BYTES_MAX = 160;

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
  const header = letterHeader(badgeId, nudge.id);
  const plaintext = new CborWriter(SEALED_BYTES_MAX)
    .array(3)
    .uint(nudge.expiresUnixMs)
    .uint(nudge.pattern)
    .text(nudge.text)
    .done();
  return sealLetter(crypto, nudgeKeyOf(crypto, inboxKey, header), header, plaintext);
}

/**
 * Reads what a relay may know of a nudge.
 * @throws FormatError when the body has not the form of a nudge
 */
export function readNudgeHeader(body: Buffer): LetterHeader {
  return readLetter("nudge", body, SEALED_BYTES_MAX);
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
  const letter = readLetter("nudge", body, SEALED_BYTES_MAX);
  if (!equalBytes(letter.badgeId, badgeId)) return undefined;
  const plaintext = crypto.open(nudgeKeyOf(crypto, inboxKey, letter.header), letter.sealed);
  if (plaintext === undefined) return undefined;
  const inner = new CborReader(plaintext);
  inner.array("nudge content", 3, 3);
  const expiresUnixMs = inner.uint("nudge expiry");
  const pattern = inner.uint("nudge pattern", 255);
  const text = inner.text("nudge text", NUDGE_TEXT_BYTES_MAX);
  inner.end("nudge content");
  return { id: letter.id, expiresUnixMs, pattern, text };
}
