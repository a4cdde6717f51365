// MD5, because it is what the chip's bootloader computes. It finds damage and differences; who made a file is told by its signature.
import { createHash } from "node:crypto";

/** @returns 32 hexadecimal digits */
export function md5(bytes: Uint8Array): string {
  return createHash("md5").update(bytes).digest("hex");
}
