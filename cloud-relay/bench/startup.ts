// How long a relay takes to start with a full spool. The spool is written with the relay's own segment code.
import { randomBytes } from "node:crypto";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import {
  ChunkCodec,
  ChunkKind,
  type ChunkRecord,
  encodeChunkHeader,
  encodeRecord,
} from "@salestag/protocol/host";
import { nodeDisk } from "../src/disk";
import { writeCheckpoint } from "../src/spool/checkpoint";
import { PositionMap, positionAfter } from "../src/spool/position";
import { OpenSegment } from "../src/spool/segment";
import { recordBytes } from "../src/spool/segment-format";
import { SEGMENT_BYTES } from "../src/spool/spool";
import { badgeName, startRelay } from "./ours";
import { residentBytes } from "./server";
import { CHUNK_BYTES } from "./target";
import { inFolder, lacksRoom, say } from "./workplace";

/** Start-up with so many records in the spool. */
export interface StartupResult {
  records: number;
  spoolBytes: number;
  /** From starting the process until it listens. */
  startMs: number;
  /** The same with an empty spool. */
  emptyMs: number;
  /** Most memory that it took. */
  peakBytes: number;
}

const BADGES = 2000;
const BATCH_RECORDS = 500;
/** A record and what it costs on disk beside its chunk, roughly. */
const RECORD_ROOM_BYTES = CHUNK_BYTES + 200;
/** Part of the needed room that must be left besides. */
const SPARE = 1.1;
const EPOCH = 1;

/** @returns the result, or a sentence when the disk has no room for it */
export async function measureStartup(parent: string, records: number): Promise<StartupResult | string> {
  const why = lacksRoom(parent, records * RECORD_ROOM_BYTES * SPARE);
  if (why !== undefined) return `Start-up with ${records} records is left out: ${why}.`;
  const result = await inFolder(parent, (folder) => measureIn(folder, records));
  say(`start with ${records} records: ${(result.startMs / 1000).toFixed(1)} s`);
  return result;
}

async function measureIn(folder: string, records: number): Promise<StartupResult> {
  const [empty, full] = ["empty", "full"].map((name) => join(folder, name));
  mkdirSync(empty);
  mkdirSync(join(full, "spool"), { recursive: true });
  const { startMs: emptyMs } = await startOnce(empty);
  say(`writing a spool of ${records} records`);
  const spoolBytes = await fillSpool(join(full, "spool"), records);
  const { startMs, peakBytes } = await startOnce(full);
  return { records, spoolBytes, startMs, emptyMs, peakBytes };
}

async function startOnce(folder: string): Promise<{ startMs: number; peakBytes: number }> {
  const startedMs = performance.now();
  const { server } = await startRelay(folder, { tls: false, badges: BADGES });
  const startMs = performance.now() - startedMs;
  const peakBytes = residentBytes(server.pid, "VmHWM");
  await server.stop();
  return { startMs, peakBytes };
}

/** Writes records into segments as the relay does, checkpoints included. @returns bytes of all segments */
async function fillSpool(spool: string, count: number): Promise<number> {
  const positions = new PositionMap();
  const sealed = randomBytes(CHUNK_BYTES);
  let segment = await openSegment(spool, 1);
  let fullBytes = 0;
  for (let at = 0; at < count; at += BATCH_RECORDS) {
    const records = recordsFrom(at, Math.min(at + BATCH_RECORDS, count), sealed);
    const payloads = records.map(encodeRecord);
    const batchBytes = payloads.reduce((sum, { length }) => sum + recordBytes(length), 0);
    if (segment.end + batchBytes > SEGMENT_BYTES) {
      fullBytes += segment.end;
      await writeCheckpoint(nodeDisk, spool, segment.number, positions);
      await segment.close();
      segment = await openSegment(spool, segment.number + 1);
    }
    await segment.append(payloads);
    for (const record of records) positions.advance(record.badge, positionAfter(record));
  }
  await segment.close();
  return fullBytes + segment.end;
}

function openSegment(spool: string, number: number): Promise<OpenSegment> {
  return OpenSegment.create(nodeDisk, spool, {
    number,
    salt: randomBytes(4).readUInt32LE(),
    createdMs: Date.now(),
  });
}

/** Badges take turns, as they do when all of them talk. */
function recordsFrom(from: number, to: number, sealed: Buffer): ChunkRecord[] {
  return Array.from({ length: to - from }, (_, i) => recordOf(from + i, sealed));
}

function recordOf(number: number, sealed: Buffer): ChunkRecord {
  const badge = badgeName(number % BADGES);
  const index = Math.floor(number / BADGES);
  const header = encodeChunkHeader({
    badgeId: Buffer.from(badge, "hex"),
    epoch: EPOCH,
    index,
    kind: ChunkKind.Audio,
    startMs: index * 2000,
    durationMs: 2000,
    codec: ChunkCodec.OpusItems,
    count: 100,
  });
  return { badge, epoch: EPOCH, index, receivedMs: Date.now(), header, sealed };
}
