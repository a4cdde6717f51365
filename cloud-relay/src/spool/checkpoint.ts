// The checkpoint: every badge's position at the moment a segment was sealed. It outlives the segments, so a chunk that was
// delivered and deleted is still known and not stored again (R9).
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Disk, replaceFile } from "../disk";
import { ExitCode, RelayError, systemCodeOf } from "../errors";
import type { PositionMap } from "./position";

/** What a checkpoint says. */
export interface Checkpoint {
  /** Segments up to this number are covered; 0 for none. */
  throughSegment: number;
  badges: [badge: string, epoch: number, index: number][];
}

const VERSION = 1;
const FILE_MODE = 0o640;

/** Replaces the checkpoint of a spool folder, durably. */
export async function writeCheckpoint(
  disk: Disk,
  directory: string,
  throughSegment: number,
  positions: PositionMap,
): Promise<void> {
  const badges: Checkpoint["badges"] = [];
  for (const [badge, { epoch, index }] of positions.entries()) badges.push([badge, epoch, index]);
  const text = `${JSON.stringify({ version: VERSION, throughSegment, badges })}\n`;
  await replaceFile(disk, checkpointPath(directory), Buffer.from(text), FILE_MODE);
}

/**
 * @returns the checkpoint of a spool folder, an empty one when there is none
 * @throws RelayError when it cannot be read
 */
export function readCheckpoint(directory: string): Checkpoint {
  const path = checkpointPath(directory);
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (cause) {
    if (systemCodeOf(cause) === "ENOENT") return { throughSegment: 0, badges: [] };
    throw cause;
  }
  const checkpoint = parse(text);
  if (checkpoint === undefined)
    throw new RelayError(
      ExitCode.Spool,
      `${path} is no checkpoint of this version; move it away to go on without it: chunks that were delivered and deleted may then be stored again`,
    );
  return checkpoint;
}

function checkpointPath(directory: string): string {
  return join(directory, "checkpoint.json");
}

function parse(text: string): Checkpoint | undefined {
  let value: { version?: unknown; throughSegment?: unknown; badges?: unknown };
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (value?.version !== VERSION || !isCount(value.throughSegment) || !Array.isArray(value.badges))
    return undefined;
  for (const entry of value.badges) {
    if (!Array.isArray(entry) || entry.length !== 3) return undefined;
    if (typeof entry[0] !== "string" || !isCount(entry[1]) || !isCount(entry[2])) return undefined;
  }
  return { throughSegment: value.throughSegment, badges: value.badges };
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}
