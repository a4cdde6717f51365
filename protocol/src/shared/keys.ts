// Key derivations: the epoch chain, the chunk key, the session key. All are HKDF-SHA-256 (RFC 5869) with one block of
// output. The info strings are listed in docs/keys.md with test vectors in protocol/vectors/keys.json.
import { asciiBytes, joinBytes } from "./bytes";
import type { Crypto } from "./crypto";

const EMPTY = Buffer.alloc(0);
const BLOCK_ONE = Buffer.alloc(1);
BLOCK_ONE[0] = 1;

/**
 * HKDF-SHA-256 (RFC 5869 sections 2.2 and 2.3) with 32 bytes of output.
 * @param salt may be empty
 */
export function hkdf(crypto: Crypto, key: Buffer, salt: Buffer, info: Buffer): Buffer {
  const pseudoRandomKey = crypto.hmac(salt, [key]);
  return crypto.hmac(pseudoRandomKey, [info, BLOCK_ONE]);
}

/** @returns chain(n + 1) of chain(n). There is no way back. */
export function nextChainKey(crypto: Crypto, chainKey: Buffer): Buffer {
  return hkdf(crypto, chainKey, EMPTY, asciiBytes("salestag next epoch"));
}

/**
 * @returns the epoch key of chain(n). It is not chain(n) itself, so that one stored epoch key opens one epoch only and
 * deleting it shreds that epoch even where the key of a neighbour is kept.
 */
export function epochKeyOf(crypto: Crypto, chainKey: Buffer): Buffer {
  return hkdf(crypto, chainKey, EMPTY, asciiBytes("salestag epoch key"));
}

/** @returns the key of what the team sends to a badge, from chain(0): the badge makes it before it forgets chain(0) */
export function inboxKeyOf(crypto: Crypto, chainKeyZero: Buffer): Buffer {
  return hkdf(crypto, chainKeyZero, EMPTY, asciiBytes("salestag inbox"));
}

/** @returns the key that seals the one nudge with this encoded header */
export function nudgeKeyOf(crypto: Crypto, inboxKey: Buffer, header: Buffer): Buffer {
  return hkdf(crypto, inboxKey, EMPTY, joinBytes([asciiBytes("salestag nudge 1"), header]));
}

/** @returns the key that seals the one configuration with this encoded header */
export function configurationKeyOf(crypto: Crypto, inboxKey: Buffer, header: Buffer): Buffer {
  return hkdf(crypto, inboxKey, EMPTY, joinBytes([asciiBytes("salestag config 1"), header]));
}

/** @returns the key that seals the one chunk with this encoded header */
export function chunkKeyOf(crypto: Crypto, epochKey: Buffer, header: Buffer): Buffer {
  return hkdf(crypto, epochKey, EMPTY, joinBytes([asciiBytes("salestag chunk 1"), header]));
}

/** @returns the key of the frame MACs of one connection */
export function sessionKeyOf(
  crypto: Crypto,
  authKey: Buffer,
  badgeNonce: Buffer,
  relayNonce: Buffer,
): Buffer {
  return hkdf(crypto, authKey, joinBytes([badgeNonce, relayNonce]), asciiBytes("salestag session 1"));
}
