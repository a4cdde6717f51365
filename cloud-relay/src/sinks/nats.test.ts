// The NATS sink against a real nats-server with JetStream.
import assert from "node:assert/strict";
import { AckPolicy, jetstream, jetstreamManager } from "@nats-io/jetstream";
import { connect, type NatsConnection } from "@nats-io/transport-node";
import { decodeRecord } from "@salestag/protocol/host";
import { NatsServer } from "@salestag/protocol/testing";
import { entryOf } from "../testing/entries";
import { natsSink } from "./nats";
import type { Sink } from "./sink";

const A = "0102030405060708";
const B = "1112131415161718";
const SETTINGS = { stream: "CHUNKS", subject: "salestag.chunks", replicas: 1, duplicateWindowMs: 120_000 };
const NEVER = new AbortController().signal;

/** Waits until a connection that was lost is there again. */
async function again(connection: NatsConnection): Promise<void> {
  for await (const { type } of connection.status()) if (type === "reconnect") return;
}

describe("sink: NATS JetStream", () => {
  let server: NatsServer;
  let sink: Sink;
  let watching: NatsConnection;

  beforeEach(async () => {
    server = await NatsServer.start('authorization { token: "let-me-in" }');
    sink = natsSink({ servers: [server.url], token: "let-me-in" }, SETTINGS, 500);
    watching = await connect({ servers: [server.url], token: "let-me-in", maxReconnectAttempts: -1 });
  });
  afterEach(async () => {
    await sink.close?.();
    await watching.close();
    await server.end();
  });

  /** Subject, message id and record of everything in the stream, in order. */
  async function stored() {
    const manager = await jetstreamManager(watching);
    const { messages } = (await manager.streams.info("CHUNKS")).state;
    await manager.consumers.add("CHUNKS", { durable_name: "test", ack_policy: AckPolicy.None });
    const consumer = await jetstream(watching).consumers.get("CHUNKS", "test");
    const found: { subject: string; id: string; encoded: Buffer }[] = [];
    if (messages === 0) return found;
    for await (const message of await consumer.fetch({ max_messages: messages })) {
      const id = message.headers?.get("Nats-Msg-Id") ?? "";
      found.push({ subject: message.subject, id, encoded: Buffer.from(message.data) });
    }
    return found;
  }

  it("makes the stream, on disk and refusing rather than dropping when full; chunks arrive in order for each badge", async () => {
    const entries = [0, 1, 2, 3].flatMap((index) => [entryOf(A, 3, index), entryOf(B, 9, index)]);
    await sink.deliver(entries, NEVER);
    const { config } = await (await jetstreamManager(watching)).streams.info("CHUNKS");
    assert.deepEqual(
      [config.storage, config.discard, config.subjects],
      ["file", "new", ["salestag.chunks.*"]],
    );
    const found = await stored();
    for (const badge of [A, B]) {
      const own = found.filter(({ subject }) => subject === `salestag.chunks.${badge}`);
      assert.deepEqual(
        own.map(({ encoded }) => decodeRecord(encoded)),
        entries.filter(({ record }) => record.badge === badge).map(({ record }) => record),
      );
    }
    assert.equal(found[0].id.split("/").length, 3);
  });

  it("a second delivery is there once", async () => {
    const entries = [entryOf(A, 1, 0), entryOf(A, 1, 1)];
    for (let round = 0; round < 2; round++) await sink.deliver(entries, NEVER);
    assert.equal((await stored()).length, 2);
  });

  it("a server that is killed amid the delivery: it fails, and goes on where it was when the server is back", async () => {
    await sink.deliver([entryOf(A, 1, 0)], NEVER);
    await server.kill();
    await assert.rejects(sink.deliver([entryOf(A, 1, 1)], NEVER), /timeout/i);
    const connected = again(watching);
    await server.up();
    await connected;
    for (;;) {
      try {
        await sink.deliver([entryOf(A, 1, 1), entryOf(A, 1, 2)], NEVER);
        break;
      } catch (cause) {
        assert.ok(cause instanceof Error); // until its client has connected again
      }
    }
    assert.deepEqual(
      (await stored()).map(({ id }) => id),
      [`${A}/1/0`, `${A}/1/1`, `${A}/1/2`],
    );
  });

  it("a wrong token, and nobody there, are told; neither is in the name", async () => {
    const wrong = natsSink({ servers: [server.url], token: "wrong-token" }, SETTINGS);
    await assert.rejects(wrong.deliver([entryOf(A, 1, 0)], NEVER), (error: Error) => {
      assert.match(error.message, /[Aa]uthorization/);
      assert.doesNotMatch(error.message, /wrong-token/);
      return true;
    });
    const nobody = natsSink({ servers: ["nats://127.0.0.1:1"] }, SETTINGS);
    await assert.rejects(nobody.deliver([entryOf(A, 1, 0)], NEVER), /refused/i);
    assert.equal(wrong.name, `nats:${server.url}/CHUNKS`);
  });

  it("a stream that takes other subjects is told", async () => {
    await (await jetstreamManager(watching)).streams.add({ name: "CHUNKS", subjects: ["other.*"] });
    await assert.rejects(sink.deliver([entryOf(A, 1, 0)], NEVER), /stream CHUNKS takes other\.\*/);
  });

  it("a stream that is full refuses, and nothing in it is lost", async () => {
    const manager = await jetstreamManager(watching);
    await sink.deliver([entryOf(A, 1, 0)], NEVER);
    const { config, state } = await manager.streams.info("CHUNKS");
    await manager.streams.update("CHUNKS", { ...config, max_bytes: state.bytes + 50 });
    await assert.rejects(sink.deliver([entryOf(A, 1, 1)], NEVER), /maximum bytes/);
    assert.deepEqual(
      (await stored()).map(({ id }) => id),
      [`${A}/1/0`],
    );
  });
});
