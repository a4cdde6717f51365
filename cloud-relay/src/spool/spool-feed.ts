// Feeds a sink from the relay's own spool, from a cursor that lies in the spool's folder.
import type { Clock } from "@salestag/protocol/service";
import type { Disk } from "../disk";
import { CursorFile } from "./cursor-file";
import type { Feed } from "./feed";
import type { Cursor, SpoolEntry, SpoolPart } from "./reader";

const SAVE_INTERVAL_MS = 1000;

/** What a feed needs of the spool. */
export interface SpoolSource {
  readonly end: Cursor;
  read(cursor: Cursor): Promise<SpoolPart>;
  bytesBehind(cursor: Cursor): number;
}

export interface SpoolFeedOptions {
  /** Names the cursor: the same name goes on where it was. */
  sinkName: string;
  source: SpoolSource;
  spoolDirectory: string;
  disk: Disk;
  clock: Clock;
  /** Called whenever the durable cursor has moved. */
  onSaved: () => Promise<void>;
}

/** See the top of the file. */
export class SpoolFeed implements Feed {
  private cursor: Cursor;
  /** Behind what `take` gave last. */
  private next: Cursor;
  private savedMs: number;
  private woken = false;
  private wakeUp: () => void = () => {};

  private constructor(
    private readonly options: SpoolFeedOptions,
    private readonly file: CursorFile,
  ) {
    this.cursor = file.saved;
    this.next = file.saved;
    this.savedMs = options.clock.steadyMs();
  }

  /** Opens the sink's cursor, or makes one at the oldest record. */
  static async open(options: SpoolFeedOptions): Promise<SpoolFeed> {
    const file = await CursorFile.open(options.disk, options.spoolDirectory, options.sinkName);
    return new SpoolFeed(options, file);
  }

  /** The cursor from which a restart would continue: segments before it are not needed any more. */
  get savedCursor(): Cursor {
    return this.file.saved;
  }

  get bytesBehind(): number {
    return this.options.source.bytesBehind(this.cursor);
  }

  /** The spool has more. */
  wake(): void {
    this.woken = true;
    this.wakeUp();
  }

  async take(stop: AbortSignal): Promise<SpoolEntry[]> {
    const { source } = this.options;
    for (;;) {
      this.woken = false;
      const { entries, next } = await source.read(this.cursor);
      this.next = next;
      if (entries.length > 0) return entries;
      if (!sameCursor(next, this.cursor)) await this.pass();
      else if (stop.aborted) return [];
      else await this.idle(stop);
    }
  }

  async pass(): Promise<void> {
    this.cursor = this.next;
    // At most once a second, and at once when a segment is done with and can be deleted.
    const sameSegment = this.cursor.segment === this.file.saved.segment;
    if (!sameSegment || this.options.clock.steadyMs() - this.savedMs >= SAVE_INTERVAL_MS) await this.save();
  }

  async save(): Promise<void> {
    this.savedMs = this.options.clock.steadyMs();
    if (this.saved) return;
    await this.file.save(this.cursor);
    await this.options.onSaved();
  }

  close(): Promise<void> {
    return this.file.close();
  }

  private get saved(): boolean {
    return sameCursor(this.cursor, this.file.saved);
  }

  /** Until there is more, or the cursor has to be saved. */
  private async idle(stop: AbortSignal): Promise<void> {
    const dueInMs = this.saved ? undefined : SAVE_INTERVAL_MS;
    await new Promise<void>((resolve) => {
      if (this.woken) return resolve();
      const done = (): void => {
        cancel();
        stop.removeEventListener("abort", done);
        this.wakeUp = () => {};
        resolve();
      };
      const cancel = dueInMs === undefined ? () => {} : this.options.clock.after(dueInMs, done);
      stop.addEventListener("abort", done);
      this.wakeUp = done;
    });
    if (!this.woken && !stop.aborted) await this.save();
  }
}

function sameCursor(a: Cursor, b: Cursor): boolean {
  return a.segment === b.segment && a.offset === b.offset;
}
