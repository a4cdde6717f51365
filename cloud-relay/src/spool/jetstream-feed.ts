// Feeds a sink from a stream of JetStream, by a durable consumer that keeps how far the sink has come.
import { createHash } from "node:crypto";
import { AckPolicy, type Consumer, DeliverPolicy, type JsMsg } from "@nats-io/jetstream";
import { decodeRecord } from "@salestag/protocol/host";
import type { Clock } from "@salestag/protocol/service";
import type { NatsStream } from "../nats/connection";
import type { Feed } from "./feed";
import type { SpoolEntry } from "./reader";

const ENTRIES_MAX = 256;
const WAIT_MS = 1000;
const ACK_WAIT_MS = 60_000;
/** While a sink is down, JetStream is told so often that its chunks are still in work. */
const WORKING_MS = 20_000;
const NS_PER_MS = 1_000_000;

/** See the top of the file. */
export class JetStreamFeed implements Feed {
  bytesBehind = 0;

  private held: JsMsg[] = [];
  private cancelWorking: () => void = () => {};

  private constructor(
    private readonly consumer: Consumer,
    private readonly clock: Clock,
  ) {}

  /** Finds or makes the sink's consumer: it begins at the oldest chunk of the stream. */
  static async open(
    nats: NatsStream,
    stream: string,
    sinkName: string,
    clock: Clock,
  ): Promise<JetStreamFeed> {
    const name = `salestag_${createHash("sha256").update(sinkName).digest("hex").slice(0, 16)}`;
    await nats.manager.consumers.add(stream, {
      durable_name: name,
      description: sinkName.slice(0, 200),
      ack_policy: AckPolicy.Explicit,
      deliver_policy: DeliverPolicy.All,
      ack_wait: ACK_WAIT_MS * NS_PER_MS,
      max_ack_pending: ENTRIES_MAX, // nothing overtakes what is not delivered yet
    });
    const feed = new JetStreamFeed(await nats.client.consumers.get(stream, name), clock);
    feed.keepWorking();
    return feed;
  }

  async take(stop: AbortSignal): Promise<SpoolEntry[]> {
    while (this.held.length === 0) {
      const found: JsMsg[] = [];
      for await (const message of await this.consumer.fetch({ max_messages: ENTRIES_MAX, expires: WAIT_MS }))
        found.push(message);
      this.held = found;
      if (stop.aborted) break;
    }
    const last = this.held.at(-1);
    this.bytesBehind = last === undefined ? 0 : (last.info.pending + this.held.length) * last.data.length;
    return this.held.map(({ data }) => {
      const encoded = Buffer.from(data);
      return { record: decodeRecord(encoded), encoded };
    });
  }

  async pass(): Promise<void> {
    const { held } = this;
    const acked = await Promise.all(held.map((message) => message.ackAck()));
    if (!acked.every(Boolean)) throw new Error("JetStream did not take note of what was delivered");
    this.held = [];
  }

  /** `pass` has done it. */
  async save(): Promise<void> {}

  async close(): Promise<void> {
    this.cancelWorking();
    for (const message of this.held) message.nak();
  }

  private keepWorking(): void {
    this.cancelWorking = this.clock.after(WORKING_MS, () => {
      for (const message of this.held) message.working();
      this.keepWorking();
    });
  }
}
