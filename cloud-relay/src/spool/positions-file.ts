// The positions of all badges, kept beside the segments when old segments are deleted: without them a badge could not be told
// any more what the relay has (R10).
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type Disk, replaceFile } from "../disk";
import { ExitCode, messageOf, RelayError, systemCodeOf } from "../errors";
import type { PositionMap } from "./position";

const FILE = "positions.json";

/** Reads the file into `positions`; there may be none. @throws RelayError when it is damaged */
export async function readPositions(directory: string, positions: PositionMap): Promise<void> {
  const path = join(directory, FILE);
  try {
    const { badges } = JSON.parse(await readFile(path, "utf8")) as {
      badges: Record<string, [number, number]>;
    };
    for (const [badge, [epoch, index]] of Object.entries(badges)) positions.advance(badge, { epoch, index });
  } catch (cause) {
    if (systemCodeOf(cause) === "ENOENT") return;
    throw new RelayError(
      ExitCode.Spool,
      `${path} cannot be read (${messageOf(cause)}); without it chunks could be stored twice, so restore it from a backup or remove it knowingly`,
    );
  }
}

export async function writePositions(disk: Disk, directory: string, positions: PositionMap): Promise<void> {
  const badges = Object.fromEntries(
    [...positions.entries()].map(([badge, at]) => [badge, [at.epoch, at.index]]),
  );
  await replaceFile(
    disk,
    join(directory, FILE),
    Buffer.from(`${JSON.stringify({ version: 1, badges })}\n`),
    0o640,
  );
}
