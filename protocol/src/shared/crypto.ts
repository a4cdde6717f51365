// The four primitives that the shared code needs. The badge gets them from @devicescript/crypto, the host from node:crypto;
// both are checked against the same test vectors.

/** Primitives of one platform. Buffers are never kept or changed. */
export interface Crypto {
  /** HMAC-SHA-256 (RFC 2104) over the concatenation of `parts`. @returns 32 bytes */
  hmac(key: Buffer, parts: Buffer[]): Buffer;
  /** AES-256-CCM (RFC 3610) with an all-zero 13-byte nonce and no associated data. @returns ciphertext, then the 16-byte tag */
  seal(key: Buffer, plaintext: Buffer): Buffer;
  /** Undoes `seal`. @returns the plaintext, or undefined when the tag does not match */
  open(key: Buffer, sealed: Buffer): Buffer | undefined;
  /** @returns that many bytes from a cryptographically strong source */
  random(lengthBytes: number): Buffer;
}
