// The archive: durable once, whole or not at all, conflicts refused, removal, any order of puts.
import { strict as assert } from "node:assert";
import { readdirSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { findConversations } from "@salestag/protocol/team";
import {
  BADGE,
  bytesOf,
  eventsChunk,
  modeOf,
  recordOf,
  useFolder,
  writeRecord,
} from "@salestag/protocol/testing";
import { Archive, ChunkConflict } from "./archive";

const KEY = bytesOf(3, 32);
const record = (index: number, epoch = 0, receivedMs = 1000, atMs = 5) =>
  recordOf(eventsChunk(index, [{ kind: 1, atMs, values: [] }]), KEY, epoch, receivedMs);

describe("archive", () => {
  const folder = useFolder();
  const chunks = () => join(folder(), "chunks");

  it("put: a chunk is kept once, also when the relay received it twice", async () => {
    const archive = Archive.open(chunks());
    const results = await Promise.all([
      archive.put(record(0)),
      archive.put(record(0)),
      archive.put(record(1)),
    ]);
    assert.deepEqual(results, [true, false, true]);
    assert.equal(await Archive.open(chunks()).put(record(0, 0, 2000)), false);
    const { records, problems } = archive.read({ badge: BADGE, epoch: 0 });
    assert.deepEqual([records.map(({ receivedMs }) => receivedMs), problems], [[1000, 1000], []]);
    assert.equal(modeOf(join(chunks(), BADGE, "0000000000", "0000000001.chunk")), 0o600);
    assert.equal(modeOf(join(chunks(), BADGE)), 0o700);
  });

  it("put: other content in the same place is refused, and the others of its batch are kept", async () => {
    const archive = Archive.open(chunks());
    await archive.put(record(0));
    const results = await Promise.allSettled([
      archive.put(record(0, 0, 1000, 6)),
      archive.put(record(1)),
      archive.put(record(1, 0, 1000, 7)),
    ]);
    assert.deepEqual(
      results.map(({ status }) => status),
      ["rejected", "fulfilled", "rejected"],
    );
    assert.ok((results[0] as PromiseRejectedResult).reason instanceof ChunkConflict);
    assert.deepEqual(archive.read({ badge: BADGE, epoch: 0 }).records, [record(0), record(1)]);
  });

  it("put: a damaged file gives its place to a good one", async () => {
    const archive = Archive.open(chunks());
    await archive.put(record(0));
    truncateSync(join(chunks(), BADGE, "0000000000", "0000000000.chunk"), 20);
    assert.equal(archive.read({ badge: BADGE, epoch: 0 }).problems.length, 1);
    assert.equal(await archive.put(record(0)), true);
    assert.deepEqual(archive.read({ badge: BADGE, epoch: 0 }), { records: [record(0)], problems: [] });
  });

  it("put: what was half written is no chunk, and is overwritten", async () => {
    const archive = Archive.open(chunks());
    await archive.put(record(1));
    const place = join(chunks(), BADGE, "0000000000");
    writeFileSync(join(place, ".0000000000.chunk"), "half");
    assert.equal(archive.count({ badge: BADGE, epoch: 0 }), 1);
    await archive.put(record(0));
    assert.deepEqual(readdirSync(place), ["0000000000.chunk", "0000000001.chunk"]);
  });

  it("put: a disk that refuses is told to each, and the next is taken when it is well again", async () => {
    writeFileSync(join(folder(), "file"), "");
    const archive = Archive.open(chunks());
    writeFileSync(join(chunks(), BADGE), "a file where a folder must be");
    await assert.rejects(archive.put(record(0)), { code: "ENOTDIR" });
    assert.equal(await archive.put({ ...record(0), badge: "fedcba9876543210" }), true);
  });

  it("layout: what the relay's folder sink writes is what the archive reads, and the other way", async () => {
    writeRecord(chunks(), record(0));
    const archive = Archive.open(chunks());
    await archive.put(record(3, 17));
    assert.deepEqual(archive.places(), [
      { badge: BADGE, epoch: 0 },
      { badge: BADGE, epoch: 17 },
    ]);
    assert.equal(findConversations(chunks(), {}).length, 2);
  });

  it("remove: a conversation is gone when it resolves, also amid puts to others", async () => {
    const archive = Archive.open(chunks());
    await archive.put(record(0, 1));
    const [, , kept] = await Promise.all([
      archive.put(record(1, 1)),
      archive.remove({ badge: BADGE, epoch: 1 }),
      archive.put(record(0, 2)),
    ]);
    assert.equal(kept, true);
    assert.deepEqual(archive.places(), [{ badge: BADGE, epoch: 2 }]);
    await archive.remove({ badge: BADGE, epoch: 99 });
    assert.equal(archive.lastArrivalUnixMs({ badge: BADGE, epoch: 99 }), 0);
  });

  it("places: a badge or epoch that is none is no path", () => {
    const archive = Archive.open(chunks());
    for (const place of [
      { badge: "../../etc", epoch: 0 },
      { badge: BADGE, epoch: -1 },
      { badge: BADGE, epoch: 0.5 },
    ])
      assert.throws(() => archive.read(place), RangeError);
  });
});
