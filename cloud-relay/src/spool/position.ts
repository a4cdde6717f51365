// How far the chunks of each badge have come. A badge sends its chunks in rising (epoch, index), so one position for each badge
// says which of them are in the spool: all before it.

/** A place in a badge's chunks: everything before (epoch, index). */
export interface Position {
  epoch: number;
  index: number;
}

/** Nothing yet. */
export const START: Position = { epoch: 0, index: 0 };

/** @returns below 0 when `a` is before `b`, 0 when they are the same, above 0 when it is behind */
export function comparePositions(a: Position, b: Position): number {
  return a.epoch - b.epoch || a.index - b.index;
}

/** @returns the position right behind the chunk with this epoch and index */
export function positionAfter(chunk: Position): Position {
  return { epoch: chunk.epoch, index: chunk.index + 1 };
}

/** Positions by badge id, each of which only moves forward. */
export class PositionMap {
  private readonly positions = new Map<string, Position>();

  /** @returns the position of a badge, START for one that was never moved */
  of(badge: string): Position {
    return this.positions.get(badge) ?? START;
  }

  /** Moves a badge to `position` unless it is there or further already. */
  advance(badge: string, position: Position): void {
    if (comparePositions(position, this.of(badge)) > 0) this.positions.set(badge, position);
  }

  entries(): IterableIterator<[string, Position]> {
    return this.positions.entries();
  }
}
