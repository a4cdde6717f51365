// A badge's conversation for tests: real Opus packets, packed, sealed and laid into a folder by the shared code, as badge and
// relay do it.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Encoder } from "@evan/opus";
import {
  AudioPacker,
  type BadgeEvent,
  CHUNK_PLAINTEXT_BYTES_MAX,
  ChunkCodec,
  ChunkKind,
  type ChunkRecord,
  encodeChunkHeader,
  encodeEvents,
  encodeRecord,
  FRAME_MS,
  GapCause,
  nodeCrypto,
  sealChunk,
} from "../host";
import { chunkFileName } from "../team/open/chunk-files";
import { bytesOf } from "./tools";

export const BADGE = "0123456789abcdef";
export const RECEIVED_MS = Date.UTC(2025, 5, 1, 12, 0, 0);

/** What the vault has of the badge. */
export const KEYS = {
  version: 1,
  badge: BADGE,
  deviceId: "fedcba9876543210",
  label: "Kim",
  createdMs: RECEIVED_MS,
  authKey: bytesOf(1, 32).toString("hex"),
  chain: { epoch: 0, key: bytesOf(2, 32).toString("hex") },
  epochKeys: {},
} as const;

/** What goes into a chunk before it is sealed. */
export interface ChunkPlan {
  index: number;
  kind: number;
  codec: number;
  /** ms since the badge booted. */
  startMs: number;
  durationMs: number;
  count: number;
  plaintext: Buffer;
}

/** One packet, or as many frames of a gap. */
export type Item = Buffer | { silence: number } | { lost: number };

const crypto = nodeCrypto();

/** @returns `count` packets of 20 ms of a voice-like tone that swells and falls, as the badge codes them */
export function opusPackets(count: number): Buffer[] {
  const encoder = new Encoder({ channels: 1, sample_rate: 16000, application: "voip" });
  encoder.bitrate = 16_000;
  encoder.complexity = 0;
  encoder.vbr = true;
  return Array.from({ length: count }, (_, frame) => {
    const samples = Int16Array.from({ length: 320 }, (_, i) => {
      const t = (frame * 320 + i) / 16000;
      const voice = [1, 2, 3, 5].reduce((sum, n) => sum + Math.sin(2 * Math.PI * 140 * n * t) / n, 0);
      return Math.round(6000 * voice * (0.6 + 0.4 * Math.sin(2 * Math.PI * 3 * t)));
    });
    return Buffer.from(encoder.encode(samples));
  });
}

export function audioChunk(index: number, startMs: number, items: Item[]): ChunkPlan {
  const packer = new AudioPacker(CHUNK_PLAINTEXT_BYTES_MAX);
  for (const item of items) {
    if (Buffer.isBuffer(item)) packer.packet(item, 0, item.length);
    else if ("silence" in item) packer.gap(item.silence, GapCause.Silence);
    else packer.gap(item.lost, GapCause.Lost);
  }
  const { packets: count, frames } = packer;
  const durationMs = frames * FRAME_MS;
  const plaintext = Buffer.from(packer.take());
  return { index, kind: ChunkKind.Audio, codec: ChunkCodec.OpusItems, startMs, durationMs, count, plaintext };
}

export function eventsChunk(index: number, events: BadgeEvent[]): ChunkPlan {
  const startMs = events[0].atMs;
  return {
    index,
    kind: ChunkKind.Events,
    codec: ChunkCodec.CborEvents,
    startMs,
    durationMs: events[events.length - 1].atMs - startMs,
    count: events.length,
    plaintext: Buffer.from(encodeEvents(events, startMs)),
  };
}

/** Seals a plan. @param epoch conversation that its header names */
export function recordOf(
  plan: ChunkPlan,
  epochKey: Buffer,
  epoch = 0,
  receivedMs = RECEIVED_MS,
  badge = BADGE,
): ChunkRecord {
  const { plaintext, ...fields } = plan;
  const header = Buffer.from(encodeChunkHeader({ badgeId: Buffer.from(badge, "hex"), epoch, ...fields }));
  const sealed = Buffer.from(sealChunk(crypto, epochKey, header, plaintext));
  return { badge, epoch, index: plan.index, receivedMs, header, sealed };
}

/** Lays a record where the relay's folder sink lays it. @returns the file's path */
export function writeRecord(folder: string, record: ChunkRecord): string {
  const place = join(folder, record.badge, String(record.epoch).padStart(10, "0"));
  mkdirSync(place, { recursive: true });
  const path = join(place, chunkFileName(record.index));
  writeFileSync(path, encodeRecord(record));
  return path;
}
