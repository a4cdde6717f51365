// The webhook endpoint: whom it trusts, what it takes in each mode, and what it answers to everything else. Signed by the package of Standard Webhooks.
import { strict as assert } from "node:assert";
import { createHmac, randomBytes } from "node:crypto";
import { join } from "node:path";
import { encodeRecord } from "@salestag/protocol/host";
import { useFolder } from "@salestag/protocol/testing";
import { Webhook } from "standardwebhooks";
import { eventOf } from "../testing/process";
import { talk } from "../testing/team";
import { Archive } from "./archive";
import { BODY_BYTES_MAX, EVENTS_MAX } from "./cloud-events";
import { Intake } from "./intake";
import { TOLERANCE_MS } from "./signature";
import { ingestHandler } from "./webhook";

const NOW_MS = Math.floor(Date.now() / 1000) * 1000;
const SECRETS = [randomBytes(32), randomBytes(24)];
const BATCHED = { "content-type": "application/cloudevents-batch+json" };
const STRUCTURED = { "content-type": "application/cloudevents+json; charset=utf-8" };
const RECORDS = talk({ phrases: ["too expensive"] });
const BADGE = RECORDS[0].badge;

describe("ingest: webhook", () => {
  const folder = useFolder();
  let archive: Archive;
  let arrived: number;
  const handler = (intakeFolder = join(folder(), "chunks")) => {
    archive = Archive.open(intakeFolder);
    arrived = 0;
    const intake = new Intake({ archive, onArrival: () => arrived++ });
    return ingestHandler({ intake, secrets: SECRETS, nowUnixMs: () => NOW_MS });
  };

  function signed(headers: object, body: Buffer | string, secret = SECRETS[0], atMs = NOW_MS) {
    const bytes = Buffer.from(body);
    const timestamp = String(Math.floor(atMs / 1000));
    const digest = createHmac("sha256", secret).update(`id.${timestamp}.`).update(bytes).digest("base64");
    const own = { "webhook-id": "id", "webhook-timestamp": timestamp, "webhook-signature": `v1,${digest}` };
    return ["POST", { ...headers, ...own }, bytes] as const;
  }
  const batch = (events: unknown) => signed(BATCHED, JSON.stringify(events));

  it("modes: batched, structured and binary put the same chunks into the archive, each once", async () => {
    const take = handler();
    assert.deepEqual(await take(...batch(RECORDS.slice(0, 3).map(eventOf))), { status: 204 });
    assert.deepEqual(await take(...signed(STRUCTURED, JSON.stringify(eventOf(RECORDS[3])))), { status: 204 });
    for (const record of RECORDS.slice(3)) {
      const { data_base64: _, datacontenttype, ...attributes } = eventOf(record);
      const headers = Object.fromEntries(
        Object.entries(attributes).map(([name, value]) => [`ce-${name}`, value]),
      );
      const request = signed({ ...headers, "content-type": datacontenttype }, encodeRecord(record));
      assert.deepEqual(await take(...request), { status: 204 });
    }
    assert.deepEqual(archive.read({ badge: BADGE, epoch: 0 }).records, RECORDS);
    assert.equal(arrived, RECORDS.length);
  });

  it("trust: the package of Standard Webhooks signs as is checked here, with any of the secrets", async () => {
    const take = handler();
    const body = JSON.stringify([eventOf(RECORDS[0])]);
    for (const secret of SECRETS) {
      const signature = new Webhook(secret.toString("base64")).sign("msg_1", new Date(NOW_MS), body);
      const headers = {
        ...BATCHED,
        "webhook-id": "msg_1",
        "webhook-timestamp": String(NOW_MS / 1000),
        "webhook-signature": `v1a,AAAA v1,${Buffer.alloc(32).toString("base64")} ${signature}`,
      };
      assert.deepEqual(await take("POST", headers, Buffer.from(body)), { status: 204 });
    }
  });

  const [, good, goodBody] = signed(BATCHED, JSON.stringify([eventOf(RECORDS[0])]));
  for (const [name, headers, body, why] of [
    ["no signature", BATCHED, goodBody, /not signed/],
    ["a header twice", { ...good, "webhook-id": ["a", "b"] as unknown as string }, goodBody, /not signed/],
    ["another body", good, Buffer.from("[]"), /fits none/],
    ["another id", { ...good, "webhook-id": "other" }, goodBody, /fits none/],
    ["another secret", signed(BATCHED, "[]", randomBytes(32))[1], Buffer.from("[]"), /fits none/],
    ["an empty signature", { ...good, "webhook-signature": "" }, goodBody, /fits none/],
    ["a time that is none", { ...good, "webhook-timestamp": "1e9" }, goodBody, /malformed/],
    ["too old", signed(BATCHED, "[]", SECRETS[0], NOW_MS - TOLERANCE_MS - 1000)[1], Buffer.from("[]"), /ago/],
    [
      "too new",
      signed(BATCHED, "[]", SECRETS[0], NOW_MS + TOLERANCE_MS + 1000)[1],
      Buffer.from("[]"),
      /ahead/,
    ],
  ] as const)
    it(`trust: refused (${name})`, async () => {
      const { status, detail } = await handler()("POST", headers, body);
      assert.equal(status, 401);
      assert.match(detail ?? "", why);
      assert.deepEqual(archive.places(), []);
    });

  const event = eventOf(RECORDS[0]);
  const forged = encodeRecord({ ...RECORDS[0], index: 7 }).toString("base64");
  for (const [name, request, status, why] of [
    ["no JSON", signed(BATCHED, "{"), 400, /not JSON/],
    ["no list", batch({}), 400, /must be a list/],
    ["an empty batch", batch([]), 400, /empty/],
    ["too many", batch(Array(EVENTS_MAX + 1).fill(1)), 413, /more than/],
    ["too long", signed(BATCHED, Buffer.alloc(BODY_BYTES_MAX + 1, 32)), 413, /more than/],
    ["another content type", signed({ "content-type": "text/plain" }, "x"), 415, /content type/],
    ["no content type", signed({}, "x"), 415, /content type/],
    ["an event that is null", batch([null]), 400, /event 0 of the batch/],
    ["another version", batch([{ ...event, specversion: "0.3" }]), 400, /version 1.0/],
    ["another type", batch([{ ...event, type: "other" }]), 400, /type/],
    ["another id", batch([{ ...event, id: "x/0/0" }]), 400, /id of/],
    ["no data", batch([{ ...event, data_base64: undefined }]), 400, /no data_base64/],
    ["data that is no base64", batch([{ ...event, data_base64: "a*" }]), 400, /not base64/],
    ["data that is no record", batch([{ ...event, data_base64: "AAAA" }]), 400, /holds no chunk/],
    ["a record with another's header", batch([{ ...event, data_base64: forged }]), 400, /holds no chunk/],
    ["one bad of two", batch([event, { ...event, id: 5 }]), 400, /event 1/],
    ["binary without attributes", signed({ "content-type": event.datacontenttype }, "x"), 400, /CloudEvent/],
  ] as const)
    it(`refused for good: ${name}`, async () => {
      const answer = await handler()(...request);
      assert.equal(answer.status, status);
      assert.match(answer.detail ?? "", why);
      assert.deepEqual(archive.places(), []);
    });

  it("refused for good: another chunk in the same place, told by name; the first one stays", async () => {
    const take = handler();
    await take(...batch([event]));
    const other = { ...RECORDS[0], sealed: Buffer.alloc(40) };
    const { status, detail } = await take(...batch([eventOf(other)]));
    assert.equal(status, 400);
    assert.match(detail ?? "", new RegExp(`${BADGE}/0/0 is here already`));
    assert.deepEqual(archive.read({ badge: BADGE, epoch: 0 }).records, [RECORDS[0]]);
  });

  it("methods: only POST", async () => {
    assert.equal((await handler()("GET", {}, Buffer.alloc(0))).status, 405);
  });

  it("archive: what cannot be kept now is to come again", async () => {
    const take = ingestHandler({
      intake: { take: () => Promise.reject(Object.assign(new Error("no space left"), { code: "ENOSPC" })) },
      secrets: SECRETS,
      nowUnixMs: () => NOW_MS,
    });
    assert.equal((await take(...batch([event]))).status, 503);
  });
});
