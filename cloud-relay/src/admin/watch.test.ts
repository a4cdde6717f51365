// Watching a badge's chunks at the operator's door: what is told, when, to whom, and what ends it.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { connect } from "node:net";
import { NatsServer } from "@salestag/protocol/testing";
import { type Disk, nodeDisk } from "../disk";
import type { Relay, RelayOptions } from "../index";
import { Bench, ManualClock, type TestBadge } from "../testing/rigging";
import { WatchClient } from "../testing/watch-client";

const TOKEN = randomBytes(24).toString("base64");
const ADMIN = { host: "127.0.0.1", port: 0, token: Buffer.from(TOKEN) };

const counted = (from: number, count: number) => Array.from({ length: count }, (_, index) => from + index);

/** A disk whose syncs wait for the test while they are held. */
class HeldDisk {
  /** Set: a sync waits for it. */
  held: Promise<void> | undefined;
  syncing: () => void = () => {};

  readonly disk: Disk = {
    ...nodeDisk,
    open: async (path, flags, mode) => {
      const file = await nodeDisk.open(path, flags, mode);
      return {
        write: (bytes, offset) => file.write(bytes, offset),
        truncate: (lengthBytes) => file.truncate(lengthBytes),
        close: () => file.close(),
        dataSync: async () => {
          this.syncing();
          await this.held;
          await file.dataSync();
        },
      };
    },
  };

  /** @returns what lets the syncs go on, or fail, and a promise of the first that waits */
  hold(): { waiting: Promise<void>; release: () => void; fail: (cause: Error) => void } {
    let release: () => void = () => {};
    let fail: (cause: Error) => void = () => {};
    this.held = new Promise((resolve, reject) => {
      release = resolve;
      fail = reject;
    });
    this.held.catch(() => undefined); // told by the sync
    const waiting = new Promise<void>((resolve) => {
      this.syncing = resolve;
    });
    return { waiting, release, fail };
  }
}

describe("operator's door: watching a badge's chunks", () => {
  let bench: Bench;
  let relay: Relay;
  let badge: TestBadge;
  let clock: ManualClock;
  let watches: WatchClient[];

  beforeEach(() => {
    bench = new Bench();
    badge = bench.badge();
    clock = new ManualClock();
    watches = [];
  });
  afterEach(async () => {
    for (const watch of watches) watch.close();
    await bench.end();
  });

  const start = async (more: Partial<RelayOptions> = {}) => {
    relay = await bench.relay({ clock, admin: ADMIN, ...more });
  };
  const ask = async (path: string, { token = TOKEN, method = "GET" } = {}) => {
    const watch = await WatchClient.open(`${relay.adminUrl}${path}`, token, method);
    watches.push(watch);
    return watch;
  };
  /** A watch that stands. */
  const watch = async (connected: boolean, query = "", of = badge) => {
    const began = await ask(`/badges/${of.id}/chunks${query}`);
    assert.equal(began.status, 200);
    assert.deepEqual(await began.next(), { watching: of.id, connected });
    return began;
  };
  const send = (client: Awaited<ReturnType<Bench["connect"]>>, from: number, count: number) => {
    for (const index of counted(from, count)) client.sendChunk(3, index, Buffer.alloc(60, index));
    return client.ackedBefore(3, from + count);
  };

  it("every chunk from then on, once, in order, whole; none that was durable before", async () => {
    await start();
    const client = await bench.connect(relay, badge);
    await send(client, 0, 5);
    const watching = await watch(true);
    assert.equal(watching.answer.headers["content-type"], "application/x-ndjson");
    await send(client, 5, 20);
    client.sendChunk(3, 24, Buffer.alloc(60, 24)); // the badge missed the ack
    await send(client, 25, 1);
    const first = await watching.nextRecord();
    assert.deepEqual([first.badge, first.epoch, first.index], [badge.id, 3, 5]);
    assert.equal(first.receivedMs, clock.unixMs());
    assert.deepEqual(first.sealed, Buffer.alloc(60, 5));
    assert.deepEqual(await watching.nextIndexes(20), counted(6, 20));
  });

  it("a chunk is told only behind its commit", async () => {
    const held = new HeldDisk();
    await start({ disk: held.disk });
    const client = await bench.connect(relay, badge);
    const watching = await watch(true);
    const { waiting, release } = held.hold();
    client.sendChunk(3, 0, Buffer.alloc(60));
    await waiting;
    await client.close();
    assert.deepEqual(await watching.next(), { connected: false }); // lines keep their order: nothing came before
    release();
    assert.deepEqual(await watching.nextIndexes(1), [0]);
  });

  it("a chunk that the disk fails to keep is never told, and the watch ends", async () => {
    const held = new HeldDisk();
    await start({ disk: held.disk });
    const client = await bench.connect(relay, badge);
    const watching = await watch(true);
    const { waiting, fail } = held.hold();
    client.sendChunk(3, 0, Buffer.alloc(60));
    await waiting;
    fail(Object.assign(new Error("EIO: the disk is broken"), { code: "EIO" }));
    assert.equal(await watching.next(), undefined);
    assert.equal(bench.fatal.length, 1);
  });

  it("two watches of a badge are both told all; one of another badge nothing of it", async () => {
    await start();
    const other = bench.badge();
    const client = await bench.connect(relay, badge);
    const [one, two, elsewhere] = [await watch(true), await watch(true), await watch(false, "", other)];
    await send(client, 0, 30);
    assert.deepEqual(await one.nextIndexes(30), counted(0, 30));
    assert.deepEqual(await two.nextIndexes(30), counted(0, 30));
    await bench.connect(relay, other);
    assert.deepEqual(await elsewhere.next(), { connected: true });
  });

  it("the badge comes, is replaced by a newer connection of its own, goes", async () => {
    await start();
    const watching = await watch(false);
    const first = await bench.connect(relay, badge);
    assert.deepEqual(await watching.next(), { connected: true });
    const second = await bench.connect(relay, badge);
    await first.close();
    await send(second, 0, 1);
    assert.deepEqual(await watching.nextIndexes(1), [0]);
    await second.close();
    assert.deepEqual(await watching.next(), { connected: false });
  });

  for (const [query, seconds] of [
    ["?seconds=1", 1],
    ["", 60],
    ["?seconds=600", 600],
  ] as const)
    it(`ends when its time is over, and the answer is whole (${query || "no"} query: ${seconds} s)`, async () => {
      await start();
      const watching = await watch(false, query);
      clock.advance(seconds * 1000 - 1);
      await bench.connect(relay, badge);
      assert.deepEqual(await watching.next(), { connected: true });
      clock.advance(1);
      assert.equal(await watching.next(), undefined);
      assert.equal(watching.answer.complete, true);
    });

  it("ends at once when the relay ends, and the answer says that it is not whole", async () => {
    await start();
    const watching = await watch(false);
    await relay.close();
    assert.equal(await watching.next(), undefined);
    assert.equal(watching.answer.complete, false);
  });

  it("eight at a time; one that ends makes room", async () => {
    await start();
    const open: WatchClient[] = [];
    for (const _ of counted(0, 8)) open.push(await watch(false));
    const tooMany = await ask(`/badges/${badge.id}/chunks`);
    assert.equal(tooMany.status, 429);
    assert.match(String(((await tooMany.next()) as { error: string }).error), /^8 watches are open/);
    open[3].close();
    const path = `/badges/${badge.id}/chunks`;
    let next = await ask(path);
    while (next.status === 429) next = await ask(path); // until the relay has seen the other go
    assert.equal(next.status, 200);
  });

  it("a client that does not read is cut off; badge and other watches go on", async () => {
    await start();
    const client = await bench.connect(relay, badge);
    const { port } = new URL(relay.adminUrl as string);
    const deaf = connect(Number(port), "127.0.0.1").on("error", () => undefined);
    const path = `/badges/${badge.id}/chunks`;
    deaf.write(`GET ${path} HTTP/1.1\r\nhost: relay\r\nauthorization: Bearer ${TOKEN}\r\n\r\n`);
    await once(deaf, "readable"); // it stands; nothing is read from here on
    const watching = await watch(true);
    let index = 0;
    const cut = () =>
      bench.lines.some((line) => line.startsWith("warn watch ended: its client does not read"));
    for (; !cut() && index < 4000; index++) {
      client.sendChunk(3, index, Buffer.alloc(16_000, index));
      await client.ackedBefore(3, index + 1);
      assert.deepEqual(await watching.nextIndexes(1), [index]);
    }
    assert.ok(cut(), `${index} chunks wait for a client that does not read`);
    await send(client, index, 1);
    assert.deepEqual(await watching.nextIndexes(1), [index]);
    deaf.destroy();
  });

  for (const [what, path, asked, status, words] of [
    ["a wrong token", "/chunks", { token: `${TOKEN}x` }, 401, /authorization/],
    ["no token", "/chunks", { token: "" }, 401, /authorization/],
    ["another method", "/chunks", { method: "POST" }, 405, /watched with GET/],
    ["no time", "/chunks?seconds=0", {}, 400, /from 1 to 600/],
    ["too long a time", "/chunks?seconds=601", {}, 400, /from 1 to 600/],
    ["a time that is no whole number", "/chunks?seconds=1.5", {}, 400, /from 1 to 600/],
    ["an empty time", "/chunks?seconds=", {}, 400, /from 1 to 600/],
    ["something below it", "/chunks/1", {}, 404, /nothing here/],
  ] as [string, string, { token?: string; method?: string }, number, RegExp][])
    it(`is refused: ${what}`, async () => {
      await start();
      const refused = await ask(`/badges/${badge.id}${path}`, asked);
      assert.equal(refused.status, status);
      assert.match(((await refused.next()) as { error: string }).error, words);
    });

  it("is refused: a badge that nobody knows", async () => {
    await start();
    const refused = await ask(`/badges/${"00".repeat(8)}/chunks`);
    assert.equal(refused.status, 404);
    assert.match(((await refused.next()) as { error: string }).error, /not registered/);
  });
});

describe("operator's door: watching a badge's chunks, spool in JetStream", () => {
  it("a chunk is told when JetStream has it, by the relay that the badge is connected to", async () => {
    const server = await NatsServer.start();
    const bench = new Bench();
    const watches: WatchClient[] = [];
    try {
      const stream = { stream: "SPOOL", subject: "salestag.spool", replicas: 1, duplicateWindowMs: 120_000 };
      const spool = { place: { servers: [server.url] }, stream, ackMsMax: 500 };
      const [having, other] = [
        await bench.relay({ spool, admin: ADMIN }),
        await bench.relay({ spool, admin: ADMIN }),
      ];
      const badge = bench.badge();
      const client = await bench.connect(having, badge);
      const storing = (index: number, by = client) => by.sendChunk(3, index, Buffer.alloc(60, index));
      storing(0);
      await client.ackedBefore(3, 1);
      for (const { adminUrl } of [having, other])
        watches.push(await WatchClient.open(`${adminUrl}/badges/${badge.id}/chunks`, TOKEN));
      const [here, there] = watches;
      assert.deepEqual(await here.next(), { watching: badge.id, connected: true });
      assert.deepEqual(await there.next(), { watching: badge.id, connected: false });
      for (const index of counted(1, 20)) storing(index);
      assert.deepEqual(await here.nextIndexes(20), counted(1, 20));
      await client.ackedBefore(3, 21);
      const moved = await bench.connect(other, badge);
      assert.deepEqual(await there.next(), { connected: true }); // and nothing before
      storing(21, moved);
      assert.deepEqual(await there.nextIndexes(1), [21]);
      await server.kill();
      storing(22);
      assert.equal((await client.nextAck()).window, 0);
      await client.close();
      assert.deepEqual(await here.next(), { connected: false }); // lines keep their order: neither chunk was told
      await server.up();
      assert.deepEqual(await here.nextIndexes(1), [22]);
    } finally {
      for (const watch of watches) watch.close();
      await bench.end();
      await server.end();
    }
  });
});
