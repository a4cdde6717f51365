// Labelled words that a talk's words are like: for the reason that a learned tag gives. Vectors are compared by the signs of their numbers.
import type { Example } from "./model";

/** @returns a bit for each number: whether it is above 0 */
export function signsOf(vector: Float32Array): Uint8Array {
  const signs = new Uint8Array(Math.ceil(vector.length / 8));
  for (const [place, value] of vector.entries()) if (value > 0) signs[place >> 3] |= 1 << (place & 7);
  return signs;
}

/** @returns the example of the kind that has the most signs in common */
export function mostAlike(
  examples: readonly Example[],
  kind: number,
  vector: Float32Array,
): Example | undefined {
  const signs = signsOf(vector);
  let nearest: Example | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (const example of examples) {
    if (example.kind !== kind) continue;
    const away = differing(signs, example.signs);
    if (away < least) {
      least = away;
      nearest = example;
    }
  }
  return nearest;
}

function differing(one: Uint8Array, other: Uint8Array): number {
  let count = 0;
  for (let at = 0; at < one.length; at++)
    for (let bits = one[at] ^ other[at]; bits !== 0; bits &= bits - 1) count++;
  return count;
}
