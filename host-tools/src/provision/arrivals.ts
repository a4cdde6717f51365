// Where the chunks of a badge can be seen to arrive: the folder that a relay's folder sink writes on this machine, or the relay's door.
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { ChunkRecord } from "@salestag/protocol/host";
import { readChunkFile } from "@salestag/protocol/team";
import type { Arrivals } from "./proof";

/** As much of the relay's door as is needed here: its first word is that the watch stands. */
interface Door {
  watchChunks(
    badge: string,
    seconds: number,
    signal: AbortSignal,
  ): AsyncIterableIterator<{ connected: boolean } | { record: ChunkRecord }>;
}

/** @param folder where the relay's sink `folder:DIR` writes */
export function folderArrivals(folder: string, badge: string): Arrivals {
  const seen = new Set<string>();
  return {
    take: async () => {
      const records: ChunkRecord[] = [];
      const from = join(folder, badge);
      for (const epoch of existsSync(from) ? readdirSync(from).sort() : [])
        for (const name of readdirSync(join(from, epoch)).sort()) {
          const path = join(from, epoch, name);
          if (seen.has(path) || !name.endsWith(".chunk")) continue;
          const record = readChunkFile(path);
          if (typeof record === "string") continue; // the sink may be about to write it
          seen.add(path);
          records.push(record);
        }
      return records;
    },
    end: () => undefined,
  };
}

/** Watches at the relay's door from now on, for so many seconds at most. Resolves when the watch stands. */
export async function doorArrivals(door: Door, badge: string, seconds: number): Promise<Arrivals> {
  const over = new AbortController();
  const watch = door.watchChunks(badge, seconds, over.signal);
  await watch.next(); // its first word is that it stands
  let records: ChunkRecord[] = [];
  let failure: unknown;
  const follow = async () => {
    for await (const told of watch) if ("record" in told) records.push(told.record);
  };
  follow().catch((cause) => {
    failure = cause;
  });
  return {
    take: async () => {
      if (failure !== undefined) throw failure;
      const taken = records;
      records = [];
      return taken;
    },
    end: () => over.abort(),
  };
}
