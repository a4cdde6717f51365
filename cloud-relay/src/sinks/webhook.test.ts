// The webhook sink against a real HTTP server, its requests read by the CloudEvents package and its signatures checked by that of Standard Webhooks.
import assert from "node:assert/strict";
import { createHmac, randomBytes } from "node:crypto";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { decodeRecord, encodeRecord } from "@salestag/protocol/host";
import { systemClock } from "@salestag/protocol/service";
import { type CloudEvent, HTTP } from "cloudevents";
import { Webhook } from "standardwebhooks";
import type { SpoolEntry } from "../spool/reader";
import { ManualClock } from "../testing/rigging";
import { CHUNK_EVENT_TYPE, WEBHOOK_DEFAULTS, type WebhookOptions, webhookSink } from "./webhook";

interface Received {
  headers: Record<string, string>;
  body: Buffer;
}

function entry(index: number): SpoolEntry {
  const header = Buffer.from("8901480102030405060708030001000000", "hex");
  const record = {
    badge: "0102030405060708",
    epoch: 3,
    index,
    receivedMs: 1780000000000 + index,
    header: headerOf(index),
    sealed: randomBytes(60 + header.length),
  };
  return { record, encoded: encodeRecord(record) };
}

/** An encoded chunk header with this index, written by hand. */
function headerOf(index: number): Buffer {
  return Buffer.from([0x89, 1, 0x48, 1, 2, 3, 4, 5, 6, 7, 8, 3, index, 1, 0, 20, 1, 1]);
}

describe("sink: webhook", () => {
  const secret = randomBytes(32);
  const older = randomBytes(24);
  let server: Server;
  let received: Received[];
  let answer: (request: IncomingMessage) => number | undefined;
  let url: string;

  beforeEach(async () => {
    received = [];
    answer = () => 204;
    server = createServer((request, response) => {
      const parts: Buffer[] = [];
      request.on("data", (part: Buffer) => parts.push(part));
      request.on("end", () => {
        received.push({ headers: request.headers as Record<string, string>, body: Buffer.concat(parts) });
        const status = answer(request);
        if (status !== undefined)
          response.writeHead(status, { location: "/elsewhere" }).end(status === 204 ? "" : "not now");
      });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hooks?tenant=7`;
  });
  afterEach(() => {
    server.closeAllConnections();
    server.close();
  });

  const sink = (more: Partial<WebhookOptions> = {}, clock = systemClock) =>
    webhookSink({ url, secrets: [secret], ...WEBHOOK_DEFAULTS, ...more }, clock);
  const deliver = (count: number, more: Partial<WebhookOptions> = {}) => {
    const entries = Array.from({ length: count }, (_, index) => entry(index));
    return sink(more)
      .deliver(entries, new AbortController().signal)
      .then(() => entries);
  };
  const checkEvent = (event: CloudEvent<unknown>, { record, encoded }: SpoolEntry) => {
    assert.equal(event.validate(), true);
    assert.equal(event.type, CHUNK_EVENT_TYPE);
    assert.equal(event.id, `${record.badge}/3/${record.index}`);
    assert.equal(event.source, `/badges/${record.badge}`);
    assert.equal(event.time, new Date(record.receivedMs).toISOString());
    const data = Buffer.from(
      event.data_base64 ?? (event.data as string),
      event.data_base64 === undefined ? "latin1" : "base64",
    );
    if (event.data_base64 !== undefined) {
      assert.ok(data.equals(encoded));
      assert.deepEqual(decodeRecord(data), record);
    }
  };

  it("batched: events in order, as many in a request as allowed", async () => {
    const entries = await deliver(7, { batchMax: 3 });
    assert.deepEqual(
      received.map(({ body }) => JSON.parse(body.toString("utf8")).length),
      [3, 3, 1],
    );
    const events = received.flatMap(
      ({ headers, body }) => HTTP.toEvent({ headers, body: body.toString("utf8") }) as CloudEvent<unknown>[],
    );
    assert.equal(events.length, 7);
    for (const [place, event] of events.entries()) checkEvent(event, entries[place]);
  });

  it("structured: one event in a request", async () => {
    const entries = await deliver(2, { mode: "structured" });
    assert.equal(received.length, 2);
    for (const [place, { headers, body }] of received.entries())
      checkEvent(
        HTTP.toEvent({ headers, body: body.toString("utf8") }) as CloudEvent<unknown>,
        entries[place],
      );
  });

  it("binary: attributes in the headers, the record as the body", async () => {
    const entries = await deliver(2, { mode: "binary" });
    for (const [place, { headers, body }] of received.entries()) {
      assert.ok(body.equals(entries[place].encoded));
      checkEvent(
        HTTP.toEvent({ headers, body: body.toString("latin1") }) as CloudEvent<unknown>,
        entries[place],
      );
    }
  });

  it("signed with every secret: who knows one of them can verify, who knows none cannot, and a changed body does not", async () => {
    await deliver(2, { secrets: [secret, older] });
    const [{ headers, body }] = received;
    const text = body.toString("utf8");
    for (const known of [secret, older])
      new Webhook(`whsec_${known.toString("base64")}`).verify(text, headers);
    const stranger = new Webhook(`whsec_${randomBytes(32).toString("base64")}`);
    assert.throws(() => stranger.verify(text, headers), /No matching signature/);
    assert.throws(
      () => new Webhook(secret.toString("base64")).verify(`${text} `, headers),
      /No matching signature/,
    );
  });

  it("binary bodies are signed byte for byte", async () => {
    await deliver(1, { mode: "binary" });
    const [{ headers, body }] = received;
    const signed = Buffer.concat([
      Buffer.from(`${headers["webhook-id"]}.${headers["webhook-timestamp"]}.`),
      body,
    ]);
    assert.equal(
      headers["webhook-signature"],
      `v1,${createHmac("sha256", secret).update(signed).digest("base64")}`,
    );
  });

  for (const status of [301, 400, 404, 429, 500, 503])
    it(`an answer of ${status} is a failure, and says so`, async () => {
      answer = () => status;
      // Only an answer about what was sent puts a chunk aside.
      const name = status === 400 ? "RejectedError" : "Error";
      await assert.rejects(deliver(1), { name, message: `it answered ${status}: "not now"` });
      assert.equal(received.length, 1);
    });

  it("a repeated delivery has the same ids", async () => {
    const entries = [entry(0), entry(1)];
    for (let round = 0; round < 2; round++) await sink().deliver(entries, new AbortController().signal);
    assert.equal(received[0].headers["webhook-id"], received[1].headers["webhook-id"]);
    assert.deepEqual(received[0].body, received[1].body);
  });

  it("a server that accepts and says nothing is given up after the time-out, and at once when the relay ends", async () => {
    let arrived: () => void = () => {};
    const next = () =>
      new Promise<void>((resolve) => {
        arrived = resolve;
      });
    answer = () => {
      arrived();
      return undefined;
    };
    const clock = new ManualClock();
    const first = next();
    const failed = sink({ timeoutMs: 5000 }, clock).deliver([entry(0)], new AbortController().signal);
    const failure = assert.rejects(failed, /did not answer within 5 s/);
    await first;
    clock.advance(5000);
    await failure;
    const second = next();
    const ending = new AbortController();
    const ended = assert.rejects(sink({}, clock).deliver([entry(0)], ending.signal));
    await second;
    ending.abort();
    await ended;
  });

  it("nobody listens: the reason is the system's", async () => {
    server.close();
    await assert.rejects(deliver(1), /ECONNREFUSED/);
  });

  it("its name, which goes into logs, has neither query nor secret", () => {
    const { name } = sink();
    assert.match(name, /^webhook:http:\/\/127\.0\.0\.1:\d+\/hooks$/);
  });
});
