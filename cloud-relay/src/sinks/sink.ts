// What a sink is: a place that chunks are delivered to. Delivery is at least once and in order for each badge, so a sink makes
// a second delivery of the same badge, epoch and index harmless.
import type { SpoolEntry } from "../spool/reader";

/** Takes chunks. */
export interface Sink {
  /** Kind and place, such as `folder:/srv/chunks`, without a secret. It names the sink's cursor: the same name continues where it was. */
  readonly name: string;
  /**
   * Delivers all of `entries`; when it resolves the sink has made them durable.
   * @param signal aborted when the relay ends; delivery may then be given up by throwing
   * @throws RejectedError when the other side refuses what is delivered, not that it is delivered; anything else when it is down. All are
   * delivered again later, then maybe fewer at once
   */
  deliver(entries: readonly SpoolEntry[], signal: AbortSignal): Promise<void>;
  /** Ends connections. */
  close?(): Promise<void>;
}

/** The other side will not take a chunk, now or later. */
export class RejectedError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "RejectedError";
  }
}

/** @returns badge, epoch and index of a chunk: the same for every delivery */
export function nameOf({ record }: SpoolEntry): string {
  return `${record.badge}/${record.epoch}/${record.index}`;
}

/** @returns the entries by badge, each list in order: lists may be delivered beside each other */
export function byBadge(entries: readonly SpoolEntry[]): SpoolEntry[][] {
  const lists = new Map<string, SpoolEntry[]>();
  for (const entry of entries) {
    const list = lists.get(entry.record.badge);
    if (list === undefined) lists.set(entry.record.badge, [entry]);
    else list.push(entry);
  }
  return [...lists.values()];
}
