// The shared code's primitives over node:crypto.
import { createCipheriv, createDecipheriv, createHmac, randomBytes } from "node:crypto";
import { CHUNK_NONCE_BYTES, CHUNK_TAG_BYTES, type Crypto } from "../shared";

const ZERO_NONCE = Buffer.alloc(CHUNK_NONCE_BYTES);
const CCM = { authTagLength: CHUNK_TAG_BYTES };

/**
 * @param random source of random bytes, injected so that a run can be repeated from its seed
 * @returns the primitives of crypto.ts
 */
export function nodeCrypto(random: (lengthBytes: number) => Buffer = randomBytes): Crypto {
  return {
    hmac(key, parts) {
      const hmac = createHmac("sha256", key);
      for (const part of parts) hmac.update(part);
      return hmac.digest();
    },
    seal(key, plaintext) {
      const cipher = createCipheriv("aes-256-ccm", key, ZERO_NONCE, CCM);
      const ciphertext = cipher.update(plaintext);
      cipher.final();
      return Buffer.concat([ciphertext, cipher.getAuthTag()]);
    },
    open(key, sealed) {
      if (sealed.length < CHUNK_TAG_BYTES) return undefined;
      const ciphertextEnd = sealed.length - CHUNK_TAG_BYTES;
      const decipher = createDecipheriv("aes-256-ccm", key, ZERO_NONCE, CCM);
      decipher.setAuthTag(sealed.subarray(ciphertextEnd));
      const plaintext = decipher.update(sealed.subarray(0, ciphertextEnd));
      try {
        decipher.final();
      } catch {
        return undefined; // OpenSSL's word for "the tag does not match"
      }
      return plaintext;
    },
    random,
  };
}
