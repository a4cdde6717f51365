// What the relay needs of the place in which chunks become durable: its own spool on disk, or a stream of JetStream.
import type { ChunkRecord } from "@salestag/protocol/host";
import type { RelayError } from "../errors";
import type { Feed } from "./feed";
import type { Position } from "./position";

/** A chunk that has become durable. */
export interface StoredChunk {
  badge: string;
  /** The encoded record. */
  payload: Buffer;
}

/** What a store tells its owner. */
export interface StoreListener {
  /** These chunks of these badges have become durable: each is told once, a badge's in order. */
  committed(badges: ReadonlySet<string>, chunks: readonly StoredChunk[]): void;
  /** The store ran out of room, or has room again. */
  roomChanged(): void;
  /** The queue is short again after `isCrowded`. */
  uncrowded(): void;
  /** The store failed for good. Nothing is stored or acked any more. */
  failed(error: RelayError): void;
}

/** Keeps each chunk once, and says when it is durable. */
export interface ChunkStore {
  /** False while chunks are not taken: no room, or out of reach. */
  readonly hasRoom: boolean;
  /** Why there is no room; empty while there is. */
  readonly noRoomReason: string;
  /** True while more is queued than should be; whoever appends should hold until `uncrowded`. */
  readonly isCrowded: boolean;
  /** Bytes that are kept. */
  readonly bytes: number;
  /** Chunks that were stored since the start, and their bytes. */
  readonly stored: Readonly<{ chunks: number; bytes: number }>;
  /**
   * Looks up how far a badge's chunks have come. To be called before its position is asked for or its chunks are appended.
   * @returns undefined where that is known already
   * @throws Error, as a rejection, when the store is out of reach
   */
  prepare(badge: string): Promise<void> | undefined;
  /** The badge has no connection any more. */
  leave(badge: string): void;
  /** @returns the position before which all chunks of a badge are durable */
  durablePosition(badge: string): Position;
  /** @returns true when the chunk with this epoch and index is durable */
  isDurable(badge: string, chunk: Position): boolean;
  /** Queues a chunk unless it is queued or durable already. The listener hears when it is durable. */
  append(record: ChunkRecord): void;
  /** Makes the feed of one sink; what all sinks have had may be deleted. */
  openFeed(sinkName: string): Promise<Feed>;
  /** All sinks have their feeds: what they have had may be deleted. */
  feedsOpened(): void;
  /** Takes no more and commits what is queued, unless there is no room for it: that is not acked and comes again. */
  drain(): Promise<void>;
  /** Drains, and lets go of everything. Feeds are closed before. */
  close(): Promise<void>;
}
