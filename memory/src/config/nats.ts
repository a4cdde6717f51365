// The JetStream stream that chunks come from, as a configuration names it.
import { type At, readNatsServer, type Section } from "@salestag/protocol/service";
import type { NatsPlace } from "../ingest/nats";

const NAME = /^[A-Za-z0-9_-]{1,64}$/;
const CONSUMER_DEFAULT = "salestag-memory";

/** @returns where the stream is; undefined where something is wrong, which is noted */
export function readNats(nats: Section, at: At): NatsPlace | undefined {
  const server = readNatsServer(nats, at);
  const stream = nats.text("stream", true);
  const consumer = nats.text("consumer", false) ?? CONSUMER_DEFAULT;
  for (const [name, text] of Object.entries({ stream, consumer }))
    if (text !== undefined && !NAME.test(text))
      nats.complain(`${name} must be letters, digits, - and _, got ${JSON.stringify(text)}`);
  nats.end();
  return server === undefined || stream === undefined ? undefined : { ...server, stream, consumer };
}
