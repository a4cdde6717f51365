// Reciprocal rank fusion (Cormack, Clarke and Buettcher 2009): lists of different measures become one by the places alone.

/** Damps what a first place is worth; the paper's value. */
export const FUSION_K = 60;

/** An id, its worth, and its place in each list, from 1; 0 where it is in none. */
export interface Fused {
  id: string;
  score: number;
  ranks: number[];
}

/**
 * @param weights how much a place in each list counts; 1 for all unless given
 * @returns every id of the lists once, best first; of equals the smaller id first
 */
export function fuse(lists: readonly (readonly string[])[], weights?: readonly number[]): Fused[] {
  const all = new Map<string, Fused>();
  for (const [list, ids] of lists.entries())
    for (const [place, id] of ids.entries()) {
      const fused = all.get(id) ?? { id, score: 0, ranks: lists.map(() => 0) };
      if (fused.ranks[list] !== 0) continue;
      fused.ranks[list] = place + 1;
      fused.score += (weights?.[list] ?? 1) / (FUSION_K + place + 1);
      all.set(id, fused);
    }
  return [...all.values()].sort((a, b) => b.score - a.score || (a.id < b.id ? -1 : 1));
}
