// Reads what a relay's folder has of a badge, epoch by epoch: records that are in their place, events opened, and sentences on what is damaged.
import { basename } from "node:path";
import {
  type BadgeEvent,
  type ChunkHeader,
  ChunkKind,
  type ChunkRecord,
  decodeChunkHeader,
  decodeEvents,
  nodeCrypto,
  openChunk,
} from "../../host";
import { messageOf } from "../errors";
import { type ConversationFiles, chunkFileName, readChunkFile } from "./chunk-files";

const crypto = nodeCrypto();

/** The records of one epoch. */
export interface EpochRecords {
  records: ChunkRecord[];
  problems: string[];
}

/** @returns every record of an epoch that can be read and lies in its place */
export function readEpoch({ badge, epoch, files }: ConversationFiles): EpochRecords {
  const problems: string[] = [];
  const records: ChunkRecord[] = [];
  for (const file of files) {
    const record = readChunkFile(file);
    if (typeof record === "string") problems.push(record);
    else if (
      record.badge !== badge ||
      record.epoch !== epoch ||
      basename(file) !== chunkFileName(record.index)
    )
      problems.push(
        `'${file}' holds chunk ${record.badge}/${record.epoch}/${record.index}: it lies in the wrong place`,
      );
    else records.push(record);
  }
  return { records, problems };
}

/** A chunk of events, opened. */
export interface OpenedEvents {
  header: ChunkHeader;
  events: BadgeEvent[];
}

/** @returns the events of an epoch, by chunk; chunks that do not open, or cannot be read, become sentences in `problems` */
export function openEvents({ records, problems }: EpochRecords, epochKey: Buffer): OpenedEvents[] {
  const opened: OpenedEvents[] = [];
  for (const { epoch, index, header: encoded, sealed } of records) {
    const header = decodeChunkHeader(encoded);
    if (header.kind !== ChunkKind.Events) continue;
    const plaintext = openChunk(crypto, epochKey, encoded, sealed);
    try {
      if (plaintext === undefined) throw new Error("it was changed, or it is not from this badge");
      opened.push({ header, events: decodeEvents(plaintext, header.startMs) });
    } catch (cause) {
      problems.push(`events of chunk ${epoch}/${index} cannot be read: ${messageOf(cause)}`);
    }
  }
  return opened;
}
