// Journal, log and outbox on a NOR flash that loses its power at any instant and reads badly now and then.
import assert from "node:assert/strict";
import { LossCause } from "@salestag/protocol";
import { FLASH_SECTOR_BYTES } from "../src/flash/flash-chip";
import { JOURNAL_STATE_BYTES, Journal } from "../src/flash/journal";
import { FlashLog, type LogRecord } from "../src/flash/log";
import { Outbox, type SealedChunk } from "../src/outbox";
import { decodeState, encodeState } from "../src/state";
import { chipOf, type NorFlash, PowerCut } from "./nor-flash";
import { crypto, newNor, newState, seeded } from "./support";

/** Runs `work` until the chip's power is cut. */
async function untilPowerCut(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof PowerCut)) throw error;
  }
}

function bytesOf(random: () => number, length: number): Buffer {
  return Buffer.from(Array.from({ length }, () => random() & 255));
}

describe("flash: log", () => {
  const FIRST = 2;

  async function mounted(nor: NorFlash): Promise<FlashLog> {
    const log = new FlashLog(chipOf(nor), crypto, FIRST, nor.sectors - FIRST);
    await log.mount();
    return log;
  }

  async function records(log: FlashLog): Promise<{ record: LogRecord; payload: Buffer | undefined }[]> {
    const all = [];
    for (let at = log.tailAddress; ; ) {
      const record = await log.recordAt(at);
      if (record === undefined) return all;
      all.push({ record, payload: await log.payload(record) });
      at = record.endAddress;
    }
  }

  const record = (index: number, payload: Buffer, held = false) => {
    const cut = payload.length >> 1;
    const parts = [payload.subarray(0, cut), payload.subarray(cut)];
    return { epoch: 1, index, kind: 1, held, durationMs: 7, parts };
  };

  for (let seed = 1; seed <= 60; seed++)
    it(`power cuts at any operation, bad reads, acks: what was stored is found whole, in order, and nothing else (seed ${seed})`, async () => {
      const random = seeded(seed);
      const nor = newNor(FIRST + 4 + (random() % 12), seed);
      let wanted: { index: number; payload: Buffer; stored: boolean }[] = [];
      let index = 0;
      for (let boot = 0; boot < 12; boot++) {
        nor.cutPowerAfter(random() % 60);
        nor.disturbReads(random() % 2 === 0 ? 50 : 0);
        await untilPowerCut(async () => {
          const log = await mounted(nor);
          const forget = async () => {
            const oldest = await log.recordAt(log.tailAddress);
            wanted.shift();
            log.tailAddress = wanted.length === 0 ? log.endAddress : (oldest as LogRecord).endAddress;
          };
          log.tailAddress = (await log.recordAt(log.tailAddress))?.address ?? log.endAddress;
          while (wanted.length > 0 && (await log.recordAt(log.tailAddress))?.index !== wanted[0].index)
            log.tailAddress = ((await log.recordAt(log.tailAddress)) as LogRecord).endAddress;
          for (;;) {
            for (let acked = random() % 3; acked > 0 && wanted.length > 0; acked--) await forget();
            const payload = bytesOf(random, 1 + (random() % (random() % 4 === 0 ? 300 : 4300)));
            while (log.sectorsFor(payload.length) > log.freeSectors()) await forget();
            const one = { index: index++, payload, stored: false };
            wanted.push(one);
            await log.append(record(one.index, payload));
            one.stored = true;
          }
        });
        nor.powerOn();
        nor.disturbReads(0);
        const found = await records(await mounted(nor));
        for (const { payload } of found)
          assert.ok(payload, "a record's header stands before its payload does");
        const indexes = found.map(({ record }) => record.index);
        assert.deepEqual(
          indexes,
          [...indexes].sort((a, b) => a - b),
        );
        const byIndex = new Map(found.map(({ record, payload }) => [record.index, payload as Buffer]));
        for (const { index, payload, stored } of wanted)
          if (stored) assert.ok(byIndex.get(index)?.equals(payload), `record ${index} is lost or changed`);
        wanted = wanted.filter(({ index }) => byIndex.has(index));
        for (const one of wanted) one.stored = true;
      }
    });

  it("a full ring takes no more, and nothing of it is overwritten", async () => {
    const nor = newNor(FIRST + 8);
    const log = await mounted(nor);
    const payload = Buffer.alloc(1000, 5);
    let count = 0;
    while (log.sectorsFor(payload.length) <= log.freeSectors()) await log.append(record(count++, payload));
    await assert.rejects(log.append(record(count, payload)), /no room/);
    assert.equal((await records(await mounted(nor))).length, count);
    assert.ok(count >= 21, `${count} records of 1 KB in 7 of 8 sectors`);
  });

  it("wear is even over a long run, with a journal beside it", async () => {
    const nor = newNor(4 + 60);
    const journal = new Journal(chipOf(nor), crypto, 0, 4);
    const log = new FlashLog(chipOf(nor), crypto, 4, 60);
    const payload = Buffer.alloc(2500, 5);
    for (let i = 0; i < 4000; i++) {
      if (i % 16 === 0) await journal.write(Buffer.alloc(JOURNAL_STATE_BYTES, i & 255));
      await log.append(record(i, payload));
      log.tailAddress = log.endAddress;
    }
    const mean = nor.erases / nor.sectors;
    assert.ok(mean > 20, `${mean} erasures a sector`);
    assert.ok(Math.max(...nor.wear) <= 2 * mean, `${Math.max(...nor.wear)} at most, ${mean} in the mean`);
  });

  it("mounting a full chip of 64 MB takes few reads", async () => {
    const nor = newNor(16384);
    const log = new FlashLog(chipOf(nor), crypto, 0, 16384);
    // A lap and a half, by records that fill a sector each.
    for (let i = 0; i < 24000; i++) {
      await log.append(record(i, Buffer.alloc(4040, 1)));
      if (log.freeSectors() < 4) log.tailAddress += FLASH_SECTOR_BYTES;
    }
    nor.reads = 0;
    const again = new FlashLog(chipOf(nor), crypto, 0, 16384);
    await again.mount();
    assert.equal(again.endAddress, log.endAddress);
    assert.ok(nor.reads <= 40, `${nor.reads} reads`);
  });

  it("a damaged record is told apart from its neighbours, wherever the damage is", async () => {
    for (let at = 0; at < 3000; at += 37) {
      const nor = newNor(FIRST + 8);
      const log = await mounted(nor);
      for (let i = 0; i < 5; i++) await log.append(record(i, Buffer.alloc(2500, i)));
      nor.corrupt(FIRST * FLASH_SECTOR_BYTES + 2816 + at, 1 << (at % 8));
      const good = (await records(await mounted(nor))).filter(({ payload }) => payload !== undefined);
      const indexes = good.map(({ record }) => record.index);
      // A flipped bit of the padding behind a record, or of the byte that voids, hurts nobody.
      assert.ok(indexes.length >= 4, `damage at ${at}: ${indexes}`);
      for (const { record, payload } of good) assert.ok(payload?.every((byte) => byte === record.index));
    }
  });

  it("a record that is given up is zeros, and its neighbours stay", async () => {
    const nor = newNor(FIRST + 8);
    const log = await mounted(nor);
    const secret = bytesOf(seeded(9), 5000);
    await log.append(record(0, Buffer.alloc(700, 1)));
    const given = await log.append(record(1, secret));
    await log.append(record(2, Buffer.alloc(700, 2)));
    assert.ok(nor.contains(secret.subarray(1000, 1032)));
    await log.shred(given);
    for (let at = 0; at < secret.length - 16; at += 16)
      assert.equal(nor.contains(secret.subarray(at, at + 16)), false);
    const left = await records(await mounted(nor));
    assert.deepEqual(
      left.map(({ record }) => record.voided),
      [false, true, false],
    );
  });
});

describe("flash: journal", () => {
  for (let seed = 1; seed <= 40; seed++)
    it(`power cuts at any operation: the newest state or the one before is found, and no bytes of an earlier one (seed ${seed})`, async () => {
      const random = seeded(seed);
      const nor = newNor(8, seed);
      if (seed % 4 === 0) for (let s = 0; s < 8; s++) nor.load(s, bytesOf(random, FLASH_SECTOR_BYTES));
      let stored: Buffer | undefined;
      const all: Buffer[] = [];
      for (let boot = 0; boot < 20; boot++) {
        nor.cutPowerAfter(random() % 40);
        nor.disturbReads(random() % 2 === 0 ? 50 : 0);
        let attempted: Buffer | undefined;
        await untilPowerCut(async () => {
          const journal = new Journal(chipOf(nor), crypto, 0, 8);
          const found = await journal.mount();
          if (stored !== undefined) assert.ok(found?.equals(stored));
          for (;;) {
            attempted = bytesOf(random, JOURNAL_STATE_BYTES);
            all.push(attempted);
            await journal.write(attempted);
            stored = attempted;
            attempted = undefined;
            for (const old of all)
              if (old !== stored)
                assert.equal(nor.contains(old.subarray(10, 42)), false, "an old state is still there");
          }
        });
        nor.powerOn();
        nor.disturbReads(0);
        const found = await new Journal(chipOf(nor), crypto, 0, 8).mount();
        if (stored === undefined && found === undefined) continue;
        const isNewest = attempted !== undefined && found?.equals(attempted);
        assert.ok(
          isNewest || (stored !== undefined && found?.equals(stored)),
          "neither the newest nor the one before",
        );
        stored = found;
      }
    });

  it("one of the two copies may be damaged", async () => {
    const nor = newNor(8);
    const journal = new Journal(chipOf(nor), crypto, 0, 8);
    for (let i = 1; i <= 3; i++) await journal.write(Buffer.alloc(JOURNAL_STATE_BYTES, i));
    nor.corrupt(2 * 256 + 40, 0x10);
    assert.deepEqual(
      await new Journal(chipOf(nor), crypto, 0, 8).mount(),
      Buffer.alloc(JOURNAL_STATE_BYTES, 3),
    );
  });

  it("state: is read as it was written, and fits a page", () => {
    const state = newState();
    state.paused = true;
    state.nudgeId = 4294967295;
    state.unixMs = 1780000000123;
    state.open.sentMs = 1234567;
    state.unsent.push(
      { ...state.open, seq: 7, startMs: 2 ** 39, evictedMs: 4294967295 },
      { ...state.open, seq: 8 },
    );
    const bytes = encodeState(state);
    assert.ok(bytes.length <= JOURNAL_STATE_BYTES, `${bytes.length} bytes`);
    assert.deepEqual(decodeState(bytes), state);
    bytes[0] = 2;
    assert.equal(decodeState(bytes), undefined);
  });
});

describe("flash: outbox", () => {
  const chunk = (epoch: number, index: number, held = false, bytes = 1500): SealedChunk => ({
    epoch,
    index,
    kind: 1,
    held,
    durationMs: 1000,
    start: Buffer.alloc(40, 1),
    sealed: Buffer.alloc(bytes, 16 * epoch + index),
  });

  class Box {
    readonly lost: [number, LossCause][] = [];
    outbox: Outbox;
    constructor(
      readonly nor: NorFlash,
      readonly log: FlashLog,
      dropOldest = false,
    ) {
      const listener = {
        work: () => undefined,
        stored: () => undefined,
        failed: () => undefined,
        lost: (ms: number, cause: LossCause) => this.lost.push([ms, cause]),
      };
      this.outbox = new Outbox(log, dropOldest, listener);
    }
    static async on(nor: NorFlash, dropOldest = false): Promise<Box> {
      const log = new FlashLog(chipOf(nor), crypto, 0, nor.sectors);
      await log.mount();
      const box = new Box(nor, log, dropOldest);
      await box.outbox.settle();
      return box;
    }
    async store(...chunks: SealedChunk[]): Promise<void> {
      for (const one of chunks) this.outbox.put(one);
      while (await this.outbox.work());
    }
    /** @returns what may be sent now, as epoch and index */
    async sendable(): Promise<string[]> {
      const all: string[] = [];
      for (;;) {
        const next = await this.outbox.next();
        if (next === undefined) return all;
        all.push(`${next.epoch}/${next.index}`);
      }
    }
  }

  it("hands out in order, forgets by position, hands out again on a new connection", async () => {
    const box = await Box.on(newNor(16));
    await box.store(chunk(3, 0), chunk(3, 1), chunk(5, 0));
    assert.deepEqual(await box.sendable(), ["3/0", "3/1", "5/0"]);
    assert.equal(box.outbox.acked(3, 1), 1);
    box.outbox.rewind();
    assert.deepEqual(await box.sendable(), ["3/1", "5/0"]);
    assert.equal(box.outbox.acked(5, 1), 2);
    assert.equal(box.outbox.count(), 0);
  });

  it("after a start hands out what was not acked, and what the relay has is skipped", async () => {
    const nor = newNor(16);
    await (await Box.on(nor)).store(chunk(3, 0), chunk(3, 1), chunk(5, 0));
    const again = await Box.on(nor);
    assert.equal(again.outbox.count(), 1);
    again.outbox.acked(3, 1);
    assert.deepEqual(await again.sendable(), ["3/1", "5/0"]);
    again.outbox.acked(5, 1);
    assert.equal(again.outbox.count(), 0);
  });

  it("nothing is handed out before somebody consents, then all of it", async () => {
    const box = await Box.on(newNor(16));
    await box.store(chunk(1, 0), chunk(2, 0, true), chunk(2, 1, true));
    assert.deepEqual(await box.sendable(), ["1/0"]);
    await box.store(chunk(2, 2));
    assert.deepEqual(await box.sendable(), ["2/0", "2/1", "2/2"]);
  });

  it("refused: nothing is handed out, the bytes are gone, the next conversation goes on", async () => {
    const nor = newNor(16);
    const box = await Box.on(nor);
    await box.store(chunk(1, 0), chunk(2, 0, true), chunk(2, 1, true));
    box.outbox.put(chunk(2, 2, true));
    box.outbox.refuse(2);
    await box.store(chunk(3, 0));
    assert.deepEqual(await box.sendable(), ["1/0", "3/0"]);
    for (const index of [0, 1, 2]) assert.equal(nor.contains(Buffer.alloc(64, 32 + index)), false);
  });

  it("the power fails before anybody consented: nothing is handed out, and the bytes are gone", async () => {
    const nor = newNor(16);
    await (await Box.on(nor)).store(chunk(1, 0), chunk(2, 0, true), chunk(2, 1, true));
    const again = await Box.on(nor);
    assert.deepEqual(await again.sendable(), ["1/0"]);
    for (const index of [0, 1]) assert.equal(nor.contains(Buffer.alloc(64, 32 + index)), false);
  });

  it("the power fails after somebody consented: all of it is handed out", async () => {
    const nor = newNor(16);
    await (await Box.on(nor)).store(chunk(2, 0, true), chunk(2, 1, true), chunk(2, 2));
    assert.deepEqual(await (await Box.on(nor)).sendable(), ["2/0", "2/1", "2/2"]);
  });

  it("full: takes no more audio, still takes events, loses nothing", async () => {
    const box = await Box.on(newNor(16));
    let index = 0;
    while (box.outbox.hasRoom(1540, false)) await box.store(chunk(1, index++));
    assert.equal(box.outbox.hasRoomInFlash(1540), false);
    assert.equal(box.outbox.hasRoom(300, true), true);
    await box.store({ ...chunk(1, index, false, 260), kind: 2 });
    assert.equal((await box.sendable()).length, index + 1);
    assert.deepEqual(box.lost, []);
  });

  it("full with drop-oldest: gives up the oldest, says how much, and hands out the rest in order", async () => {
    const box = await Box.on(newNor(16), true);
    for (let index = 0; index < 60; index++) {
      assert.equal(box.outbox.hasRoom(1540, false), true);
      await box.store(chunk(1, index));
    }
    const sent = await box.sendable();
    const lostMs = box.lost.reduce((sum, [ms]) => sum + ms, 0);
    assert.ok(box.lost.every(([, cause]) => cause === LossCause.Evicted));
    assert.equal(lostMs, (60 - sent.length) * 1000);
    assert.ok(sent.length >= 20);
    assert.deepEqual(
      sent,
      Array.from({ length: sent.length }, (_, i) => `1/${60 - sent.length + i}`),
    );
    assert.equal(box.outbox.acked(1, 60), sent.length);
    assert.equal(box.outbox.count(), 0);
  });

  it("a chunk that the flash cannot give back is told once, and the others go on", async () => {
    const box = await Box.on(newNor(16));
    await box.store(chunk(1, 0), chunk(1, 1), chunk(1, 2));
    box.nor.corrupt(2000, 1);
    assert.deepEqual(await box.sendable(), ["1/0", "1/2"]);
    box.outbox.rewind();
    assert.deepEqual(await box.sendable(), ["1/0", "1/2"]);
    assert.deepEqual(box.lost, [[1000, LossCause.Storage]]);
  });
});
