// Temporary folders for the servers, progress for whoever waits, and whether the disk has room.
import { mkdtempSync, rmSync, statfsSync } from "node:fs";
import { join } from "node:path";

const startedMs = performance.now();
/** Removed at the end, however the benchmark ends. */
const folders = new Set<string>();
process.on("exit", () => {
  // A server that was just killed may still put a file there.
  for (const folder of folders) rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
});

/** Writes a line of progress, with the seconds since the start. */
export function say(text: string): void {
  const seconds = (performance.now() - startedMs) / 1000;
  process.stderr.write(`${seconds.toFixed(0).padStart(4)} s  ${text}\n`);
}

/** Runs with a new folder below `parent` and removes it afterwards. */
export async function inFolder<T>(parent: string, run: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(parent, "salestag-bench-"));
  folders.add(folder);
  try {
    return await run(folder);
  } finally {
    rmSync(folder, { recursive: true });
    folders.delete(folder);
  }
}

/** @returns a sentence when the disk of a folder has less room than that, else undefined */
export function lacksRoom(folder: string, neededBytes: number): string | undefined {
  const { bavail, bsize } = statfsSync(folder);
  if (bavail * bsize >= neededBytes) return undefined;
  const [has, needs] = [bavail * bsize, neededBytes].map((bytes) => (bytes / 1e9).toFixed(1));
  return `${folder} has ${has} GB left and ${needs} GB are needed: make room or name another folder with --folder`;
}
