// Ids that follow from what they name: the same in every database that is made from the same chunks.
import { createHash } from "node:crypto";

/**
 * @param badge 16 hexadecimal digits
 * @returns a UUID of version 8 (RFC 9562, section 5.8)
 */
export function conversationId(badge: string, epoch: number): string {
  return uuidOf(`salestag conversation 1 ${badge}/${epoch}`);
}

/** @returns the UUID of version 8 of a text */
export function uuidOf(text: string): string {
  const hash = createHash("sha256").update(text).digest().subarray(0, 16);
  hash[6] = (hash[6] & 0x0f) | 0x80;
  hash[8] = (hash[8] & 0x3f) | 0x80;
  const hex = hash.toString("hex");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}
