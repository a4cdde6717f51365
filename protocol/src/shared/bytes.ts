// Byte helpers in the common subset of the two Buffers: DeviceScript's and Node's (`alloc`, index, `length`, `set`,
// `slice`). `slice` copies on the badge and shares memory on Node: callers treat its result as read-only.

/**
 * Joins buffers into a new one.
 * @param parts any number of buffers, in order
 */
export function joinBytes(parts: Buffer[]): Buffer {
  let total = 0;
  for (const part of parts) total += part.length;
  const joined = Buffer.alloc(total);
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

/**
 * Compares two buffers in a time that depends on their lengths only.
 * @returns true when lengths and all bytes are equal
 */
export function equalBytes(a: Buffer, b: Buffer): boolean {
  if (a.length !== b.length) return false;
  let difference = 0;
  for (let i = 0; i < a.length; i++) difference |= a[i] ^ b[i];
  return difference === 0;
}

/** Makes a buffer of the character codes of an ASCII label, for key derivation. */
export function asciiBytes(label: string): Buffer {
  return Buffer.from(label, "utf8");
}

/** @returns an array of exactly so many zeros: one that has grown takes up to twice the room on the badge's heap */
export function zeros(count: number): number[] {
  const grown: number[] = [];
  for (let i = 0; i < count; i++) grown.push(0);
  return grown.slice();
}
