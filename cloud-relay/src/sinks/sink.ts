// What a sink is: a place that chunks go to. Adding one is one file that implements this.
import type { ChunkRecord } from "@salestag/protocol/host";

export interface Sink {
  /** Short and unique, such as `folder:/var/lib/salestag/out`. */
  readonly name: string;
  /**
   * Delivers records, in order for each badge. May be called again with records that it has had: it must not double them.
   * Rejects when they could not all be delivered; the call is repeated later.
   */
  deliver(records: ChunkRecord[]): Promise<void>;
}
