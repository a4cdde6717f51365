// NATS JetStream with file storage: the server, and two ways to publish to it.

import { randomBytes } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { jetstream, jetstreamManager, StorageType } from "@nats-io/jetstream";
import { connect, createInbox, headers, type Msg, type NatsConnection } from "@nats-io/transport-node";
import { freePort } from "@salestag/protocol/testing";
import type { Send } from "./meter";
import { Server } from "./server";
import { CHUNK_BYTES, fail, type Target, type TargetSpec } from "./target";

const SUBJECT = "chunks.bench";
/** Tells each message from all others, so that the server's check for duplicates has its work. */
const MESSAGE_ID = "Nats-Msg-Id";

/** Starts a server with its files in a folder. */
export async function startNats(program: string, folder: string): Promise<{ server: Server; port: number }> {
  const store = join(folder, "jetstream");
  mkdirSync(store);
  const port = await freePort();
  const config = join(folder, "nats.conf");
  writeFileSync(
    config,
    `host: 127.0.0.1\nport: ${port}\njetstream { store_dir: ${JSON.stringify(store)} }\n`,
  );
  const [server] = await Server.start(program, ["-c", config], /Server is ready/);
  return { server, port };
}

/** Connects and makes the stream: one lane, as NATS does best with one connection. */
export async function connectNats({ port, api }: TargetSpec & { kind: "nats" }): Promise<Target> {
  const connection = await connect({ servers: `127.0.0.1:${port}`, reconnect: false });
  const manager = await jetstreamManager(connection);
  await manager.streams.add({ name: "CHUNKS", subjects: ["chunks.*"], storage: StorageType.File });
  const payload = randomBytes(CHUNK_BYTES);
  const lane = api === "raw" ? rawLane(connection, payload) : publishLane(connection, payload);
  return { lanes: [lane], close: () => connection.close() };
}

/** The library's own call, which waits for the ack. */
function publishLane(connection: NatsConnection, payload: Uint8Array): Send {
  const stream = jetstream(connection);
  let sent = 0;
  return (acked) => {
    stream.publish(SUBJECT, payload, { msgID: `m${sent++}` }).then(({ duplicate }) => {
      if (duplicate) fail("NATS took a new message for a duplicate");
      acked();
    });
  };
}

/** Acks come to one subscription and are told apart by their subject: less work for the client than `publish`. */
function rawLane(connection: NatsConnection, payload: Uint8Array): Send {
  const inbox = createInbox();
  const waiting = new Map<string, () => void>();
  connection.subscribe(`${inbox}.*`, { callback: (error, message) => take(error, message) });
  const take = (error: Error | null, message: Msg) => {
    if (error) throw error;
    const text = message.string();
    if (!text.includes('"seq"') || text.includes('"duplicate"'))
      fail(`NATS did not store a message: ${text}`);
    const acked = waiting.get(message.subject);
    waiting.delete(message.subject);
    acked?.();
  };
  let sent = 0;
  return (acked) => {
    const id = String(sent++);
    const reply = `${inbox}.${id}`;
    waiting.set(reply, acked);
    const messageHeaders = headers();
    messageHeaders.set(MESSAGE_ID, id);
    connection.publish(SUBJECT, payload, { reply, headers: messageHeaders });
  };
}
