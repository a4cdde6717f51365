// The shared code's primitives over the DeviceScript runtime's own.
import { decrypt, encrypt, hmac, randomBuffer } from "@devicescript/crypto";
import { CHUNK_NONCE_BYTES, CHUNK_TAG_BYTES, type Crypto } from "@salestag/protocol";

const ALGORITHM = "aes-256-ccm";
const ZERO_NONCE = Buffer.alloc(CHUNK_NONCE_BYTES);

/** @returns the primitives of the shared crypto.ts */
export function badgeCrypto(): Crypto {
  return {
    hmac: (key, parts) => hmac(key, "sha256", ...parts),
    seal: (key, data) => encrypt({ algo: ALGORITHM, key, data, iv: ZERO_NONCE, tagLength: CHUNK_TAG_BYTES }),
    open: (key, data) => {
      if (data.length < CHUNK_TAG_BYTES) return undefined;
      return decrypt({ algo: ALGORITHM, key, data, iv: ZERO_NONCE, tagLength: CHUNK_TAG_BYTES });
    },
    random: (lengthBytes) => randomBuffer(lengthBytes),
  };
}
