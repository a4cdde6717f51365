// Finds the chunks that a relay's folder sink wrote, FOLDER/<badge>/<epoch>/<index>.chunk, and reads their records.
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { type ChunkRecord, decodeRecord } from "../../host";
import { ExitCode, messageOf, ToolError } from "../errors";

/** One conversation's files. */
export interface ConversationFiles {
  /** 16 hexadecimal digits. */
  badge: string;
  epoch: number;
  files: string[];
}

/**
 * @param only badge and epoch to keep; all where they are undefined
 * @throws ToolError when the folder holds no chunks that were asked for
 */
export function findConversations(
  folder: string,
  only: { badge?: string; epoch?: number },
): ConversationFiles[] {
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory())
    throw new ToolError(
      ExitCode.Usage,
      `'${folder}' is no folder; name the one that the relay's sink 'folder:DIR' writes to.`,
    );
  const found: ConversationFiles[] = [];
  for (const badge of list(folder, /^[0-9a-f]{16}$/)) {
    if (only.badge !== undefined && only.badge !== badge) continue;
    for (const epoch of list(join(folder, badge), /^\d{10}$/)) {
      if (only.epoch !== undefined && only.epoch !== Number(epoch)) continue;
      const names = list(join(folder, badge, epoch), /^\d{10}\.chunk$/);
      const files = names.map((name) => join(folder, badge, epoch, name));
      if (files.length > 0) found.push({ badge, epoch: Number(epoch), files });
    }
  }
  if (found.length > 0) return found;
  const wanted =
    only.badge === undefined && only.epoch === undefined ? "chunks" : "chunks of that badge and epoch";
  throw new ToolError(
    ExitCode.Usage,
    `'${folder}' holds no ${wanted}; check that the relay has delivered to it.`,
  );
}

function list(folder: string, pattern: RegExp): string[] {
  return readdirSync(folder)
    .filter((name) => pattern.test(name))
    .sort();
}

/** @returns the name of a chunk's file in its conversation's folder */
export function chunkFileName(index: number): string {
  return `${String(index).padStart(10, "0")}.chunk`;
}

/** @returns the record in a file, or a sentence on why there is none */
export function readChunkFile(path: string): ChunkRecord | string {
  try {
    return decodeRecord(readFileSync(path));
  } catch (cause) {
    return `'${path}' is damaged: ${messageOf(cause)}`;
  }
}
