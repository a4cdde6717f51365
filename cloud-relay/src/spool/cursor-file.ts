// A sink's cursor on disk: two slots that are overwritten in turn, so that a power cut spoils at most the newer one, and so that
// moving on needs no room on a full disk. Layout: docs/spool-format.md, "Cursor".
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { type Disk, type DiskFile, makeFolder } from "../disk";
import { systemCodeOf } from "../errors";
import type { Cursor } from "./reader";

const SLOT_BYTES = 512;
const NAME_AT = 2 * SLOT_BYTES;
const CHECKED_BYTES = 16;
const CRC_SEED = 0x53544355;
const DIRECTORY_MODE = 0o750;
const FILE_MODE = 0o640;

/** The start of whatever the spool has. */
const OLDEST: Cursor = { segment: 0, offset: 0 };

/** The cursor of one sink. */
export class CursorFile {
  private constructor(
    private readonly file: DiskFile,
    private sequence: number,
    /** What a restart would continue from. */
    public saved: Cursor,
  ) {}

  /** Opens the cursor of a sink, or makes one that points to the oldest record. */
  static async open(disk: Disk, spoolDirectory: string, sinkName: string): Promise<CursorFile> {
    const directory = join(spoolDirectory, "cursors");
    await makeFolder(disk, directory, DIRECTORY_MODE);
    const path = join(
      directory,
      `${createHash("sha256").update(sinkName).digest("hex").slice(0, 16)}.cursor`,
    );
    const bytes = readIfThere(path);
    if (bytes !== undefined) {
      const newest = newestSlot(bytes);
      return new CursorFile(await disk.open(path, "r+", FILE_MODE), newest.sequence, newest.cursor);
    }
    const file = await disk.open(path, "wx", FILE_MODE);
    // The name is for people. It also gives the file its blocks, so that saving never needs more.
    await file.write(Buffer.concat([Buffer.alloc(NAME_AT), Buffer.from(`${sinkName}\n`)]), 0);
    await file.dataSync();
    await disk.syncDirectory(directory);
    return new CursorFile(file, 0, OLDEST);
  }

  /** Moves the cursor, durably. */
  async save(cursor: Cursor): Promise<void> {
    const sequence = this.sequence + 1;
    const slot = Buffer.alloc(CHECKED_BYTES + 4);
    slot.writeBigUInt64LE(BigInt(sequence), 0);
    slot.writeUInt32LE(cursor.segment, 8);
    slot.writeUInt32LE(cursor.offset, 12);
    slot.writeUInt32LE(crc32(slot.subarray(0, CHECKED_BYTES), CRC_SEED), CHECKED_BYTES);
    await this.file.write(slot, (sequence % 2) * SLOT_BYTES);
    await this.file.dataSync();
    this.sequence = sequence;
    this.saved = cursor;
  }

  close(): Promise<void> {
    return this.file.close();
  }
}

/** A file without a valid slot belongs to a sink that saved nothing yet. */
function newestSlot(bytes: Buffer): { sequence: number; cursor: Cursor } {
  let newest = { sequence: 0, cursor: OLDEST };
  for (const at of [0, SLOT_BYTES]) {
    const slot = bytes.subarray(at, at + CHECKED_BYTES + 4);
    if (slot.length < CHECKED_BYTES + 4) continue;
    if (slot.readUInt32LE(CHECKED_BYTES) !== crc32(slot.subarray(0, CHECKED_BYTES), CRC_SEED)) continue;
    const sequence = Number(slot.readBigUInt64LE(0));
    if (sequence > newest.sequence)
      newest = { sequence, cursor: { segment: slot.readUInt32LE(8), offset: slot.readUInt32LE(12) } };
  }
  return newest;
}

function readIfThere(path: string): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch (cause) {
    if (systemCodeOf(cause) === "ENOENT") return undefined;
    throw cause;
  }
}
