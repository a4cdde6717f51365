// The JetStream stream that chunks come from, as a configuration names it.
import type { Section } from "@salestag/protocol/service";
import type { NatsPlace } from "../ingest/nats";
import { type At, publicFrom, secretFrom } from "./files";

const LOOPBACK = ["127.0.0.1", "[::1]", "localhost"];
const NAME = /^[A-Za-z0-9_-]{1,64}$/;
const CONSUMER_DEFAULT = "salestag-memory";

/** @returns where the stream is; undefined where something is wrong, which is noted */
export function readNats(nats: Section, at: At): NatsPlace | undefined {
  const servers = nats.texts("servers").flatMap(({ text, complain }) => {
    const wrong = wrongWith(text);
    if (wrong !== undefined) complain(wrong);
    return wrong === undefined ? [text] : [];
  });
  if (servers.length === 0) nats.complain("needs servers: a list of at least one");
  const stream = nats.text("stream", true);
  const consumer = nats.text("consumer", false) ?? CONSUMER_DEFAULT;
  for (const [name, text] of Object.entries({ stream, consumer }))
    if (text !== undefined && !NAME.test(text))
      nats.complain(`${name} must be letters, digits, - and _, got ${JSON.stringify(text)}`);
  const creds = secretFrom(nats, "credsFile", at);
  const token = secretFrom(nats, "tokenFile", at)?.toString("utf8");
  const user = nats.text("user", false);
  const password = secretFrom(nats, "passwordFile", at)?.toString("utf8");
  const ca = publicFrom(nats, "caFile", at)?.toString("utf8");
  nats.end();
  if (servers.length === 0 || stream === undefined) return undefined;
  return { servers, stream, consumer, creds, token, user, password, ca };
}

function wrongWith(text: string): string | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || url.hostname === "" || !["nats:", "tls:"].includes(url.protocol))
    return "must be nats://HOST:PORT or tls://HOST:PORT";
  if (url.password !== "" || url.username !== "")
    return "must hold no user or password: name credsFile, tokenFile, or user and passwordFile";
  if (url.protocol === "nats:" && !LOOPBACK.includes(url.hostname))
    return "must be tls:// where it is not on this machine";
  return undefined;
}
