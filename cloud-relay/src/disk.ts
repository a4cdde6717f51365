// The calls by which the relay makes bytes durable, behind a small interface: tests record their order or let one fail.
// Every path that promises durability goes through here; plain reading uses node:fs directly.
import { mkdirSync } from "node:fs";
import { type FileHandle, open, rename } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { systemCodeOf } from "./errors";

/** A file that is open for writing. */
export interface DiskFile {
  /** Writes all of `bytes` at `offset`. */
  write(bytes: Buffer, offset: number): Promise<void>;
  /** Makes data and length durable. A call that failed must not be repeated: the kernel may have dropped the data. */
  dataSync(): Promise<void>;
  truncate(lengthBytes: number): Promise<void>;
  close(): Promise<void>;
}

/** A file system. */
export interface Disk {
  /** Makes a file that must not be there yet ("wx"), or opens one that must be there for changes ("r+"). */
  open(path: string, flags: "wx" | "w" | "r+", mode: number): Promise<DiskFile>;
  rename(from: string, to: string): Promise<void>;
  /** Makes what was created, renamed and removed in a folder durable. */
  syncDirectory(path: string): Promise<void>;
}

/** The machine's own file system. */
export const nodeDisk: Disk = {
  open: async (path, flags, mode) => new NodeFile(await open(path, flags, mode)),
  rename,
  async syncDirectory(path) {
    const directory = await open(path, "r");
    try {
      await directory.sync();
    } finally {
      await directory.close();
    }
  },
};

class NodeFile implements DiskFile {
  constructor(private readonly handle: FileHandle) {}

  async write(bytes: Buffer, offset: number): Promise<void> {
    let done = 0;
    while (done < bytes.length) {
      const { bytesWritten } = await this.handle.write(bytes, done, bytes.length - done, offset + done);
      done += bytesWritten; // a short write is followed by another, which says why
    }
  }

  dataSync(): Promise<void> {
    return this.handle.datasync();
  }

  truncate(lengthBytes: number): Promise<void> {
    return this.handle.truncate(lengthBytes);
  }

  close(): Promise<void> {
    return this.handle.close();
  }
}

/**
 * Puts a file into place so that after a power cut it is either absent or whole: temporary file, sync, rename. The caller
 * syncs the folder, once for as many files as it likes.
 */
export async function placeFile(disk: Disk, temporary: string, path: string, bytes: Buffer, mode: number) {
  const file = await disk.open(temporary, "w", mode);
  try {
    await file.write(bytes, 0);
    await file.dataSync();
  } finally {
    await file.close();
  }
  await disk.rename(temporary, path);
}

/** Replaces a file atomically and durably. */
export async function replaceFile(disk: Disk, path: string, bytes: Buffer, mode: number): Promise<void> {
  await placeFile(disk, `${path}.new`, path, bytes, mode);
  await disk.syncDirectory(dirname(path));
}

/** Makes a folder that may be there already, with those above it, and makes the names of all that it made durable. */
export async function makeFolder(disk: Disk, path: string, mode: number): Promise<void> {
  const made = mkdirSync(path, { recursive: true, mode });
  if (made === undefined) return;
  const first = resolve(made);
  for (let folder = resolve(path); folder.length >= first.length; folder = dirname(folder))
    await disk.syncDirectory(dirname(folder));
}

/** There is no room for more. It passes when something is deleted, so the caller waits and tries again. */
export class NoRoomError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "NoRoomError";
  }
}

/** True for the errors that mean "no room": disk, quota, largest file, or the spool's own bound. */
export function isNoRoom(cause: unknown): boolean {
  const code = systemCodeOf(cause);
  return cause instanceof NoRoomError || code === "ENOSPC" || code === "EDQUOT" || code === "EFBIG";
}
