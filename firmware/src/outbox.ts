// The outbox: sealed chunks between capture and the relay's ack, oldest first. This one lives in RAM and holds seconds; what
// does not fit is refused, never overwritten.
import { OUTBOX_BYTES_MAX, OUTBOX_RESERVE_BYTES } from "./config";

/** One sealed chunk on its way. */
export interface SealedChunk {
  epoch: number;
  index: number;
  /** Encoded chunk header. */
  header: Buffer;
  sealed: Buffer;
}

/** Chunks in rising order of (epoch, index). */
export class Outbox {
  /** Called after every chunk that was put in. */
  onPut: () => void = () => {};

  private chunks: SealedChunk[] = [];
  private storedBytes = 0;

  /** True when a chunk of `bytes` may be put in. @param urgent events may use the reserve */
  hasRoom(bytes: number, urgent: boolean): boolean {
    return this.storedBytes + bytes <= OUTBOX_BYTES_MAX + (urgent ? OUTBOX_RESERVE_BYTES : 0);
  }

  put(chunk: SealedChunk): void {
    this.chunks.push(chunk);
    this.storedBytes += chunk.header.length + chunk.sealed.length;
    this.onPut();
  }

  /** Number of chunks that wait for an ack. */
  count(): number {
    return this.chunks.length;
  }

  /** @returns the chunk at this place, 0 is the oldest; undefined beyond the newest */
  at(place: number): SealedChunk | undefined {
    return this.chunks[place];
  }

  /** Forgets every chunk before (nextEpoch, nextIndex). @returns how many */
  forgetBefore(nextEpoch: number, nextIndex: number): number {
    let forgotten = 0;
    while (this.chunks.length > 0) {
      const oldest = this.chunks[0];
      if (oldest.epoch > nextEpoch || (oldest.epoch === nextEpoch && oldest.index >= nextIndex)) break;
      this.storedBytes -= oldest.header.length + oldest.sealed.length;
      this.chunks.shift();
      forgotten++;
    }
    return forgotten;
  }
}
