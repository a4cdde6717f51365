// Settles what rules of one turn, or of the talk as a whole, say against each other.
import type { Finding, ReadTurn } from "./engine";

/** @returns the findings that stand */
export function settle(_turns: readonly ReadTurn[], findings: readonly Finding[]): Finding[] {
  return [...findings];
}
