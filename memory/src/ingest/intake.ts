// The one way in for every source: what was erased stays out, all else is made durable in the archive, and only then told to whoever opens it.
import type { ChunkRecord } from "@salestag/protocol/host";
import { type Archive, nameOf, type Place } from "./archive";

export interface IntakeOptions {
  archive: Archive;
  /** Told of every chunk that was not here before, when it is durable. Must not throw. */
  onArrival: (record: ChunkRecord) => void;
}

export interface IntakeCounts {
  /** Chunks that were not here before. */
  taken: number;
  /** Chunks that were here already. */
  repeated: number;
  /** Chunks of conversations that were erased. */
  erased: number;
}

export class Intake {
  readonly counts: IntakeCounts = { taken: 0, repeated: 0, erased: 0 };
  private readonly erased = new Set<string>();

  constructor(private readonly options: IntakeOptions) {}

  /** Takes no more chunks of a conversation, for good. */
  shut(place: Place): void {
    this.erased.add(nameOf(place));
  }

  isShut(place: Place): boolean {
    return this.erased.has(nameOf(place));
  }

  /**
   * @returns when all are durable, or belong to what was erased
   * @throws ChunkConflict, or an error of the system; the others are kept even so
   */
  async take(records: ChunkRecord[]): Promise<void> {
    const results = await Promise.allSettled(records.map((record) => this.takeOne(record)));
    for (const result of results) if (result.status === "rejected") throw result.reason;
  }

  private async takeOne(record: ChunkRecord): Promise<void> {
    if (this.isShut(record)) {
      this.counts.erased++;
      return;
    }
    const isNew = await this.options.archive.put(record);
    if (isNew) this.counts.taken++;
    else this.counts.repeated++;
    // Erased while it was on its way: the eraser waits for the archive after shutting, and deletes this too.
    if (isNew && !this.isShut(record)) this.options.onArrival(record);
  }
}
