// Sink that keeps each chunk as a file: DIR/<badge>/<epoch>/<index>.chunk, the record as MessagePack. A file appears whole or not
// at all, and once: one that is there already is left as it is.
import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import type { ChunkRecord } from "@salestag/protocol/host";
import { type Disk, placeFile } from "../disk";
import type { SpoolEntry } from "../spool/reader";
import type { Sink } from "./sink";

const FILE_MODE = 0o640;
const DIRECTORY_MODE = 0o750;
/** Files that are synced at the same time. */
const PARALLEL = 4;

/** @returns where the folder sink puts a chunk, below its folder */
export function chunkPath(record: Pick<ChunkRecord, "badge" | "epoch" | "index">): string {
  return join(record.badge, tenDigits(record.epoch), `${tenDigits(record.index)}.chunk`);
}

/** @param directory made when it is not there */
export function folderSink(directory: string, disk: Disk): Sink {
  const root = resolve(directory);
  return {
    name: `folder:${root}`,
    async deliver(entries, signal) {
      const changed = new Set<string>();
      for (let at = 0; at < entries.length; at += PARALLEL) {
        signal.throwIfAborted();
        await Promise.all(entries.slice(at, at + PARALLEL).map((entry) => keep(disk, root, entry, changed)));
      }
      for (const path of changed) await disk.syncDirectory(path);
    },
  };
}

async function keep(disk: Disk, root: string, entry: SpoolEntry, changed: Set<string>): Promise<void> {
  const path = join(root, chunkPath(entry.record));
  const parent = dirname(path);
  // Synced even where the file is there: the delivery that made it may have ended before its own sync.
  changed.add(parent);
  if (existsSync(path)) return;
  const made = await mkdir(parent, { recursive: true, mode: DIRECTORY_MODE });
  if (made !== undefined)
    for (let path = parent; path.length >= made.length; path = dirname(path)) changed.add(dirname(path));
  await placeFile(disk, `${path}.new`, path, entry.encoded, FILE_MODE);
}

function tenDigits(value: number): string {
  return String(value).padStart(10, "0");
}
