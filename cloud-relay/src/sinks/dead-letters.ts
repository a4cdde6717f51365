// Chunks that a sink would not take, kept beside the spool until somebody has them delivered again: DIR/<badge>/<epoch>/<index>.chunk as a folder sink
// writes it, and why in a .json beside each.
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { mkdir, unlink } from "node:fs/promises";
import { dirname, join, sep } from "node:path";
import { decodeRecord } from "@salestag/protocol/host";
import { type Disk, placeFile } from "../disk";
import { messageOf } from "../errors";
import type { SpoolEntry } from "../spool/reader";
import { chunkPath } from "./folder";
import { nameOf, type Sink } from "./sink";

const FILE_MODE = 0o640;
const DIRECTORY_MODE = 0o750;
const WHY_CHARACTERS_MAX = 500;

/** What became of the letters that were delivered again. */
export interface Redelivery {
  delivered: number;
  left: number;
  /** Why the first of those that are left was not taken; empty when none is left. */
  why: string;
}

/** One sink's dead letters. */
export class DeadLetters {
  private readonly directory: string;
  private held: number;

  /** @param root folder of all sinks' dead letters */
  constructor(
    private readonly disk: Disk,
    root: string,
    private readonly sink: Sink,
  ) {
    const digest = createHash("sha256").update(sink.name).digest("hex").slice(0, 16);
    this.directory = join(root, digest);
    this.held = this.paths().length;
  }

  /** How many there are. */
  get count(): number {
    return this.held;
  }

  /** Keeps a chunk, durably. */
  async keep(entry: SpoolEntry, why: string, unixMs: number): Promise<void> {
    const path = join(this.directory, chunkPath(entry.record));
    const known = existsSync(path);
    const made = await mkdir(dirname(path), { recursive: true, mode: DIRECTORY_MODE });
    const told = {
      chunk: nameOf(entry),
      sink: this.sink.name,
      why: why.slice(0, WHY_CHARACTERS_MAX),
      unixMs,
    };
    const note = Buffer.from(`${JSON.stringify(told)}\n`);
    await placeFile(this.disk, `${path}.why.new`, whyPath(path), note, FILE_MODE);
    await placeFile(this.disk, `${path}.new`, path, entry.encoded, FILE_MODE);
    if (!known) this.held++;
    await this.disk.syncDirectory(dirname(path));
    if (made !== undefined)
      for (let at = dirname(path); at.length >= made.length; at = dirname(at))
        await this.disk.syncDirectory(dirname(at));
  }

  /** Delivers them again, one by one in order of badge, epoch and index; those that are taken are not kept any more. */
  async redeliver(signal: AbortSignal): Promise<Redelivery> {
    const result: Redelivery = { delivered: 0, left: 0, why: "" };
    for (const path of this.paths()) {
      try {
        const encoded = readFileSync(path);
        await this.sink.deliver([{ record: decodeRecord(encoded), encoded }], signal);
        await unlink(path);
        await unlink(whyPath(path));
        this.held--;
        result.delivered++;
      } catch (cause) {
        result.left++;
        result.why ||= messageOf(cause);
        if (signal.aborted) throw cause;
      }
    }
    return result;
  }

  private paths(): string[] {
    if (!existsSync(this.directory)) return [];
    const names = readdirSync(this.directory, { recursive: true, encoding: "utf8" });
    return names
      .filter((name) => name.endsWith(".chunk") && name.split(sep).length === 3)
      .sort()
      .map((name) => join(this.directory, name));
  }
}

function whyPath(path: string): string {
  return `${path.slice(0, -".chunk".length)}.json`;
}
