// The spool on a real disk: what survives, what is cut, what is only reported, and what happens when the disk says no.
import { strict as assert } from "node:assert";
import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  ChunkCodec,
  ChunkKind,
  type ChunkRecord,
  encodeChunkHeader,
  encodeRecord,
} from "@salestag/protocol/host";
import type { Log } from "@salestag/protocol/service";
import { type Disk, type DiskFile, nodeDisk } from "../disk";
import { ExitCode, RelayError } from "../errors";
import { ManualClock, namesOf, recordsIn } from "../testing/rigging";
import { segmentPath } from "./segment";
import {
  findRecords,
  RECORD_HEADER_BYTES,
  recordBytes,
  SEGMENT_HEADER_BYTES,
  writeRecord,
} from "./segment-format";
import { SEGMENT_BYTES, Spool, type SpoolOptions } from "./spool";

const BADGE = "0102030405060708";

function chunk(index: number, sealedBytes = 40, badge = BADGE): ChunkRecord {
  const header = encodeChunkHeader({
    badgeId: Buffer.from(badge, "hex"),
    epoch: 1,
    index,
    kind: ChunkKind.Audio,
    startMs: 0,
    durationMs: 2000,
    codec: ChunkCodec.OpusItems,
    count: 100,
  });
  return { badge, epoch: 1, index, receivedMs: 5, header, sealed: Buffer.alloc(sealedBytes, index) };
}

/** Bytes that `chunk(index)` takes in a segment. */
const CHUNK_BYTES = recordBytes(encodeRecord(chunk(1)).length);

describe("spool", () => {
  let directory: string;
  let lines: string[];
  let failures: RelayError[];
  let clock: ManualClock;
  /** What happened, in order, where a test records it. */
  let events: string[];
  const log: Log = {
    info: (event) => void lines.push(`info ${event}`),
    warn: (event) => void lines.push(`warn ${event}`),
    error: (event, fields) => void lines.push(`error ${event} ${JSON.stringify(fields ?? {})}`),
  };

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "salestag-spool-"));
    lines = [];
    failures = [];
    events = [];
    clock = new ManualClock();
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  const watchers = new Set<() => void>();
  const changed = (): void => {
    for (const watcher of watchers) watcher();
  };
  /** Waits until something that the spool tells makes `condition` true. */
  const until = (condition: () => boolean): Promise<void> =>
    new Promise((resolve) => {
      const watcher = (): void => {
        if (!condition()) return;
        watchers.delete(watcher);
        resolve();
      };
      watchers.add(watcher);
      watcher();
    });

  const open = (more: Partial<SpoolOptions> = {}): Promise<Spool> =>
    Spool.open({
      directory,
      segmentBytes: SEGMENT_BYTES,
      bytesMax: Number.POSITIVE_INFINITY,
      disk: nodeDisk,
      clock,
      random: randomBytes,
      log,
      listener: {
        committed: (badges) => {
          events.push(`committed ${[...badges].join()}`);
          changed();
        },
        roomChanged: () => {
          events.push("room changed");
          changed();
        },
        uncrowded: () => {
          events.push("uncrowded");
          changed();
        },
        failed: (error) => {
          failures.push(error);
          changed();
        },
      },
      ...more,
    });
  /** Stores each chunk in a commit of its own. */
  const store = async (spool: Spool, ...records: ChunkRecord[]): Promise<void> => {
    for (const record of records) {
      spool.append(record);
      await until(() => spool.isDurable(record.badge, record));
    }
  };
  const indexesIn = async (): Promise<number[]> =>
    (await recordsIn(directory, log)).map(({ index }) => index);
  const damageLines = (): string[] => lines.filter((line) => line.startsWith("error segment is damaged"));

  /** A spool folder whose one segment has three chunks, each of a commit of its own, and its bytes. */
  const threeChunks = async (): Promise<{ path: string; bytes: Buffer }> => {
    const spool = await open();
    await store(spool, chunk(1), chunk(2), chunk(3));
    await spool.close();
    const path = segmentPath(directory, 1);
    return { path, bytes: readFileSync(path) };
  };

  it("spool: chunks are found again in order after a restart, also in the files of several restarts", async () => {
    for (const index of [1, 2, 3]) {
      const spool = await open();
      assert.deepEqual(
        spool.durablePosition(BADGE),
        index === 1 ? { epoch: 0, index: 0 } : { epoch: 1, index },
      );
      await store(spool, chunk(index));
      await spool.close();
    }
    assert.deepEqual(await indexesIn(), [1, 2, 3]);
  });

  it("spool: chunks that queue up while a commit runs share the next one", async () => {
    const spool = await open();
    for (let index = 1; index <= 50; index++) spool.append(chunk(index));
    await spool.close();
    assert.deepEqual(events, [`committed ${BADGE}`, `committed ${BADGE}`]);
    assert.equal((await indexesIn()).length, 50);
  });

  it("spool: padding is zeros, whatever a longer commit before it left in memory", async () => {
    const spool = await open();
    const lengths = [2000, 40, 41, 42, 43];
    await store(spool, ...lengths.map((length, i) => chunk(256 * i + 255, length))); // filled with 255
    await spool.close();
    const bytes = readFileSync(segmentPath(directory, 1));
    const body = bytes.subarray(SEGMENT_HEADER_BYTES);
    const paddings = [...findRecords(body, SEGMENT_HEADER_BYTES, bytes.readUInt32LE(16), false)].map(
      ({ offset, end, payload }) => [...bytes.subarray(offset + RECORD_HEADER_BYTES + payload.length, end)],
    );
    assert.equal(paddings.length, lengths.length);
    assert.deepEqual([...new Set(paddings.map(({ length }) => length))].sort(), [0, 1, 2, 3]);
    assert.deepEqual([...new Set(paddings.flat())], [0]);
  });

  it("spool: a chunk counts as durable only when its sync has returned", async () => {
    const spool = await open({ disk: recordingDisk(events) });
    events.length = 0;
    await store(spool, chunk(1), chunk(2));
    await spool.close();
    const commit = ["write", "sync begins", "sync returned", `committed ${BADGE}`];
    assert.deepEqual(events, [...commit, ...commit, "close"]);
  });

  it("spool: what an earlier relay wrote is synced before it counts, also where it is whole", async () => {
    await threeChunks();
    events.length = 0;
    const spool = await open({ disk: recordingDisk(events) });
    assert.deepEqual(events.slice(0, 4), ["open", "sync begins", "sync returned", "close"]);
    await spool.close();
  });

  it("spool: a segment's page, its name and the checkpoint are durable before the first chunk goes into it", async () => {
    const segmentBytes = SEGMENT_HEADER_BYTES + CHUNK_BYTES;
    const spool = await open({ disk: recordingDisk(events), segmentBytes });
    // The shortest segment holds the longest record, so long chunks fill it.
    await store(spool, chunk(1, 16000));
    events.length = 0;
    await store(spool, chunk(2, 16000));
    await spool.close();
    const seal = ["sync begins", "sync returned"];
    const checkpoint = ["open", "write", "sync begins", "sync returned", "close", "rename", "directory"];
    const page = ["open", "write", "sync begins", "sync returned", "directory", "close"];
    const commit = ["write", "sync begins", "sync returned", `committed ${BADGE}`];
    assert.deepEqual(events, [...seal, ...checkpoint, ...page, ...commit, "close"]);
  });

  it("spool: the tail of a record that a crash cut short is cut off (every length of the last record)", async () => {
    const { path, bytes } = await threeChunks();
    const start = bytes.length - CHUNK_BYTES;
    for (let kept = 0; kept < CHUNK_BYTES; kept++) {
      writeFileSync(path, bytes.subarray(0, start + kept));
      assert.deepEqual(await indexesIn(), [1, 2], `${kept} bytes kept`);
      assert.equal(statSync(path).size, start, `${kept} bytes kept`);
    }
    assert.deepEqual(damageLines(), []);
    const spool = await open();
    await store(spool, chunk(3), chunk(4));
    await spool.close();
    assert.deepEqual(await indexesIn(), [1, 2, 3, 4]);
  });

  const tails: [string, (bytes: Buffer) => Buffer][] = [
    ["zeros", () => Buffer.alloc(5000)],
    ["ones", () => Buffer.alloc(5000, 0xff)],
    ["noise", () => randomBytes(5000)],
    ["the same records once more: stale bytes", (bytes) => bytes.subarray(SEGMENT_HEADER_BYTES)],
  ];
  for (const [what, tail] of tails)
    it(`spool: bytes behind the last record are cut off (${what})`, async () => {
      const { path, bytes } = await threeChunks();
      writeFileSync(path, Buffer.concat([bytes, tail(bytes)]));
      assert.deepEqual(await indexesIn(), [1, 2, 3]);
      assert.deepEqual(readFileSync(path), bytes);
    });

  it("spool: of a commit that lost a record in its middle nothing is kept behind the loss", async () => {
    const { path, bytes } = await threeChunks();
    const salt = bytes.readUInt32LE(16);
    const commit = Buffer.alloc(3 * CHUNK_BYTES);
    let at = 0;
    for (const index of [4, 5, 6])
      at = writeRecord(commit, at, bytes.length + at, salt, bytes.length, encodeRecord(chunk(index)));
    commit[CHUNK_BYTES + 20] ^= 1;
    writeFileSync(path, Buffer.concat([bytes, commit]));
    const spool = await open();
    assert.deepEqual(spool.durablePosition(BADGE), { epoch: 1, index: 5 });
    await spool.close();
    assert.deepEqual(await indexesIn(), [1, 2, 3, 4]);
    assert.deepEqual(damageLines(), []);
  });

  for (const sealed of [false, true])
    it(`spool: a changed byte in a durable record is reported, stepped over and never cut (every byte, ${sealed ? "sealed" : "last"} segment)`, async () => {
      const { path, bytes } = await threeChunks();
      if (sealed) await (await open()).close(); // leaves an empty segment 2 behind
      const start = SEGMENT_HEADER_BYTES + CHUNK_BYTES;
      const padding = CHUNK_BYTES - RECORD_HEADER_BYTES - encodeRecord(chunk(2)).length;
      for (let at = start; at < start + CHUNK_BYTES - padding; at++) {
        if (sealed && readdirSync(directory).filter((name) => name.endsWith(".seg")).length < 2)
          await (await open()).close();
        const damaged = Buffer.from(bytes);
        damaged[at] ^= 0x10;
        writeFileSync(path, damaged);
        lines = [];
        assert.deepEqual(await indexesIn(), [1, 3], `byte ${at}`);
        assert(damageLines().length > 0, `byte ${at}`);
        assert.deepEqual(readFileSync(path), damaged, `byte ${at}`);
      }
    });

  it("spool: a record that is damaged does not take its badge's position back", async () => {
    const { path, bytes } = await threeChunks();
    bytes[bytes.length - 2 * CHUNK_BYTES + 20] ^= 1;
    writeFileSync(path, bytes);
    const spool = await open();
    assert.deepEqual(spool.durablePosition(BADGE), { epoch: 1, index: 4 });
    await spool.close();
  });

  for (const at of [0, 8, 12, 16, 24, 32])
    it(`spool: a segment with a damaged page is left alone, its number not used again (byte ${at})`, async () => {
      const { path, bytes } = await threeChunks();
      bytes[at] ^= 1;
      writeFileSync(path, bytes);
      const spool = await open();
      await store(spool, chunk(9));
      await spool.close();
      assert.deepEqual(readFileSync(path), bytes);
      assert.deepEqual(await indexesIn(), [9]);
      assert.match(lines.join("\n"), /segment is damaged and left alone/);
    });

  for (const kept of [0, 1, 36, SEGMENT_HEADER_BYTES - 1])
    it(`spool: a segment whose page was not finished is removed (${kept} bytes of it)`, async () => {
      const { bytes } = await threeChunks();
      writeFileSync(segmentPath(directory, 2), bytes.subarray(0, kept));
      assert.deepEqual(await indexesIn(), [1, 2, 3]);
      assert.deepEqual(
        readdirSync(directory).filter((name) => name.endsWith(".seg")),
        ["0000000001.seg"],
      );
    });

  it("spool: what was delivered and deleted is not stored again, also after a restart", async () => {
    const spool = await open({ segmentBytes: 1 });
    await store(spool, chunk(1, 16000), chunk(2, 16000), chunk(3, 16000));
    await spool.release(spool.end.segment);
    await spool.close();
    assert.deepEqual(await indexesIn(), [3]);
    const again = await open();
    assert.deepEqual(again.durablePosition(BADGE), { epoch: 1, index: 4 });
    again.append(chunk(2, 16000));
    await again.close();
    assert.deepEqual(await indexesIn(), [3]);
  });

  it("spool: a checkpoint that cannot be read stops the start with a sentence", async () => {
    writeFileSync(join(directory, "checkpoint.json"), "{");
    await assert.rejects(open(), (error) => error instanceof RelayError && error.exitCode === ExitCode.Spool);
    writeFileSync(join(directory, "checkpoint.json"), '{"version":1,"throughSegment":0,"badges":[]}');
    await (await open()).close(); // the lock was given back
  });

  it("spool: reading follows the segments, ends at the durable end and goes on from there", async () => {
    const spool = await open({ segmentBytes: 1 });
    await store(spool, chunk(1, 16000), chunk(2, 16000), chunk(3, 16000));
    const seen: number[] = [];
    let cursor = { segment: 0, offset: 0 };
    const readAll = async (): Promise<void> => {
      for (;;) {
        const { entries, next } = await spool.read(cursor);
        seen.push(...entries.map(({ record }) => record.index));
        if (next.segment === cursor.segment && next.offset === cursor.offset) break;
        cursor = next;
      }
    };
    await readAll();
    assert.deepEqual(seen, [1, 2, 3]);
    assert.deepEqual(cursor, spool.end);
    await store(spool, chunk(4, 16000));
    await readAll();
    assert.deepEqual(seen, [1, 2, 3, 4]);
    await spool.close();
  });

  it("spool: reading steps over more damage than one part holds (2.5 MB of 4 MB)", async () => {
    const spool = await open();
    for (let index = 1; index <= 260; index++) spool.append(chunk(index, 16000));
    const segment = spool.end.segment;
    await until(() => spool.isDurable(BADGE, { epoch: 1, index: 260 }));
    const path = segmentPath(directory, segment);
    const bytes = readFileSync(path);
    bytes.fill(0xa5, 500_000, 3_000_000);
    writeFileSync(path, bytes);
    let cursor = { segment: 0, offset: 0 };
    let count = 0;
    let last = 0;
    while (cursor.segment !== spool.end.segment || cursor.offset !== spool.end.offset) {
      const { entries, next } = await spool.read(cursor);
      count += entries.length;
      last = entries.at(-1)?.record.index ?? last;
      cursor = next;
    }
    assert.equal(last, 260);
    assert.equal(
      count,
      260 -
        Math.ceil((3_000_000 - SEGMENT_HEADER_BYTES) / recordBytes(encodeRecord(chunk(1, 16000)).length)) +
        Math.floor((500_000 - SEGMENT_HEADER_BYTES) / recordBytes(encodeRecord(chunk(1, 16000)).length)),
    );
    await spool.close();
  });

  describe("disk that says no", () => {
    const noRoom: [string, "write" | "dataSync"][] = [
      ["ENOSPC", "write"],
      ["EDQUOT", "write"],
      ["EFBIG", "write"],
      ["ENOSPC", "dataSync"],
    ];
    for (const [code, call] of noRoom)
      it(`disk that says no: ${code} from ${call} holds everything and goes on when it has passed`, async () => {
        const fault = new Fault(call, code);
        const spool = await open({ disk: fault.disk });
        await store(spool, chunk(1));
        fault.active = true;
        spool.append(chunk(2));
        await until(() => !spool.hasRoom);
        spool.append(chunk(3));
        assert.deepEqual(spool.durablePosition(BADGE), { epoch: 1, index: 2 });
        assert.equal(statSync(segmentPath(directory, 1)).size, spool.end.offset);
        await passing(clock, () => fault.hits >= 2);
        assert.equal(lines.filter((line) => /spool is full/.test(line)).length, 1);
        fault.active = false;
        await passing(clock, () => spool.hasRoom);
        await until(() => spool.isDurable(BADGE, { epoch: 1, index: 3 }));
        await spool.close();
        assert.deepEqual(await indexesIn(), [1, 2, 3]);
        assert.deepEqual(failures, []);
      });

    for (const call of ["write", "dataSync"] as const)
      it(`disk that says no: EIO from ${call} is never tried again, nothing is acked, the bytes are taken back`, async () => {
        const fault = new Fault(call, "EIO");
        const spool = await open({ disk: fault.disk });
        await store(spool, chunk(1));
        fault.active = true;
        spool.append(chunk(2));
        await until(() => failures.length > 0);
        assert.equal(failures[0].exitCode, ExitCode.Disk);
        assert.match(failures[0].message, /nothing more is acked: EIO/);
        spool.append(chunk(3));
        await spool.close();
        assert.equal(fault.hits, 1);
        assert.deepEqual(spool.durablePosition(BADGE), { epoch: 1, index: 2 });
        assert.deepEqual(await indexesIn(), [1]);
        assert.equal(lines.filter((line) => /unfinished commit/.test(line)).length, 0);
      });

    it("disk that says no: a spool that ends while it has no room forgets what it could not store", async () => {
      const fault = new Fault("write", "ENOSPC");
      const spool = await open({ disk: fault.disk });
      await store(spool, chunk(1));
      fault.active = true;
      spool.append(chunk(2));
      await until(() => !spool.hasRoom);
      await spool.close();
      assert.deepEqual(await indexesIn(), [1]);
    });

    it("disk that says no: the spool's own bound holds, and delivery makes room (256 KiB)", async () => {
      const bytesMax = 256 * 1024;
      const spool = await open({ bytesMax });
      for (let index = 1; index <= 40; index++) spool.append(chunk(index, 16000));
      await until(() => !spool.hasRoom);
      const { index: stored } = spool.durablePosition(BADGE);
      assert(stored > 10 && stored < 20, `${stored} stored`);
      assert(spool.bytes <= bytesMax);
      await spool.release(spool.end.segment);
      await until(() => spool.hasRoom && spool.durablePosition(BADGE).index > stored);
      assert(spool.bytes <= bytesMax);
      await spool.close();
    });

    it("disk that says no: a long queue says so once it is too long, and once it is short again", async () => {
      const fault = new Fault("write", "ENOSPC");
      const spool = await open({ disk: fault.disk });
      fault.active = true;
      let index = 0;
      while (!spool.isCrowded) spool.append(chunk(++index, 16000));
      assert.equal(Math.ceil((16 * 1024 * 1024) / encodeRecord(chunk(1, 16000)).length), index);
      await until(() => !spool.hasRoom);
      fault.active = false;
      await passing(clock, () => !spool.isCrowded);
      assert.equal(events.filter((event) => event === "uncrowded").length, 1);
      await spool.close();
      assert.equal((await indexesIn()).length, index);
    });
  });

  describe("lock", () => {
    it("lock: a spool that is open cannot be opened again, also in the same process", async () => {
      const spool = await open();
      await assert.rejects(open(), (error) => {
        assert(error instanceof RelayError);
        assert.equal(error.exitCode, ExitCode.Spool);
        assert.match(error.message, new RegExp(`in use by process ${process.pid}`));
        return true;
      });
      await spool.close();
      await (await open()).close();
    });

    const ended = (): number => spawnSync(process.execPath, ["-e", ""]).pid;
    const bootId = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
    const stale: [string, () => string][] = [
      ["a process that ended", () => JSON.stringify({ pid: ended(), bootId, started: "1" })],
      ["another boot", () => JSON.stringify({ pid: process.pid, bootId: "another", started: "1" })],
      ["a process id that is used again", () => JSON.stringify({ pid: process.pid, bootId, started: "1" })],
      ["no process at all", () => ""],
    ];
    for (const [what, content] of stale)
      it(`lock: one that was left behind is taken over with a notice (${what})`, async () => {
        writeFileSync(join(directory, "lock"), content());
        await (await open()).close();
        assert.match(lines.join("\n"), /lock of an ended relay taken over/);
        assert.deepEqual(
          readdirSync(directory).filter((name) => name.startsWith("lock")),
          [],
        );
      });
  });

  it("spool: two badges keep positions of their own", async () => {
    const other = "ffffffffffffffff";
    const spool = await open();
    await store(spool, chunk(5), chunk(2, 40, other));
    assert.deepEqual(spool.durablePosition(BADGE), { epoch: 1, index: 6 });
    assert.deepEqual(spool.durablePosition(other), { epoch: 1, index: 3 });
    await spool.close();
    assert.deepEqual(namesOf(await recordsIn(directory, log)), [`${BADGE}/1/5`, `${other}/1/2`]);
  });
});

/** Lets time pass in steps of the spool's own wait until `condition` is true: it may begin to wait after we have moved. */
async function passing(clock: ManualClock, condition: () => boolean): Promise<void> {
  while (!condition()) {
    clock.advance(1000);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Lets one kind of call fail while it is active. Fails behind the header page only. */
class Fault {
  active = false;
  hits = 0;
  readonly disk: Disk;

  constructor(call: "write" | "dataSync", code: string) {
    const hit = (): never => {
      this.hits++;
      throw Object.assign(new Error(`${code}: made to fail`), { code });
    };
    this.disk = {
      ...nodeDisk,
      open: async (path, flags, mode): Promise<DiskFile> => {
        const file = await nodeDisk.open(path, flags, mode);
        return {
          write: async (bytes, offset) => {
            if (!this.active || call !== "write") return await file.write(bytes, offset);
            await file.write(bytes.subarray(0, bytes.length / 2), offset); // a disk fills up in the middle
            hit();
          },
          dataSync: async () => {
            if (this.active && call === "dataSync") hit();
            await file.dataSync();
          },
          truncate: (lengthBytes) => file.truncate(lengthBytes),
          close: () => file.close(),
        };
      },
    };
  }
}

/** The real disk; every call is noted. */
function recordingDisk(events: string[]): Disk {
  return {
    open: async (path, flags, mode) => {
      const file = await nodeDisk.open(path, flags, mode);
      events.push("open");
      return {
        write: async (bytes, offset) => {
          await file.write(bytes, offset);
          events.push("write");
        },
        dataSync: async () => {
          events.push("sync begins");
          await file.dataSync();
          events.push("sync returned");
        },
        truncate: (lengthBytes) => file.truncate(lengthBytes),
        close: async () => {
          await file.close();
          events.push("close");
        },
      };
    },
    rename: async (from, to) => {
      await nodeDisk.rename(from, to);
      events.push("rename");
    },
    syncDirectory: async (path) => {
      await nodeDisk.syncDirectory(path);
      events.push("directory");
    },
  };
}
