// Letters in a stream of JetStream beside that of the chunks, so that any relay has them; and each is told to all relays at once, as any may have the badge.

import { AckPolicy, type JsMsg } from "@nats-io/jetstream";
import { headers, type MsgHdrs, type Subscription } from "@nats-io/transport-node";
import type { Clock, Log, NatsServer } from "@salestag/protocol/service";
import { messageOf } from "../errors";
import { type NatsStream, openStream, type StreamSettings } from "../nats/connection";
import { KEEP_MS_MAX, type Letter, type LetterType, type Mailbox, NUDGES_MAX, waiting } from "./mailbox";

const ID = "Salestag-Id";
const EXPIRES = "Salestag-Expires";
const FETCH_MS_MAX = 5000;
const CONSUMER_MS_MAX = 10_000;
const NS_PER_MS = 1_000_000;

/** See the top of the file. */
export class JetStreamMailbox implements Mailbox {
  private constructor(
    private readonly nats: NatsStream,
    private readonly stream: string,
    /** Subjects are `<subject>.mail.<badge>.<type>`. */
    private readonly subject: string,
    private readonly clock: Clock,
    private readonly told: Subscription,
  ) {}

  /** @param onLetter called with each letter that any relay takes, this one too */
  static async open(
    place: NatsServer,
    chunks: StreamSettings,
    clock: Clock,
    log: Log,
    onLetter: (badge: string, letter: Letter) => void,
  ): Promise<JetStreamMailbox> {
    const stream = `${chunks.stream}_MAIL`;
    const subject = `${chunks.subject}.mail`;
    const nats = await openStream(place, {
      stream,
      subject: `${subject}.*`,
      replicas: chunks.replicas,
      duplicateWindowMs: chunks.duplicateWindowMs,
      retention: { maxAgeMs: KEEP_MS_MAX, perSubjectMax: NUDGES_MAX },
    });
    const told = nats.connection.subscribe(`${subject}.*.*`);
    const box = new JetStreamMailbox(nats, stream, subject, clock, told);
    box
      .hear(onLetter)
      .catch((cause) => log.error("letters are not heard any more", { why: messageOf(cause) }));
    return box;
  }

  async add(badge: string, { type, id, expiresUnixMs, body }: Letter): Promise<void> {
    const named = headers();
    named.set(ID, String(id));
    named.set(EXPIRES, String(expiresUnixMs));
    await this.nats.client.publish(`${this.subject}.${badge}.${type}`, body, { headers: named });
  }

  async of(badge: string): Promise<Letter[]> {
    const filter = `${this.subject}.${badge}.*`;
    const { state } = await this.nats.manager.streams.info(this.stream, { subjects_filter: filter });
    const count = Object.values(state.subjects ?? {}).reduce((sum, messages) => sum + messages, 0);
    if (count === 0) return [];
    const { name } = await this.nats.manager.consumers.add(this.stream, {
      ack_policy: AckPolicy.None,
      filter_subject: filter,
      inactive_threshold: CONSUMER_MS_MAX * NS_PER_MS,
      mem_storage: true,
    });
    const consumer = await this.nats.client.consumers.get(this.stream, name);
    const letters: Letter[] = [];
    for await (const message of await consumer.fetch({ max_messages: count, expires: FETCH_MS_MAX }))
      letters.push(letterOf(message.subject, message.headers, message));
    await consumer.delete();
    return waiting(letters, this.clock.unixMs());
  }

  async close(): Promise<void> {
    this.told.unsubscribe();
    await this.nats.connection.close();
  }

  private async hear(onLetter: (badge: string, letter: Letter) => void): Promise<void> {
    for await (const message of this.told) {
      const badge = message.subject.split(".").at(-2) ?? "";
      onLetter(badge, letterOf(message.subject, message.headers, message));
    }
  }
}

function letterOf(subject: string, named: MsgHdrs | undefined, { data }: Pick<JsMsg, "data">): Letter {
  return {
    type: Number(subject.split(".").at(-1)) as LetterType,
    id: Number(named?.get(ID)),
    expiresUnixMs: Number(named?.get(EXPIRES)),
    body: Buffer.from(data),
  };
}
