// Segment files: their names, what the spool knows of each, and the one that is being appended to.
import { readdirSync } from "node:fs";
import { unlink } from "node:fs/promises";
import { join } from "node:path";
import type { Disk, DiskFile } from "../disk";
import {
  encodeSegmentHeader,
  recordBytes,
  SEGMENT_HEADER_BYTES,
  type SegmentHeader,
  writeRecord,
} from "./segment-format";

const FILE_MODE = 0o640;
const NAME = /^(\d{10})\.seg$/;

/** A segment in the spool. */
export interface Segment {
  number: number;
  path: string;
  salt: number;
  /** Where its durable records end; grows while the segment is being appended to. */
  end: number;
}

/** @returns path of the segment with this number */
export function segmentPath(directory: string, number: number): string {
  return join(directory, `${String(number).padStart(10, "0")}.seg`);
}

/** @returns the numbers of all segment files in a folder, rising */
export function segmentNumbers(directory: string): number[] {
  const numbers: number[] = [];
  for (const name of readdirSync(directory)) {
    const match = NAME.exec(name);
    if (match) numbers.push(Number(match[1]));
  }
  return numbers.sort((a, b) => a - b);
}

/** The segment that is appended to. */
export class OpenSegment implements Segment {
  readonly number: number;
  readonly salt: number;
  end = SEGMENT_HEADER_BYTES;
  /** Kept from one append to the next: megabytes that are new each time keep the garbage collector busy. */
  private batch = Buffer.alloc(0);

  private constructor(
    readonly path: string,
    header: SegmentHeader,
    private readonly file: DiskFile,
  ) {
    this.number = header.number;
    this.salt = header.salt;
  }

  /** Makes a segment: header page and name are durable before anything is appended (R5). */
  static async create(disk: Disk, directory: string, header: SegmentHeader): Promise<OpenSegment> {
    const path = segmentPath(directory, header.number);
    const file = await disk.open(path, "wx", FILE_MODE);
    try {
      await file.write(encodeSegmentHeader(header), 0);
      await file.dataSync();
      await disk.syncDirectory(directory);
    } catch (cause) {
      await file.close();
      await unlink(path);
      throw cause;
    }
    return new OpenSegment(path, header, file);
  }

  /**
   * Appends records and makes them durable with one write and one sync; then, and only then, `end` moves (R6). After an error
   * the segment is as it was before, or this throws the error of cutting it back.
   */
  async append(payloads: readonly Buffer[]): Promise<void> {
    let totalBytes = 0;
    for (const payload of payloads) totalBytes += recordBytes(payload.length);
    if (this.batch.length < totalBytes) this.batch = Buffer.alloc(totalBytes);
    const bytes = this.batch.subarray(0, totalBytes);
    let at = 0;
    for (const payload of payloads) at = writeRecord(bytes, at, this.end + at, this.salt, this.end, payload);
    try {
      await this.file.write(bytes, this.end);
      await this.file.dataSync();
    } catch (cause) {
      await this.file.truncate(this.end);
      throw cause;
    }
    this.end += totalBytes;
  }

  /** Makes the length durable: bytes that a failed append left behind must not come back after the segment is sealed. */
  sync(): Promise<void> {
    return this.file.dataSync();
  }

  close(): Promise<void> {
    this.batch = Buffer.alloc(0); // the spool goes on knowing the segment
    return this.file.close();
  }
}
