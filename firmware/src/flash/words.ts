// Little-endian numbers in flash structures, and their checksum: the first bytes of an HMAC-SHA-256, which the runtime computes natively,
// where a CRC in the virtual machine would take 18 us a byte. The key is the place of the structure, so that bytes left there by an
// earlier lap, or copied from elsewhere, are not taken for it.
import type { Crypto } from "@salestag/protocol";

const BYTE = 256;

/** @returns a little-endian number of `lengthBytes` bytes, at most 6 */
export function numberAt(bytes: Buffer, at: number, lengthBytes: number): number {
  let value = 0;
  for (let i = lengthBytes - 1; i >= 0; i--) value = value * BYTE + bytes[at + i];
  return value;
}

/** Writes a little-endian number of `lengthBytes` bytes, at most 6. */
export function setNumber(bytes: Buffer, at: number, lengthBytes: number, value: number): void {
  let rest = value;
  for (let i = 0; i < lengthBytes; i++) {
    const above = Math.floor(rest / BYTE);
    bytes[at + i] = rest - above * BYTE;
    rest = above;
  }
}

/**
 * @param place what tells this structure from all others that ever lie in the same bytes
 * @returns the checksum, 32 bits
 */
export function checksum(crypto: Crypto, place: number, parts: Buffer[]): number {
  const key = Buffer.alloc(8);
  setNumber(key, 0, 6, place);
  return numberAt(crypto.hmac(key, parts), 0, 4);
}

/** @returns true when every byte is `value` */
export function allAre(bytes: Buffer, value: number): boolean {
  for (let i = 0; i < bytes.length; i++) if (bytes[i] !== value) return false;
  return true;
}
