// The folder sink: one file for each chunk, FOLDER/<badge>/<epoch>/<index>.chunk, holding the record as MessagePack. A file
// appears whole under its name or not at all, and a chunk that comes twice is the same file.
import { access, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { type ChunkRecord, encodeRecord } from "@salestag/protocol/host";
import { type Disk, placeFile } from "../disk";
import type { Sink } from "./sink";

const digits = (number: number) => String(number).padStart(10, "0");

export class FolderSink implements Sink {
  readonly name: string;

  constructor(
    private readonly folder: string,
    private readonly disk: Disk,
  ) {
    this.name = `folder:${folder}`;
  }

  async deliver(records: ChunkRecord[]): Promise<void> {
    const changed = new Set<string>();
    for (const record of records) {
      const badge = join(this.folder, record.badge);
      const epoch = join(badge, digits(record.epoch));
      const path = join(epoch, `${digits(record.index)}.chunk`);
      if (await exists(path)) continue;
      if ((await mkdir(epoch, { recursive: true, mode: 0o750 })) !== undefined)
        for (const parent of [this.folder, badge]) changed.add(parent);
      await placeFile(this.disk, join(epoch, ".part"), path, encodeRecord(record), 0o640);
      changed.add(epoch);
    }
    for (const directory of changed) await this.disk.syncDirectory(directory);
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch {
    return false;
  }
}
