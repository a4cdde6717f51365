// Spool entries for the tests of sinks.
import { ChunkCodec, ChunkKind, encodeChunkHeader, encodeRecord } from "@salestag/protocol/host";
import type { SpoolEntry } from "../spool/reader";

/** @returns a chunk of a badge, received `index` ms after a fixed time */
export function entryOf(badge: string, epoch: number, index: number, sealedBytes = 60): SpoolEntry {
  const header = encodeChunkHeader({
    badgeId: Buffer.from(badge, "hex"),
    epoch,
    index,
    kind: ChunkKind.Audio,
    startMs: index * 2000,
    durationMs: 2000,
    codec: ChunkCodec.OpusItems,
    count: 100,
  });
  const receivedMs = 1_780_000_000_000 + index;
  const record = { badge, epoch, index, receivedMs, header, sealed: Buffer.alloc(sealedBytes, index) };
  return { record, encoded: encodeRecord(record) };
}
