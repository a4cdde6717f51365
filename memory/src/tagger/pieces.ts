// Long work in pieces: between two, the event loop does what waits.
import { setImmediate as othersFirst } from "node:timers/promises";

/**
 * @param size entries of a piece
 * @returns what is made of each entry, in order
 * @throws the signal's reason when it is aborted between two pieces
 */
export async function inPieces<In, Out>(
  list: readonly In[],
  size: number,
  make: (entry: In, place: number) => Out,
  signal?: AbortSignal,
): Promise<Out[]> {
  const made: Out[] = [];
  for (const [place, entry] of list.entries()) {
    if (place > 0 && place % size === 0) {
      await othersFirst();
      signal?.throwIfAborted();
    }
    made.push(make(entry, place));
  }
  return made;
}
