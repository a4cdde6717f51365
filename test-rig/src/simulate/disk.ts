// The relay's disk in a simulation: real files, calls that complete in virtual time, and a crash that takes back what was never synced - each
// write that was not, or a part of it, and the newest of the names that were made and changed, as the seed says.
import {
  closeSync,
  existsSync,
  fstatSync,
  ftruncateSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { dirname } from "node:path";
import type { Disk, DiskFile } from "@salestag/cloud-relay";
import type { Random } from "../emulator/random";
import type { VirtualTime } from "../emulator/virtual-time";

interface Change {
  path: string;
  offset: number;
  before: Buffer;
  lengthBefore: number;
}

/** A file that was made, or one that was renamed. */
interface Naming {
  directory: string;
  undo: () => void;
}

/** What ails the disk; it outlives a relay's crash. */
export interface DiskHealth {
  /** No write finds room, or only a part of it does. */
  full: boolean;
  /** Added to the time of every sync. */
  slowMs: number;
}

const SYNC_MS_MIN = 1;
const SYNC_MS_SPREAD = 12;

export class VirtualDisk implements Disk {
  /** Syncs take no time while this is true. */
  instant = false;

  private changes: Change[] = [];
  private namings: Naming[] = [];
  private gone = false;

  constructor(
    private readonly time: VirtualTime,
    private readonly random: Random,
    private readonly settle: () => void,
    private readonly health: Readonly<DiskHealth>,
  ) {}

  async open(path: string, flags: "wx" | "w" | "r+", mode: number): Promise<DiskFile> {
    this.check();
    if (!existsSync(path))
      this.namings.push({ directory: dirname(path), undo: () => rmSync(path, { force: true }) });
    const handle = openSync(path, flags === "wx" ? "wx+" : flags === "w" ? "w+" : "r+", mode);
    return {
      write: async (bytes, offset) => this.write(path, handle, bytes, offset),
      dataSync: () => this.sync(path),
      truncate: async (lengthBytes) => {
        this.check();
        ftruncateSync(handle, lengthBytes);
      },
      close: async () => closeSync(handle),
    };
  }

  async rename(from: string, to: string): Promise<void> {
    this.check();
    const replaced = existsSync(to) ? readFileSync(to) : undefined;
    renameSync(from, to);
    for (const change of this.changes) if (change.path === from) change.path = to;
    const undo = () => {
      renameSync(to, from);
      if (replaced !== undefined) writeFileSync(to, replaced);
    };
    this.namings.push({ directory: dirname(to), undo });
  }

  async syncDirectory(path: string): Promise<void> {
    const synced = new Set(this.namings.filter(({ directory }) => directory === path));
    await this.pause();
    this.check();
    this.namings = this.namings.filter((naming) => !synced.has(naming));
  }

  /** The relay's machine stops at this instant. The disk cannot be used any more; another one is made for the next relay. */
  crash(): void {
    this.gone = true;
    // Last first: what an earlier change kept is older.
    for (const { path, offset, before, lengthBefore } of this.changes.reverse()) {
      const lucky = this.random.uint32() % 3;
      if (lucky === 0) continue; // it had reached the disk all the same
      const handle = openSync(path, "r+");
      writeSync(handle, before, 0, before.length, offset);
      const kept = lucky === 1 ? 0 : this.random.uint32() % 64;
      ftruncateSync(handle, Math.min(fstatSync(handle).size, lengthBefore + kept));
      closeSync(handle);
    }
    this.changes = [];
    // A file system writes names in their order: those up to some point had reached the disk.
    const reached = this.random.uint32() % (this.namings.length + 1);
    for (const { undo } of this.namings.slice(reached).reverse()) undo();
    this.namings = [];
  }

  private write(path: string, handle: number, bytes: Buffer, offset: number): void {
    this.check();
    if (this.health.full) {
      this.put(path, handle, bytes.subarray(0, this.random.uint32() % bytes.length), offset);
      throw Object.assign(new Error("no space left on device"), { code: "ENOSPC" });
    }
    this.put(path, handle, bytes, offset);
  }

  private put(path: string, handle: number, bytes: Buffer, offset: number): void {
    const lengthBefore = fstatSync(handle).size;
    const before = Buffer.alloc(Math.max(0, Math.min(bytes.length, lengthBefore - offset)));
    readSync(handle, before, 0, before.length, offset);
    writeSync(handle, bytes, 0, bytes.length, offset);
    this.changes.push({ path, offset, before, lengthBefore });
  }

  private async sync(path: string): Promise<void> {
    // What is written while the sync runs is not part of it.
    const synced = new Set(this.changes.filter((change) => change.path === path));
    await this.pause();
    this.check();
    this.changes = this.changes.filter((change) => !synced.has(change));
  }

  private pause(): Promise<void> {
    if (this.instant) return Promise.resolve();
    return new Promise((resolve) => {
      const tookMs = SYNC_MS_MIN + (this.random.uint32() % SYNC_MS_SPREAD) + this.health.slowMs;
      this.time.at(this.time.nowMs() + tookMs, () => {
        resolve();
        this.settle();
      });
    });
  }

  /** After a crash nothing happens any more: what the old relay still tries never returns. */
  private check(): void {
    if (this.gone) throw new Error("the machine is gone");
  }
}
