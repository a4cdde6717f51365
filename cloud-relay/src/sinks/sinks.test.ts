// Folder sink and dispatcher: every chunk arrives, in order and under one name, whatever ends or fails in between.
import { strict as assert } from "node:assert";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  ChunkCodec,
  ChunkKind,
  decodeRecord,
  encodeChunkHeader,
  encodeRecord,
} from "@salestag/protocol/host";
import type { Log } from "@salestag/protocol/service";
import { type Disk, nodeDisk } from "../disk";
import { CursorFile } from "../spool/cursor-file";
import type { Cursor, SpoolEntry } from "../spool/reader";
import { SpoolFeed, type SpoolSource } from "../spool/spool-feed";
import { ManualClock } from "../testing/rigging";
import { DeadLetters } from "./dead-letters";
import { Dispatcher } from "./dispatcher";
import { folderSink } from "./folder";
import { parseSink } from "./parse";
import { RejectedError, type Sink } from "./sink";

const BADGE = "0102030405060708";
const NEVER = new AbortController().signal;

function entry(index: number, epoch = 1): SpoolEntry {
  const header = encodeChunkHeader({
    badgeId: Buffer.from(BADGE, "hex"),
    epoch,
    index,
    kind: ChunkKind.Events,
    startMs: 0,
    durationMs: 0,
    codec: ChunkCodec.CborEvents,
    count: 1,
  });
  const record = { badge: BADGE, epoch, index, receivedMs: 5, header, sealed: Buffer.alloc(20, index) };
  return { record, encoded: encodeRecord(record) };
}

describe("sinks", () => {
  let directory: string;
  let folder: string;
  const lines: string[] = [];
  const log: Log = {
    info: (event) => void lines.push(`info ${event}`),
    warn: (event, fields) => void lines.push(`warn ${event} ${JSON.stringify(fields)}`),
    error: (event) => void lines.push(`error ${event}`),
  };

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "salestag-sinks-"));
    folder = join(directory, "out");
    lines.length = 0;
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  describe("folder", () => {
    const path = (index: number) => join(folder, BADGE, "0000000001", `000000000${index}.chunk`);

    it("folder: a chunk becomes one file with the record, for owner and group only", async () => {
      await folderSink(folder, nodeDisk).deliver([entry(1), entry(2)], NEVER);
      assert.deepEqual(decodeRecord(readFileSync(path(2))), entry(2).record);
      assert.equal(statSync(path(1)).mode & 0o777, 0o640);
      assert.equal(statSync(join(folder, BADGE)).mode & 0o777, 0o750);
      assert.equal(readdirSync(join(folder, BADGE, "0000000001")).length, 2);
    });

    it("folder: the largest epoch and index have names that sort behind all others", async () => {
      await folderSink(folder, nodeDisk).deliver([entry(4294967294, 4294967295), entry(0)], NEVER);
      assert.deepEqual(readdirSync(join(folder, BADGE)), ["0000000001", "4294967295"]);
      assert.deepEqual(readdirSync(join(folder, BADGE, "4294967295")), ["4294967294.chunk"]);
    });

    it("folder: a second delivery changes nothing, a half-written file of an ended relay is no obstacle", async () => {
      const sink = folderSink(folder, nodeDisk);
      await sink.deliver([entry(1)], NEVER);
      const { ino, mtimeMs } = statSync(path(1));
      writeFileSync(`${path(2)}.new`, "half");
      await sink.deliver([entry(1), entry(2)], NEVER);
      assert.deepEqual([statSync(path(1)).ino, statSync(path(1)).mtimeMs], [ino, mtimeMs]);
      assert.deepEqual(decodeRecord(readFileSync(path(2))), entry(2).record);
      assert.equal(readdirSync(join(folder, BADGE, "0000000001")).length, 2);
    });

    it("folder: every file and every folder that got a name is synced, the file before its name appears", async () => {
      const calls: string[] = [];
      const disk: Disk = {
        open: async (name, flags, mode) => {
          const file = await nodeDisk.open(name, flags, mode);
          const dataSync = async () => {
            await file.dataSync();
            calls.push("file synced");
          };
          return { ...bound(file), dataSync };
        },
        rename: async (from, to) => {
          await nodeDisk.rename(from, to);
          calls.push("renamed");
        },
        syncDirectory: async (name) => {
          await nodeDisk.syncDirectory(name);
          calls.push(`folder ${name.slice(directory.length)}`);
        },
      };
      await folderSink(folder, disk).deliver([entry(1)], NEVER);
      assert.deepEqual(calls.slice(0, 2), ["file synced", "renamed"]);
      const folders = ["folder ", "folder /out", `folder /out/${BADGE}`, `folder /out/${BADGE}/0000000001`];
      assert.deepEqual(calls.slice(2).sort(), folders);
      calls.length = 0;
      // The relay may have ended between rename and sync: the repeated delivery makes up for it.
      await folderSink(folder, disk).deliver([entry(1)], NEVER);
      assert.deepEqual(calls, [`folder /out/${BADGE}/0000000001`]);
    });

    for (const name of ["folder:", "folder", ":x", "", "webhook:https://example.org", "FOLDER:x"])
      it(`folder: a sink that is not folder:DIR is refused (${JSON.stringify(name)})`, () => {
        assert.throws(() => parseSink(name, nodeDisk), /sink must be folder:DIR/);
      });

    it("folder: the same folder has the same name however it is written", () => {
      const name = parseSink(`folder:${folder}`, nodeDisk).name;
      assert.equal(parseSink(`folder:${folder}/../out/`, nodeDisk).name, name);
    });
  });

  describe("cursor", () => {
    const opened: CursorFile[] = [];
    const open = async () => {
      const cursor = await CursorFile.open(nodeDisk, directory, "folder:/somewhere");
      opened.push(cursor);
      return cursor;
    };
    afterEach(async () => {
      for (const cursor of opened.splice(0)) await cursor.close();
    });
    const file = () => join(directory, "cursors", readdirSync(join(directory, "cursors"))[0]);

    it("cursor: a new one points to the oldest record, a saved one is found again", async () => {
      const first = await open();
      assert.deepEqual(first.saved, { segment: 0, offset: 0 });
      for (const offset of [4096, 5000, 6000]) await first.save({ segment: 7, offset });
      await first.close();
      const again = await open();
      assert.deepEqual(again.saved, { segment: 7, offset: 6000 });
      await again.save({ segment: 8, offset: 4096 });
      await again.close();
      const third = await open();
      assert.deepEqual(third.saved, { segment: 8, offset: 4096 });
      await third.close();
      assert.match(readFileSync(file(), "latin1"), /folder:\/somewhere\n$/);
    });

    it("cursor: a torn save leaves the one before it (every byte of the slot)", async () => {
      const cursor = await open();
      await cursor.save({ segment: 1, offset: 5000 });
      await cursor.save({ segment: 2, offset: 6000 });
      await cursor.close();
      const bytes = readFileSync(file());
      for (let at = 0; at < 20; at++) {
        const torn = Buffer.from(bytes);
        torn[at] ^= 0x40;
        writeFileSync(file(), torn);
        const again = await open();
        assert.deepEqual(again.saved, { segment: 1, offset: 5000 }, `byte ${at}`);
        await again.close();
      }
    });

    it("cursor: an empty file, as a power cut leaves it, is a new one", async () => {
      mkdirSync(join(directory, "cursors"));
      await (await open()).close();
      writeFileSync(file(), "");
      const again = await open();
      assert.deepEqual(again.saved, { segment: 0, offset: 0 });
      await again.close();
    });
  });

  describe("dispatcher", () => {
    /** A spool of one segment in which a record takes one byte. */
    class ListSource implements SpoolSource {
      entries: SpoolEntry[] = [];
      get end(): Cursor {
        return { segment: 1, offset: this.entries.length };
      }
      bytesBehind({ segment, offset }: Cursor): number {
        return this.entries.length - (segment === 1 ? offset : 0);
      }
      async read(cursor: Cursor) {
        const offset = cursor.segment === 1 ? cursor.offset : 0;
        return {
          entries: this.entries.slice(offset, offset + 3),
          next: { segment: 1, offset: Math.min(this.entries.length, offset + 3) },
        };
      }
    }
    /** Keeps what it gets; fails as often as it is told to. */
    class ListSink implements Sink {
      readonly delivered: number[] = [];
      failures = 0;
      attempts = 0;
      private waiting: (() => void)[] = [];
      constructor(readonly name: string) {}
      async deliver(entries: readonly SpoolEntry[]): Promise<void> {
        this.attempts++;
        for (const resolve of this.waiting.splice(0)) resolve();
        if (this.failures > 0) {
          this.failures--;
          throw new Error("down");
        }
        this.delivered.push(...entries.map(({ record }) => record.index));
      }
      async until(condition: () => boolean): Promise<void> {
        while (!condition()) await new Promise<void>((resolve) => this.waiting.push(resolve));
      }
    }
    let source: ListSource;
    let clock: ManualClock;
    let feed: SpoolFeed;
    const lettersOf = (sink: Sink) => new DeadLetters(nodeDisk, join(directory, "dead"), sink);
    const start = async (sink: Sink, onSaved = async () => {}) => {
      feed = await SpoolFeed.open({
        sinkName: sink.name,
        source,
        spoolDirectory: directory,
        disk: nodeDisk,
        clock,
        onSaved,
      });
      return new Dispatcher({ sink, feed, deadLetters: lettersOf(sink), clock, random: () => 0.999, log });
    };
    /** Lets files, promises and timers that are due have their turn until `condition` is true. */
    const passing = async (condition: () => boolean, stepMs: number): Promise<number> => {
      let passedMs = 0;
      while (!condition()) {
        clock.advance(stepMs);
        passedMs += stepMs;
        await new Promise((resolve) => setImmediate(resolve));
      }
      return passedMs;
    };

    beforeEach(() => {
      source = new ListSource();
      clock = new ManualClock();
    });

    it("dispatcher: everything is delivered in order, also what comes later", async () => {
      source.entries = [0, 1, 2, 3, 4, 5, 6].map((index) => entry(index));
      const sink = new ListSink("list");
      const dispatcher = await start(sink);
      await sink.until(() => sink.delivered.length >= 6);
      source.entries.push(entry(7), entry(8));
      feed.wake();
      await dispatcher.stop();
      assert.deepEqual(sink.delivered, [0, 1, 2, 3, 4, 5, 6, 7, 8]);
      assert.deepEqual(feed.savedCursor, { segment: 1, offset: 9 });
    });

    it("dispatcher: a restart goes on at the cursor, another sink starts at the oldest record", async () => {
      source.entries = [0, 1, 2].map((index) => entry(index));
      const first = await start(new ListSink("list"));
      await first.stop();
      source.entries.push(entry(3));
      const again = new ListSink("list");
      await (await start(again)).stop();
      assert.deepEqual(again.delivered, [3]);
      const other = new ListSink("other");
      await (await start(other)).stop();
      assert.deepEqual(other.delivered, [0, 1, 2, 3]);
    });

    it("dispatcher: what was delivered before a cursor that was not saved is delivered again, the folder has it once", async () => {
      source.entries = [0, 1, 2, 3].map((index) => entry(index));
      // The relay ends between delivery and cursor: the delivery is there, the cursor file still says "oldest".
      await folderSink(folder, nodeDisk).deliver(source.entries, NEVER);
      const before = statSync(join(folder, BADGE, "0000000001", "0000000000.chunk")).ino;
      await (await start(folderSink(folder, nodeDisk))).stop();
      assert.deepEqual(
        readdirSync(join(folder, BADGE, "0000000001")),
        [0, 1, 2, 3].map((index) => `000000000${index}.chunk`),
      );
      assert.equal(statSync(join(folder, BADGE, "0000000001", "0000000000.chunk")).ino, before);
    });

    it("dispatcher: a sink that is down is tried again after waits that double, nothing is skipped", async () => {
      source.entries = [0, 1].map((index) => entry(index));
      const sink = new ListSink("list");
      sink.failures = 4;
      const dispatcher = await start(sink);
      const waits: number[] = [];
      for (let attempt = 2; attempt <= 5; attempt++)
        waits.push(await passing(() => sink.attempts >= attempt, 10));
      for (const [at, wait] of waits.entries())
        assert(wait >= 500 * 2 ** at && wait <= 500 * 2 ** at + 100, `wait ${at} took ${wait} ms`);
      await dispatcher.stop();
      assert.deepEqual(sink.delivered, [0, 1]);
      assert.match(lines.join("\n"), /info sink takes chunks again/);
    });

    it("dispatcher: a sink that is down does not hold up another", async () => {
      source.entries = [0, 1].map((index) => entry(index));
      const down = new ListSink("down");
      down.failures = Number.POSITIVE_INFINITY;
      const up = new ListSink("up");
      const dispatchers = [await start(down)];
      const feedOfDown = feed;
      dispatchers.push(await start(up));
      await up.until(() => up.delivered.length >= 0 && up.attempts > 0);
      for (const dispatcher of dispatchers) await dispatcher.stop();
      assert.deepEqual(up.delivered, [0, 1]);
      assert.deepEqual(down.delivered, []);
      assert.deepEqual(feedOfDown.savedCursor, { segment: 0, offset: 0 });
    });

    /** Takes what it gets, but for chunks with these indexes. */
    class PickySink extends ListSink {
      constructor(
        name: string,
        public refused: number[],
        private readonly refusal: () => Error,
      ) {
        super(name);
      }
      override async deliver(entries: readonly SpoolEntry[]): Promise<void> {
        const refused = entries.some(({ record }) => this.refused.includes(record.index));
        await super.deliver(refused ? [] : entries);
        if (refused) throw this.refusal();
      }
    }

    it("dispatcher: a chunk that is refused for good is put aside, all others arrive in order, and it can be delivered again", async () => {
      source.entries = [0, 1, 2, 3, 4].map((index) => entry(index));
      const sink = new PickySink("picky", [1, 4], () => new RejectedError("it answered 422"));
      const dispatcher = await start(sink);
      await passing(() => dispatcher.deadLetters.count === 2, 100);
      await dispatcher.stop();
      assert.deepEqual(sink.delivered, [0, 2, 3]);
      assert.deepEqual(feed.savedCursor, { segment: 1, offset: 5 });
      assert.match(lines.join("\n"), /error sink does not take a chunk/);
      const letters = lettersOf(sink);
      assert.equal(letters.count, 2);
      sink.refused = [4];
      assert.deepEqual(await letters.redeliver(NEVER), { delivered: 1, left: 1, why: "it answered 422" });
      assert.deepEqual(sink.delivered, [0, 2, 3, 1]);
      sink.refused = [];
      assert.deepEqual(await lettersOf(sink).redeliver(NEVER), { delivered: 1, left: 0, why: "" });
      assert.equal(lettersOf(sink).count, 0);
    });

    it("dispatcher: a dead letter is the whole record, with the reason beside it", async () => {
      source.entries = [entry(7)];
      const sink = new PickySink("picky", [7], () => new RejectedError("it answered 400"));
      const dispatcher = await start(sink);
      await passing(() => dispatcher.deadLetters.count === 1, 100);
      await dispatcher.stop();
      const [folder] = readdirSync(join(directory, "dead"));
      const path = join(directory, "dead", folder, BADGE, "0000000001", "0000000007");
      assert.deepEqual(readFileSync(`${path}.chunk`), entry(7).encoded);
      const { chunk, why } = JSON.parse(readFileSync(`${path}.json`, "utf8"));
      assert.deepEqual([chunk, why], [`${BADGE}/1/7`, "it answered 400"]);
    });

    it("dispatcher: one chunk at which a sink fails for a day is put aside; a sink that is down for an hour loses it nothing", async () => {
      source.entries = [0, 1, 2].map((index) => entry(index));
      const sink = new PickySink("picky", [1], () => new Error("it answered 500"));
      const dispatcher = await start(sink);
      let passedMs = 0;
      while (passedMs < 3_600_000) {
        const attempts = sink.attempts;
        passedMs += await passing(() => sink.attempts > attempts, 10_000);
      }
      assert.deepEqual([sink.delivered, dispatcher.deadLetters.count], [[], 0]);
      await passing(() => dispatcher.deadLetters.count === 1, 60_000);
      await dispatcher.stop();
      assert.deepEqual(sink.delivered, [0, 2]);
    });

    it("dispatcher: the cursor is saved a second after a delivery, not at each", async () => {
      const sink = new ListSink("list");
      let saves = 0;
      source.entries = [entry(0)];
      const dispatcher = await start(sink, async () => void saves++);
      await passing(() => saves === 1, 0); // leaving "oldest" for segment 1
      for (let index = 1; index <= 20; index++) {
        source.entries.push(entry(index));
        feed.wake();
        await sink.until(() => sink.attempts > index);
      }
      assert.equal(saves, 1);
      await passing(() => saves === 2, 1000);
      assert.deepEqual(feed.savedCursor, source.end);
      await dispatcher.stop();
      assert.equal(saves, 2);
    });
  });
});

function bound(object: {
  write(bytes: Buffer, offset: number): Promise<void>;
  truncate(lengthBytes: number): Promise<void>;
  close(): Promise<void>;
}) {
  return {
    write: (bytes: Buffer, offset: number) => object.write(bytes, offset),
    truncate: (lengthBytes: number) => object.truncate(lengthBytes),
    close: () => object.close(),
  };
}
