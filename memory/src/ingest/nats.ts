// Takes chunks from a JetStream stream that a relay's NATS sink fills: a durable consumer, and a message is acknowledged when the archive has its chunk.
import {
  AckPolicy,
  type ConsumerMessages,
  type JsMsg,
  jetstream,
  jetstreamManager,
} from "@nats-io/jetstream";
import { connect, credsAuthenticator, type NatsConnection } from "@nats-io/transport-node";
import { decodeRecord } from "@salestag/protocol/host";
import type { Clock, NatsServer } from "@salestag/protocol/service";
import { messageOf } from "@salestag/protocol/service";
import type { Problems } from "../pipeline/problems";
import { ChunkConflict } from "./archive";
import type { Source } from "./folder";
import type { Intake } from "./intake";

/** Where the stream is, and how the memory proves itself there. */
export interface NatsPlace extends NatsServer {
  stream: string;
  /** Name of the durable consumer: it keeps the place when the memory is away. */
  consumer: string;
}

export interface NatsOptions {
  place: NatsPlace;
  intake: Pick<Intake, "take">;
  problems: Problems;
  clock: Clock;
}

const CONNECT_MS_MAX = 5000;
const AGAIN_MS = 5000;
/** A message that is not acknowledged for so long comes again. */
const ACK_WAIT_MS = 60_000;
const CONFIRM_MS_MAX = 5000;
const PENDING_MAX = 512;
const NS_PER_MS = 1_000_000;
const ABOUT = "nats";

export class NatsSource implements Source {
  private connection: NatsConnection | undefined;
  private messages: ConsumerMessages | undefined;
  private closed = false;
  private cancelAgain: () => void = () => undefined;
  private running: Promise<void> = Promise.resolve();
  private readonly underWay = new Set<Promise<void>>();

  constructor(private readonly options: NatsOptions) {}

  /** Begins; what is not there yet is tried until it is. */
  start(): void {
    this.running = this.run();
  }

  async idle(): Promise<void> {
    await Promise.all(this.underWay);
  }

  async close(): Promise<void> {
    this.closed = true;
    this.cancelAgain();
    await this.messages?.close();
    await this.running;
  }

  private async run(): Promise<void> {
    const { problems, clock } = this.options;
    try {
      await this.consume();
    } catch (cause) {
      problems.note(ABOUT, `chunks cannot be had from NATS now: ${problemOf(cause)}`);
    }
    await this.connection?.close().catch(() => undefined);
    if (!this.closed) this.cancelAgain = clock.after(AGAIN_MS, () => this.start());
  }

  private async consume(): Promise<void> {
    const { place, problems } = this.options;
    this.connection = await connectTo(place);
    const manager = await jetstreamManager(this.connection);
    await manager.consumers.add(place.stream, {
      durable_name: place.consumer,
      ack_policy: AckPolicy.Explicit,
      ack_wait: ACK_WAIT_MS * NS_PER_MS,
      max_ack_pending: PENDING_MAX,
    });
    const consumer = await jetstream(this.connection).consumers.get(place.stream, place.consumer);
    this.messages = await consumer.consume({ max_messages: PENDING_MAX });
    problems.clear(ABOUT);
    if (this.closed) return;
    for await (const message of this.messages) {
      const done = this.take(message).finally(() => this.underWay.delete(done));
      this.underWay.add(done);
    }
    await this.idle();
  }

  private async take(message: JsMsg): Promise<void> {
    const { intake, problems } = this.options;
    const name = `${ABOUT} message ${message.seq}`;
    try {
      const record = decodeRecord(Buffer.from(message.data));
      await intake.take([record]);
      // Without its word the server sends it again, and the archive has it already.
      await message.ackAck({ timeout: CONFIRM_MS_MAX });
      problems.clear(name);
    } catch (cause) {
      problems.note(name, messageOf(cause));
      // What is no chunk, or has another's place, never will be taken; what the disk refused comes again.
      if (cause instanceof ChunkConflict || (cause as Error).name === "FormatError") message.term();
      else message.nak(AGAIN_MS);
    }
  }
}

function connectTo({ servers, creds, token, user, password, ca }: NatsPlace): Promise<NatsConnection> {
  return connect({
    servers,
    name: "salestag-memory",
    token,
    user,
    pass: password,
    authenticator: creds === undefined ? undefined : credsAuthenticator(new Uint8Array(creds)),
    tls: ca === undefined ? undefined : { ca },
    timeout: CONNECT_MS_MAX,
    maxReconnectAttempts: -1,
    reconnectTimeWait: 1000,
  });
}

function problemOf(cause: unknown): string {
  const text = messageOf(cause);
  return text.includes("no responders") || text === "503" ? "JetStream does not answer" : text;
}
