// A disk that keeps a second folder with what a power cut would leave of the first at that instant. A write is in it when a sync of its file has
// covered it, a name when a sync of its folder has; of the others a part, as the seed says: a random stretch of whole 512-byte sectors of
// a write, a file's new name. So the process can be killed at any time, and the second folder is the one to recover from.
//
// Past the Disk interface folders are made and files deleted: both come to the shadow with the next sync of the folder they are in. Files that are
// made past it never do. Syncs can be ignored: what was acked is lost then, or the shadow would prove nothing.
import {
  existsSync,
  ftruncateSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import { dirname, join, relative } from "node:path";
import { type Disk, type DiskFile, nodeDisk } from "../disk";
import { Random } from "./random";

export interface ShadowOptions {
  /** Folder that is shadowed, with all below it. */
  root: string;
  /** Folder that gets the shadow, there already; it begins with what is in `root`. On the same file system as `scratch`. */
  shadow: string;
  /** Empty folder for files that have no durable name. */
  scratch: string;
  seed: number;
  /** How many of 100 unsynced changes are on the disk before their sync, at least in part. */
  earlyPercent: number;
  /** Longest time that a sync takes longer than it does, in ms. */
  syncMsMax: number;
  /** Syncs that have no effect on the shadow. */
  ignored: "none" | "data" | "names";
  /** The process kills itself at this call of the disk, before it or between what it does and its shadow; 0 for never. */
  cutAtCall: number;
}

type Change = { offset: number; bytes: Buffer } | { lengthBytes: number };

/** A file's shadow, whatever its name. */
interface Shadowed {
  /** A name of it that stays. */
  path: string;
  handle: number;
  /** Since the last sync, in order. */
  unsynced: Change[];
}

/** Names in a folder: what is called so, undefined for what this disk has not opened. */
type Names = Map<string, Shadowed | "folder" | undefined>;

const SECTOR_BYTES = 512;

export class ShadowDisk implements Disk {
  /** By the path that each file has now. */
  private readonly files = new Map<string, Shadowed>();
  /** Names that were synced in folders whose own name is not durable yet. */
  private readonly detached = new Map<string, Names>();
  private readonly random: Random;
  private made = 0;
  private calls = 0;

  constructor(private readonly options: ShadowOptions) {
    this.random = new Random(options.seed);
  }

  async open(path: string, flags: "wx" | "w" | "r+", mode: number): Promise<DiskFile> {
    this.mayBeCut();
    const isNew = !existsSync(path);
    const file = await nodeDisk.open(path, flags, mode);
    this.mayBeCut();
    const shadowed = isNew ? this.newFile() : this.knownFile(path);
    this.files.set(path, shadowed);
    if (flags === "w") shadowed.unsynced.push({ lengthBytes: 0 });
    if (isNew && this.early()) this.giveName(path, shadowed);
    return this.follow(file, shadowed);
  }

  async rename(from: string, to: string): Promise<void> {
    const shadowed = this.knownFile(from);
    this.mayBeCut();
    await nodeDisk.rename(from, to);
    this.mayBeCut();
    this.files.delete(from);
    this.files.set(to, shadowed);
    if (!this.early()) return;
    this.giveName(to, shadowed);
    rmSync(this.shadowOf(from), { force: true });
  }

  async syncDirectory(path: string): Promise<void> {
    const names = this.namesIn(path);
    this.mayBeCut();
    await nodeDisk.syncDirectory(path);
    await this.takeTime();
    this.mayBeCut();
    if (this.options.ignored !== "names") this.applyNames(path, names);
  }

  private follow(file: DiskFile, shadowed: Shadowed): DiskFile {
    return {
      write: async (bytes, offset) => {
        this.mayBeCut();
        await file.write(bytes, offset);
        shadowed.unsynced.push({ offset, bytes: Buffer.from(bytes) });
        if (this.early()) this.writePart(shadowed, bytes, offset);
        this.mayBeCut();
      },
      dataSync: async () => {
        const covered = [...shadowed.unsynced];
        await file.dataSync();
        await this.takeTime();
        this.mayBeCut();
        if (this.options.ignored !== "data") applyChanges(shadowed, covered);
      },
      truncate: async (lengthBytes) => {
        this.mayBeCut();
        await file.truncate(lengthBytes);
        shadowed.unsynced.push({ lengthBytes });
      },
      close: () => file.close(),
    };
  }

  private mayBeCut(): void {
    if (++this.calls === this.options.cutAtCall) process.kill(process.pid, "SIGKILL");
  }

  private early(): boolean {
    return this.random.chance(this.options.earlyPercent);
  }

  private takeTime(): Promise<void> {
    return new Promise((resolve) => setTimeout(resolve, this.random.below(this.options.syncMsMax + 1)));
  }

  /** Some sectors of a write that no sync has covered. */
  private writePart(shadowed: Shadowed, bytes: Buffer, offset: number): void {
    const sectors = Math.ceil(bytes.length / SECTOR_BYTES);
    const from = this.random.below(sectors);
    const count = 1 + this.random.below(sectors - from);
    const part = bytes.subarray(from * SECTOR_BYTES, (from + count) * SECTOR_BYTES);
    writeSync(shadowed.handle, part, 0, part.length, offset + from * SECTOR_BYTES);
  }

  private shadowOf(path: string): string {
    return join(this.options.shadow, relative(this.options.root, path));
  }

  private newPath(): string {
    return join(this.options.scratch, String(this.made++));
  }

  private newFile(): Shadowed {
    const path = this.newPath();
    return { path, handle: openSync(path, "wx+"), unsynced: [] };
  }

  /** A file that this disk has opened before, or that lies there from an earlier run. */
  private knownFile(path: string): Shadowed {
    const known = this.files.get(path);
    if (known !== undefined) return known;
    const another = this.newPath();
    linkSync(this.shadowOf(path), another);
    return { path: another, handle: openSync(another, "r+"), unsynced: [] };
  }

  private namesIn(folder: string): Names {
    const names: Names = new Map();
    for (const entry of readdirSync(folder, { withFileTypes: true }))
      names.set(entry.name, entry.isDirectory() ? "folder" : this.files.get(join(folder, entry.name)));
    return names;
  }

  private applyNames(folder: string, names: Names): void {
    const shadow = this.shadowOf(folder);
    if (!existsSync(shadow)) {
      this.detached.set(folder, names);
      return;
    }
    for (const name of readdirSync(shadow))
      if (!names.has(name)) rmSync(join(shadow, name), { recursive: true });
    for (const [name, what] of names) {
      const path = join(folder, name);
      if (what === "folder") this.makeFolder(path);
      else if (what !== undefined) this.giveName(path, what);
    }
  }

  private makeFolder(path: string): void {
    mkdirSync(this.shadowOf(path), { recursive: true });
    const names = this.detached.get(path);
    this.detached.delete(path);
    if (names !== undefined) this.applyNames(path, names);
  }

  /** Gives a file a name at once and whole, as a rename does. Where the folder is not durable there is nothing to name it in. */
  private giveName(path: string, shadowed: Shadowed): void {
    const target = this.shadowOf(path);
    if (!existsSync(dirname(target))) return;
    if (existsSync(target) && statSync(target).ino === statSync(shadowed.path).ino) return;
    const another = this.newPath();
    linkSync(shadowed.path, another);
    renameSync(another, target);
  }
}

function applyChanges(shadowed: Shadowed, covered: Change[]): void {
  for (const change of covered)
    if ("bytes" in change) writeSync(shadowed.handle, change.bytes, 0, change.bytes.length, change.offset);
    else ftruncateSync(shadowed.handle, change.lengthBytes);
  shadowed.unsynced = shadowed.unsynced.filter((change) => !covered.includes(change));
}
