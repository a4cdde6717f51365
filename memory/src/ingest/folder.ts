// Takes chunks out of the folder that a relay's folder sink writes, as soon as they appear there. The folder stays as it is. What the system does not tell of
// is found by looking through it now and then.
import { type FSWatcher, readdirSync, statSync, watch } from "node:fs";
import { join } from "node:path";
import type { Clock } from "@salestag/protocol/service";
import { messageOf, systemCodeOf } from "@salestag/protocol/service";
import { readChunkFile } from "@salestag/protocol/team";
import type { Problems } from "../pipeline/problems";
import type { Intake } from "./intake";

export interface FolderOptions {
  folder: string;
  intake: Pick<Intake, "take">;
  problems: Problems;
  clock: Clock;
}

/** Files that are taken at a time. */
const BATCH = 256;
const SETTLE_MS = 50;
const LOOK_AGAIN_MS = 60_000;
const BADGE = /^[0-9a-f]{16}$/;
const EPOCH = /^\d{10}$/;
const CHUNK = /^\d{10}\.chunk$/;

/** A source that runs until it is closed. */
export interface Source {
  /** Waits until what is known to be there was taken. */
  idle(): Promise<void>;
  /** Ends it; waits for what is under way. */
  close(): Promise<void>;
}

export class FolderSource implements Source {
  private watcher: FSWatcher | undefined;
  /** What was taken, or cannot be, by its path. */
  private readonly seen = new Set<string>();
  private running: Promise<void> | undefined;
  private again = false;
  private closed = false;
  private cancelSoon: () => void = () => undefined;
  private cancelLook: () => void = () => undefined;

  constructor(private readonly options: FolderOptions) {}

  /** Takes what is there, and then what comes. Resolves when all that is there was taken. */
  async start(): Promise<void> {
    this.follow();
    this.lookLater();
    await this.look();
  }

  async idle(): Promise<void> {
    await this.running;
  }

  async close(): Promise<void> {
    this.closed = true;
    this.cancelSoon();
    this.cancelLook();
    this.watcher?.close();
    await this.running;
  }

  private follow(): void {
    const { folder, clock, problems } = this.options;
    try {
      this.watcher = watch(folder, { recursive: true }, () => {
        this.cancelSoon();
        this.cancelSoon = clock.after(SETTLE_MS, () => void this.look());
      });
      this.watcher.on("error", () => this.watcher?.close());
    } catch (cause) {
      problems.note(
        "folder",
        `'${folder}' cannot be watched, it is looked at now and then: ${messageOf(cause)}`,
      );
    }
  }

  private lookLater(): void {
    this.cancelLook = this.options.clock.after(LOOK_AGAIN_MS, () => {
      void this.look();
      this.lookLater();
    });
  }

  /** Looks through the folder; once more when it was asked to while it did. */
  private look(): Promise<void> {
    if (this.closed) return Promise.resolve();
    this.again = true;
    this.running ??= this.lookWhileAsked().finally(() => {
      this.running = undefined;
    });
    return this.running;
  }

  private async lookWhileAsked(): Promise<void> {
    const { problems, folder } = this.options;
    while (this.again && !this.closed) {
      this.again = false;
      try {
        let batch: string[] = [];
        for (const path of chunksIn(folder)) {
          if (this.seen.has(path)) continue;
          batch.push(path);
          if (batch.length < BATCH) continue;
          await this.takeAll(batch);
          batch = [];
          if (this.closed) return;
        }
        await this.takeAll(batch);
        problems.clear("folder");
      } catch (cause) {
        problems.note("folder", `chunks in '${folder}' cannot be taken now: ${messageOf(cause)}`);
      }
    }
  }

  private async takeAll(paths: string[]): Promise<void> {
    const { intake, problems } = this.options;
    await Promise.all(
      paths.map(async (path) => {
        const record = readChunkFile(path);
        if (typeof record === "string") problems.note(path, record);
        else
          await intake.take([record]).catch((cause: unknown) => {
            // The disk refused: it is tried again. A conflict stays one.
            if (systemCodeOf(cause) !== undefined) throw cause;
            problems.note(path, messageOf(cause));
          });
        this.seen.add(path);
      }),
    );
  }
}

function* chunksIn(folder: string): Generator<string> {
  for (const badge of list(folder, BADGE))
    for (const epoch of list(join(folder, badge), EPOCH))
      for (const name of list(join(folder, badge, epoch), CHUNK)) yield join(folder, badge, epoch, name);
}

/** @returns nothing for what vanished, or is no folder */
function list(folder: string, pattern: RegExp): string[] {
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) return [];
  return readdirSync(folder)
    .filter((name) => pattern.test(name))
    .sort();
}
