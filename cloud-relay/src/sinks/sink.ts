// What a sink is: a place that chunks are delivered to. Delivery is at least once and in the order of the spool, so a sink makes
// a second delivery of the same badge, epoch and index harmless.
import type { SpoolEntry } from "../spool/reader";

/** Takes chunks. */
export interface Sink {
  /** Kind and place, such as `folder:/srv/chunks`. It names the sink's cursor: the same name continues where it was. */
  readonly name: string;
  /**
   * Delivers all of `entries`; when it resolves the sink has made them durable.
   * @param signal aborted when the relay ends; delivery may then be given up by throwing
   * @throws anything when not all were delivered: all are delivered again later
   */
  deliver(entries: readonly SpoolEntry[], signal: AbortSignal): Promise<void>;
}
