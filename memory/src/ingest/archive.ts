// The archive: every sealed chunk as a file, DATA/chunks/<badge>/<epoch>/<index>.chunk, as the relay's folder sink lays them. It is what everything else can be
// made from again, so a chunk is durable here before anybody is told that it was taken. One process at a time: the data folder's lock sees to it.
import { mkdirSync, readdirSync, readFileSync, statSync } from "node:fs";
import { type FileHandle, mkdir, open, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type ChunkRecord, decodeRecord, encodeRecord } from "@salestag/protocol/host";
import { systemCodeOf } from "@salestag/protocol/service";
import { chunkFileName, type EpochRecords, isBadgeId, readEpoch } from "@salestag/protocol/team";

/** A conversation's place: which badge, and the how many-th epoch of its key chain. */
export interface Place {
  /** 16 hexadecimal digits. */
  badge: string;
  epoch: number;
}

/** A chunk came that has the place of another one, and other content. The first one stays. */
export class ChunkConflict extends Error {
  constructor({ badge, epoch, index }: ChunkRecord) {
    super(
      `chunk ${badge}/${epoch}/${index} is here already with other content, and stays as it is; a badge that got new keys needs a badge id of its own`,
    );
    this.name = "ChunkConflict";
  }
}

interface Put {
  record: ChunkRecord;
  resolve: (isNew: boolean) => void;
  reject: (cause: unknown) => void;
}

const FILE_MODE = 0o600;
const FOLDER_MODE = 0o700;
/** Chunks that are made durable together at most. */
const BATCH_MAX = 1024;
/** Files that are written and synced at the same time. */
const PARALLEL = 8;

/** @returns a name for the place, for maps and for people */
export function nameOf({ badge, epoch }: Place): string {
  return `${badge}/${epoch}`;
}

export class Archive {
  private waiting: Put[] = [];
  /** Settles when what was begun on the disk is done. */
  private turn: Promise<unknown> = Promise.resolve();

  private constructor(private readonly folder: string) {}

  /** @param folder made where it is missing, mode 0700 */
  static open(folder: string): Archive {
    mkdirSync(folder, { recursive: true, mode: FOLDER_MODE });
    return new Archive(folder);
  }

  /**
   * Keeps a chunk. What comes while others are being synced is synced together.
   * @returns true when it was not here before, as soon as it is durable
   * @throws ChunkConflict when another chunk has its place; an error of the system when the disk refuses
   */
  put(record: ChunkRecord): Promise<boolean> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ record, resolve, reject });
      if (this.waiting.length === 1) this.next(() => this.flush());
    });
  }

  /** Deletes a conversation's chunks; none of those that were taken before are there when it resolves. */
  remove(place: Place): Promise<void> {
    const path = this.pathOf(place);
    return this.next(() => removeFolder(path));
  }

  /** Deletes a conversation's chunks if there are just so many. @returns whether it did */
  removeIf(place: Place, chunks: number): Promise<boolean> {
    const path = this.pathOf(place);
    return this.next(async () => {
      if (this.count(place) !== chunks) return false;
      await removeFolder(path);
      return true;
    });
  }

  /** @returns every conversation that has a folder, in order */
  places(): Place[] {
    return list(this.folder, /^[0-9a-f]{16}$/).flatMap((badge) => this.placesOf(badge));
  }

  /** @returns those of one badge, in order */
  placesOf(badge: string): Place[] {
    return list(join(this.folder, badge), /^\d{10}$/).map((epoch) => ({ badge, epoch: Number(epoch) }));
  }

  /** @returns how many chunks of a conversation are here */
  count(place: Place): number {
    return this.filesOf(place).length;
  }

  /** @returns a conversation's chunks, and a sentence for each file that holds none */
  read(place: Place): EpochRecords {
    return readEpoch({ ...place, files: this.filesOf(place) });
  }

  /** @returns Unix time in ms at which the newest chunk of a conversation came here; 0 where there is none */
  lastArrivalUnixMs(place: Place): number {
    return Math.max(0, ...this.filesOf(place).map((file) => statSync(file).mtimeMs));
  }

  /** Waits until everything that was begun is on the disk. */
  async close(): Promise<void> {
    await this.turn;
  }

  private next<T>(work: () => Promise<T>): Promise<T> {
    const done = this.turn.then(work);
    this.turn = done.catch(() => undefined);
    return done;
  }

  private async flush(): Promise<void> {
    // All that wait now, before any removal that was asked for after them.
    const puts = this.waiting.splice(0);
    for (let at = 0; at < puts.length; at += BATCH_MAX) await this.keepAll(puts.slice(at, at + BATCH_MAX));
  }

  private async keepAll(puts: Put[]): Promise<void> {
    const byPath = new Map<string, Put[]>();
    for (const put of puts) {
      const path = join(this.pathOf(put.record), chunkFileName(put.record.index));
      byPath.set(path, [...(byPath.get(path) ?? []), put]);
    }
    // Told only when the folders are synced too: a file without a name in its folder is none.
    const told: (() => void)[] = [];
    const changed = new Set<string>();
    await inParallel([...byPath], PARALLEL, async ([path, same]) => {
      for (const put of same) await this.keep(path, put, changed, told);
    });
    try {
      for (const folder of changed) await syncFolder(folder);
    } catch (cause) {
      for (const { reject } of puts) reject(cause);
    }
    for (const tell of told) tell();
  }

  private async keep(path: string, put: Put, changed: Set<string>, told: (() => void)[]): Promise<void> {
    try {
      const folder = dirname(path);
      const here = readRecord(path);
      if (here !== undefined) {
        if (!isSame(here, put.record)) throw new ChunkConflict(put.record);
        changed.add(folder); // whoever put it there may have ended before its own sync
        told.push(() => put.resolve(false));
        return;
      }
      const made = await mkdir(folder, { recursive: true, mode: FOLDER_MODE });
      if (made !== undefined)
        for (let at = folder; at.length >= made.length; at = dirname(at)) changed.add(dirname(at));
      await placeFile(join(folder, `.${chunkFileName(put.record.index)}`), path, encodeRecord(put.record));
      changed.add(folder);
      told.push(() => put.resolve(true));
    } catch (cause) {
      put.reject(cause);
    }
  }

  /** @returns paths of the chunks, in order; what an interruption left of one is cleared away by the next that is put there */
  private filesOf(place: Place): string[] {
    const folder = this.pathOf(place);
    return list(folder, /^\d{10}\.chunk$/).map((name) => join(folder, name));
  }

  private pathOf({ badge, epoch }: Place): string {
    if (!isBadgeId(badge) || !Number.isSafeInteger(epoch) || epoch < 0)
      throw new RangeError(`no place in the archive: badge ${badge}, epoch ${epoch}`);
    return join(this.folder, badge, String(epoch).padStart(10, "0"));
  }
}

/** @returns what a file holds; undefined where there is none, or a damaged one, whose place a good one may take */
function readRecord(path: string): ChunkRecord | undefined {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (cause) {
    ignoreMissing(cause);
    return undefined;
  }
  try {
    return decodeRecord(bytes);
  } catch {
    return undefined;
  }
}

/** The same chunk; a relay may have received it twice, at different times. */
function isSame(a: ChunkRecord, b: ChunkRecord): boolean {
  return a.header.equals(b.header) && a.sealed.equals(b.sealed);
}

function list(folder: string, pattern: RegExp): string[] {
  try {
    return readdirSync(folder)
      .filter((name) => pattern.test(name))
      .sort();
  } catch (cause) {
    ignoreMissing(cause);
    return [];
  }
}

function ignoreMissing(cause: unknown): void {
  if (systemCodeOf(cause) !== "ENOENT") throw cause;
}

async function placeFile(part: string, path: string, bytes: Buffer): Promise<void> {
  await using(await open(part, "w", FILE_MODE), async (file) => {
    await file.writeFile(bytes);
    await file.datasync();
  });
  await rename(part, path);
}

async function removeFolder(path: string): Promise<void> {
  await rm(path, { recursive: true, force: true });
  await syncFolder(dirname(path)).catch(ignoreMissing);
}

async function syncFolder(path: string): Promise<void> {
  await using(await open(path, "r"), (folder) => folder.sync());
}

async function using(handle: FileHandle, work: (handle: FileHandle) => Promise<void>): Promise<void> {
  try {
    await work(handle);
  } finally {
    await handle.close();
  }
}

async function inParallel<T>(items: T[], atOnce: number, work: (item: T) => Promise<void>): Promise<void> {
  const left = items.values();
  const worker = async () => {
    for (const item of left) await work(item);
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
}
