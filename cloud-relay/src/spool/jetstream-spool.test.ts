// The spool in JetStream, with a real nats-server: relays without a state of their own, each chunk once and in order, whatever ends or fails.
import assert from "node:assert/strict";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { connect as connectTcp, createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";
import { AckPolicy, jetstream, jetstreamManager } from "@nats-io/jetstream";
import { connect, type NatsConnection } from "@nats-io/transport-node";
import { type ChunkRecord, decodeRecord, FrameType } from "@salestag/protocol/host";
import { NatsServer } from "@salestag/protocol/testing";
import { nodeDisk } from "../disk";
import { folderSink } from "../sinks/folder";
import type { Sink } from "../sinks/sink";
import type { BadgeClient } from "../testing/badge-client";
import { Bench, namesOf, RelayChild, recordsInFolder, type TestBadge } from "../testing/rigging";
import type { JetStreamSpoolSettings } from "./jetstream-spool";

const STREAM = { stream: "SPOOL", subject: "salestag.spool", replicas: 1, duplicateWindowMs: 120_000 };

describe("spool in JetStream", () => {
  let bench: Bench;
  let server: NatsServer;
  let settings: JetStreamSpoolSettings;
  let watching: NatsConnection;

  beforeEach(async () => {
    bench = new Bench();
    server = await NatsServer.start();
    settings = { place: { servers: [server.url] }, stream: STREAM, ackMsMax: 500 };
    watching = await connect({ servers: [server.url], maxReconnectAttempts: -1, reconnectTimeWait: 100 });
  });
  afterEach(async () => {
    await bench.end();
    await watching.close();
    await server.end();
  });

  /** Everything in the stream, in order. */
  async function stored(): Promise<ChunkRecord[]> {
    const manager = await jetstreamManager(watching);
    const { messages } = (await manager.streams.info("SPOOL")).state;
    const records: ChunkRecord[] = [];
    if (messages === 0) return records;
    const name = `test${messages}`;
    await manager.consumers.add("SPOOL", { durable_name: name, ack_policy: AckPolicy.None });
    const consumer = await jetstream(watching).consumers.get("SPOOL", name);
    for await (const message of await consumer.fetch({ max_messages: messages }))
      records.push(decodeRecord(Buffer.from(message.data)));
    return records;
  }

  it("chunks are acked when JetStream has them, each once; another relay knows how far a badge has come", async () => {
    const badge = bench.badge();
    const first = await bench.relay({ spool: settings });
    const client = await bench.connect(first, badge);
    for (let index = 0; index < 20; index++) client.sendChunk(3, index, Buffer.alloc(60, index));
    await client.ackedBefore(3, 20);
    assert.equal((await stored()).length, 20);
    const second = await bench.relay({ spool: settings });
    const again = await bench.connect(second, badge);
    assert.deepEqual([again.welcome.nextEpoch, again.welcome.nextIndex], [3, 20]);
    again.sendChunk(3, 19, Buffer.alloc(60, 19)); // the badge missed the ack
    again.sendChunk(3, 20, Buffer.alloc(60, 20));
    await again.ackedBefore(3, 21);
    const records = await stored();
    assert.deepEqual(
      records.map(({ index }) => index),
      Array.from({ length: 21 }, (_, index) => index),
    );
    assert.deepEqual(records[7].sealed, Buffer.alloc(60, 7));
  });

  it("two relays that get the same chunks at the same time store each once, in order, and both ack", async () => {
    const badge = bench.badge();
    const relays = [await bench.relay({ spool: settings }), await bench.relay({ spool: settings })];
    const clients = [await bench.connect(relays[0], badge), await bench.connect(relays[1], badge)];
    for (let index = 0; index < 100; index++)
      for (const client of clients) client.sendChunk(0, index, Buffer.alloc(60, index));
    await Promise.all(clients.map((client) => client.ackedBefore(0, 100)));
    assert.deepEqual(
      (await stored()).map(({ index }) => index),
      Array.from({ length: 100 }, (_, index) => index),
    );
  });

  it("a NATS server that is killed: badges are told to hold, the relay is not ready, and all goes on when it is back", async () => {
    const badge = bench.badge();
    const relay = await bench.relay({
      spool: settings,
      admin: { host: "127.0.0.1", port: 0, token: Buffer.alloc(24, 65) },
    });
    const ready = async () => (await fetch(`${relay.adminUrl}/readyz`)).status;
    const client = await bench.connect(relay, badge);
    client.sendChunk(0, 0, Buffer.alloc(60));
    await client.ackedBefore(0, 1);
    assert.equal(await ready(), 200);
    await server.kill();
    client.sendChunk(0, 1, Buffer.alloc(60, 1));
    assert.equal((await client.nextAck()).window, 0);
    assert.equal(await ready(), 503);
    await server.up();
    await client.ackedBefore(0, 2);
    assert.equal(await ready(), 200);
    assert.deepEqual(
      (await stored()).map(({ index }) => index),
      [0, 1],
    );
    assert.ok(bench.lines.some((line) => line.startsWith("info JetStream takes chunks again")));
  });

  it("a stream that is full: badges are told to hold, and go on when there is room", async () => {
    const badge = bench.badge();
    const relay = await bench.relay({ spool: settings });
    const client = await bench.connect(relay, badge);
    client.sendChunk(0, 0, Buffer.alloc(60));
    await client.ackedBefore(0, 1);
    const manager = await jetstreamManager(watching);
    const { config, state } = await manager.streams.info("SPOOL");
    await manager.streams.update("SPOOL", { ...config, max_bytes: state.bytes + 50 });
    client.sendChunk(0, 1, Buffer.alloc(60, 1));
    assert.equal((await client.nextAck()).window, 0);
    await manager.streams.update("SPOOL", { ...config, max_bytes: -1 });
    await client.ackedBefore(0, 2);
  });

  it("nobody there at the start is told", async () => {
    await assert.rejects(
      bench.relay({ spool: { ...settings, place: { servers: ["nats://127.0.0.1:1"] } } }),
      /the spool in JetStream at nats:\/\/127\.0\.0\.1:1 cannot be used: .*refused/i,
    );
  });

  it("sinks are fed from the stream, in order; what fails comes again, a restart goes on where it was", async () => {
    const badge = bench.badge();
    const spool = { ...settings, folder: bench.directory };
    const delivered: number[] = [];
    let failures = 2;
    const sink: Sink = {
      name: "list",
      async deliver(entries) {
        if (failures-- > 0) throw new Error("down");
        delivered.push(...entries.map(({ record }) => record.index));
        ended.emit();
      },
    };
    const ended = { emit: () => {} };
    const until = async (count: number) => {
      while (delivered.length < count)
        await new Promise<void>((resolve) => {
          ended.emit = resolve;
        });
    };
    const first = await bench.relay({ spool, sinks: [sink, folderSink(bench.folder, nodeDisk)] });
    const client = await bench.connect(first, badge);
    for (let index = 0; index < 30; index++) client.sendChunk(0, index, Buffer.alloc(60, index));
    await client.ackedBefore(0, 30);
    await until(30);
    await first.close();
    const second = await bench.relay({ spool, sinks: [sink] });
    const again = await bench.connect(second, badge);
    again.sendChunk(0, 30, Buffer.alloc(60, 30));
    await until(31);
    assert.deepEqual(
      delivered,
      Array.from({ length: 31 }, (_, index) => index),
    );
    assert.equal(recordsInFolder(bench.folder).length, 30);
  });

  it("a letter that one relay takes reaches a badge at another, at once or when it comes", async () => {
    const badge = bench.badge();
    const admin = { host: "127.0.0.1", port: 0, token: Buffer.alloc(24, 65) };
    const [taking, having] = [
      await bench.relay({ spool: settings, admin }),
      await bench.relay({ spool: settings }),
    ];
    const client = await bench.connect(having, badge);
    const { sealNudge, nodeCrypto } = await import("@salestag/protocol/host");
    const post = async (id: number) => {
      const content = { id, expiresUnixMs: 0, pattern: 1, text: "Ask about the roof" };
      const body = sealNudge(nodeCrypto(), Buffer.alloc(32, 1), badge.badgeId, content);
      const headers = { authorization: `Bearer ${"A".repeat(24)}` };
      const url = `${taking.adminUrl}/badges/${badge.id}/nudges`;
      assert.equal((await fetch(url, { method: "POST", headers, body: new Uint8Array(body) })).status, 201);
      return body;
    };
    const body = await post(1);
    const frame = await client.next();
    assert.deepEqual([frame.type, frame.body], [FrameType.Nudge, body]);
    await client.close();
    const second = await post(2);
    const again = await bench.connect(having, badge);
    assert.deepEqual([(await again.next()).body, (await again.next()).body], [body, second]);
  });

  it("two relay processes behind a balancer, one of them killed under load: every acked chunk is there, once and in order", async () => {
    const children = [await child(), await child()];
    const balancer = await Balancer.start(
      children.map(({ addresses }) => Number(new URL(addresses[0]).port)),
    );
    const badges = Array.from({ length: 12 }, () => bench.badge());
    const CHUNKS = 150;
    let killed = false;
    const acked = new Map<string, number>();
    const feed = async (badge: TestBadge) => {
      for (;;) {
        try {
          const client = await bench.connect({ addresses: [balancer.url] }, badge);
          await sendAll(client, badge);
          return;
        } catch {
          // its relay is gone: it comes again, as a badge does
        }
      }
    };
    const sendAll = async (client: BadgeClient, badge: TestBadge) => {
      let next = client.welcome.nextIndex;
      assert.ok(next >= (acked.get(badge.id) ?? 0), "a relay knows less than was acked");
      while (next < CHUNKS) {
        const to = Math.min(CHUNKS, next + 8);
        for (let index = next; index < to; index++) client.sendChunk(0, index, Buffer.alloc(4000, index));
        const ack = await client.ackedBefore(0, to);
        next = ack.nextIndex;
        acked.set(badge.id, next);
        const total = [...acked.values()].reduce((sum, one) => sum + one, 0);
        if (!killed && total > (badges.length * CHUNKS) / 3) {
          killed = true;
          balancer.take(0);
          children[0].signal("SIGKILL");
        }
      }
    };
    await Promise.all(badges.map(feed));
    assert.ok(killed);
    const records = await stored();
    for (const { id } of badges)
      assert.deepEqual(
        records.filter(({ badge }) => badge === id).map(({ index }) => index),
        Array.from({ length: CHUNKS }, (_, index) => index),
      );
    assert.equal(new Set(namesOf(records)).size, badges.length * CHUNKS);
    balancer.close();
    children[1].signal("SIGTERM");
    assert.deepEqual(await children[1].closed, [0, null]);
  });

  async function child(): Promise<RelayChild> {
    const config = join(bench.directory, "relay.yaml");
    writeFileSync(
      config,
      `listen: [tcp://127.0.0.1:0]\nregistry: ${bench.registry}\nspool:\n  nats:\n    servers: [${server.url}]\n    stream: SPOOL\n`,
    );
    return await new RelayChild(["--config", config]).listening();
  }
});

/** Hands connections to several ports in turn, as a TCP load balancer does. */
class Balancer {
  private next = 0;
  private readonly sockets = new Set<Socket>();

  private constructor(
    private readonly server: Server,
    private readonly ports: number[],
    readonly url: string,
  ) {}

  static async start(ports: number[]): Promise<Balancer> {
    const server = createServer({ pauseOnConnect: true });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    if (address === null || typeof address === "string") throw new Error("no port");
    const balancer = new Balancer(server, [...ports], `tcp://127.0.0.1:${address.port}`);
    server.on("connection", (socket) => balancer.connect(socket));
    return balancer;
  }

  /** Hands it no more connections. */
  take(at: number): void {
    this.ports.splice(at, 1);
  }

  close(): void {
    this.server.close();
    for (const socket of this.sockets) socket.destroy();
  }

  private connect(from: Socket): void {
    const to = connectTcp(this.ports[this.next++ % this.ports.length], "127.0.0.1");
    for (const [socket, other] of [
      [from, to],
      [to, from],
    ]) {
      this.sockets.add(socket);
      socket.on("error", () => undefined);
      socket.on("close", () => other.destroy());
    }
    from.pipe(to).pipe(from);
    from.resume();
  }
}
