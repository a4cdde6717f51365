// Sink that posts chunks as CloudEvents 1.0 over HTTP (docs/sinks.md): one in a request (binary or structured mode), or many (batched mode), signed as
// Standard Webhooks. Each chunk is delivered at least once and in order for each badge; a receiver tells repetitions by the event's id.
import { createHmac } from "node:crypto";
import type { Clock } from "@salestag/protocol/service";
import type { SpoolEntry } from "../spool/reader";
import { askHttp } from "./http";
import { nameOf, RejectedError, type Sink } from "./sink";

/** How events lie in a request: CloudEvents HTTP Protocol Binding 1.0.2, sections 3.1 to 3.3. */
export const WEBHOOK_MODES = ["batched", "structured", "binary"] as const;
export type WebhookMode = (typeof WEBHOOK_MODES)[number];

export interface WebhookOptions {
  url: string;
  mode: WebhookMode;
  /**
   * Signing secrets, 24 to 64 bytes each; the first is the newest. A request is signed with all of them, so that a receiver may know either while they
   * are being changed.
   */
  secrets: Buffer[];
  /** Longest wait for an answer. */
  timeoutMs: number;
  /** Most events of a batch. */
  batchMax: number;
}

export const WEBHOOK_DEFAULTS = { mode: "batched" as WebhookMode, timeoutMs: 15_000, batchMax: 100 };

/** Type of the event that a chunk becomes. */
export const CHUNK_EVENT_TYPE = "io.salestag.chunk.v1";

const CONTENT_BINARY = "application/vnd.salestag.chunk+msgpack";
const CONTENT_STRUCTURED = "application/cloudevents+json";
const CONTENT_BATCHED = "application/cloudevents-batch+json";
/** Answers that are about what was sent, not about the receiver: RFC 9110, sections 15.5.1, 15.5.14, 15.5.16 and 15.5.21. */
const REJECTIONS = [400, 413, 415, 422];

/** A request, before it is signed. */
interface Request {
  /** Names the request: a receiver may refuse what it has had. */
  id: string;
  headers: Record<string, string>;
  body: Buffer;
}

/** @returns a sink; its name has no secret and no query of the address in it */
export function webhookSink(options: WebhookOptions, clock: Clock): Sink {
  const { origin, pathname } = new URL(options.url);
  return {
    name: `webhook:${origin}${pathname}`,
    async deliver(entries, signal) {
      for (const request of requestsOf(entries, options)) await post(request, options, clock, signal);
    },
  };
}

function requestsOf(entries: readonly SpoolEntry[], { mode, batchMax }: WebhookOptions): Request[] {
  if (mode === "batched") {
    const requests: Request[] = [];
    for (let at = 0; at < entries.length; at += batchMax) {
      const part = entries.slice(at, at + batchMax);
      const body = Buffer.from(JSON.stringify(part.map(jsonEventOf)));
      const id = `${nameOf(part[0])}+${part.length - 1}`;
      requests.push({ id, headers: { "content-type": CONTENT_BATCHED }, body });
    }
    return requests;
  }
  return entries.map((entry) => (mode === "structured" ? structured(entry) : binary(entry)));
}

function structured(entry: SpoolEntry): Request {
  const body = Buffer.from(JSON.stringify(jsonEventOf(entry)));
  return { id: nameOf(entry), headers: { "content-type": CONTENT_STRUCTURED }, body };
}

function binary(entry: SpoolEntry): Request {
  const headers: Record<string, string> = { "content-type": CONTENT_BINARY };
  for (const [name, value] of Object.entries(attributesOf(entry))) headers[`ce-${name}`] = value;
  return { id: nameOf(entry), headers, body: entry.encoded };
}

function attributesOf(entry: SpoolEntry): Record<string, string> {
  const { badge, receivedMs } = entry.record;
  return {
    specversion: "1.0",
    id: nameOf(entry),
    source: `/badges/${badge}`,
    type: CHUNK_EVENT_TYPE,
    subject: badge,
    time: new Date(receivedMs).toISOString(),
  };
}

function jsonEventOf(entry: SpoolEntry) {
  return {
    ...attributesOf(entry),
    datacontenttype: CONTENT_BINARY,
    data_base64: entry.encoded.toString("base64"),
  };
}

async function post(
  { id, headers, body }: Request,
  { url, secrets, timeoutMs }: WebhookOptions,
  clock: Clock,
  ended: AbortSignal,
): Promise<void> {
  const timestamp = String(Math.floor(clock.unixMs() / 1000));
  const signed = { ...headers, ...signatureOf(id, timestamp, body, secrets) };
  const send = (signal: AbortSignal) =>
    fetch(url, { method: "POST", headers: signed, body: new Uint8Array(body), redirect: "manual", signal });
  const { ok, status, told } = await askHttp(send, timeoutMs, clock, ended);
  if (ok) return;
  throw REJECTIONS.includes(status) ? new RejectedError(told) : new Error(told);
}

/** Standard Webhooks 1.0: HMAC-SHA-256 over id, timestamp and body, once for each secret. */
function signatureOf(id: string, timestamp: string, body: Buffer, secrets: Buffer[]): Record<string, string> {
  const signatures = secrets.map((secret) => {
    const hmac = createHmac("sha256", secret).update(`${id}.${timestamp}.`).update(body);
    return `v1,${hmac.digest("base64")}`;
  });
  return { "webhook-id": id, "webhook-timestamp": timestamp, "webhook-signature": signatures.join(" ") };
}
