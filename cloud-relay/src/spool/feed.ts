// Where a dispatcher gets a sink's chunks from, and the place that it has come to. One feed serves one sink.
import type { SpoolEntry } from "./reader";

/** Gives chunks in order, and keeps durably how far a sink has them. */
export interface Feed {
  /**
   * Waits until there is more, or `stop` is aborted. Called again without `pass` it gives the same chunks again.
   * @returns what follows what was passed; nothing when `stop` is aborted and there is no more
   */
  take(stop: AbortSignal): Promise<SpoolEntry[]>;
  /** What `take` gave last has been delivered. It may be made durable later: it is then delivered again after a crash. */
  pass(): Promise<void>;
  /** Makes the place durable. */
  save(): Promise<void>;
  /** Bytes of records that the sink has not had. */
  readonly bytesBehind: number;
  close(): Promise<void>;
}
