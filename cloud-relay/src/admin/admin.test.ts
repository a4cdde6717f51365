// The operator's door and the nudges behind it: who may come in, what is refused, and that a nudge reaches its badge and no other, now or later.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  FrameType,
  type Nudge,
  nodeCrypto,
  openNudge,
  sealConfiguration,
  sealNudge,
} from "@salestag/protocol/host";
import type { Relay } from "../index";
import { NUDGES_MAX } from "../mail/mailbox";
import type { BadgeClient } from "../testing/badge-client";
import { Bench, ManualClock, type TestBadge } from "../testing/rigging";

const TOKEN = randomBytes(24).toString("base64");
const INBOX_KEY = randomBytes(32);
const crypto = nodeCrypto();

describe("operator's door", () => {
  let bench: Bench;
  let relay: Relay;
  let badge: TestBadge;
  let clock: ManualClock;
  const start = () =>
    bench.relay({ clock, admin: { host: "127.0.0.1", port: 0, token: Buffer.from(TOKEN) } });

  beforeEach(async () => {
    bench = new Bench();
    badge = bench.badge();
    clock = new ManualClock();
    relay = await start();
  });
  afterEach(() => bench.end());

  const ask = (path: string, options: RequestInit = {}) => fetch(`${relay.adminUrl}${path}`, options);
  const sealed = (id: number, to = badge.badgeId) =>
    sealNudge(crypto, INBOX_KEY, to, { id, expiresUnixMs: 0, pattern: 1, text: "Ask about the roof" });
  const post = async (body: Buffer, { to = badge.id, query = "", token = TOKEN } = {}) => {
    const headers = { authorization: `Bearer ${token}` };
    const answer = await ask(`/badges/${to}/nudges${query}`, {
      method: "POST",
      headers,
      body: new Uint8Array(body),
    });
    return { status: answer.status, said: (await answer.json()) as Record<string, unknown> };
  };
  const nextNudge = async (client: BadgeClient): Promise<Nudge | undefined> => {
    const { type, body } = await client.next();
    assert.equal(type, FrameType.Nudge);
    return openNudge(crypto, INBOX_KEY, badge.badgeId, body);
  };

  it("alive and ready are told to anybody, nothing else is", async () => {
    assert.deepEqual(await (await ask("/healthz")).json(), { alive: true });
    assert.deepEqual(await (await ask("/readyz")).json(), { ready: true });
    for (const authorization of [undefined, "Bearer ", `Bearer ${TOKEN}x`, `Basic ${TOKEN}`, TOKEN]) {
      const headers: Record<string, string> = authorization === undefined ? {} : { authorization };
      const answer = await ask(`/badges/${badge.id}/nudges`, {
        method: "POST",
        headers,
        body: new Uint8Array(sealed(1)),
      });
      assert.equal(answer.status, 401, authorization);
      assert.ok(!(await answer.text()).includes(TOKEN));
    }
  });

  it("metrics: what promtool accepts, and what happened is in them", async function () {
    const client = await bench.connect(relay, badge);
    client.sendChunk(0, 0, Buffer.alloc(40));
    await client.ackedBefore(0, 1);
    await assert.rejects(bench.connect(relay, { id: "", badgeId: randomBytes(8), authKey: randomBytes(32) }));
    const headers = { authorization: `Bearer ${TOKEN}` };
    assert.equal((await ask("/metrics")).status, 401);
    const answer = await ask("/metrics", { headers });
    assert.match(answer.headers.get("content-type") ?? "", /^text\/plain; version=0\.0\.4/);
    const text = await answer.text();
    for (const line of [
      "salestag_relay_badges_connected 1",
      "salestag_relay_connections_total 2",
      'salestag_relay_refusals_total{code="UnknownBadge"} 1',
      "salestag_relay_chunks_stored_total 1",
      "salestag_relay_spool_has_room 1",
    ])
      assert.ok(text.split("\n").includes(line), `${line} is not in\n${text}`);
    const { status, stdout, stderr, error } = spawnSync("promtool", ["check", "metrics"], { input: text });
    if (error !== undefined && !process.env.CI) return this.skip();
    assert.equal(status, 0, `${stdout}${stderr}${error ?? ""}`);
    assert.equal(`${stdout}${stderr}`, "");
  });

  it("a badge that is connected gets a nudge at once; another badge gets none", async () => {
    const client = await bench.connect(relay, badge);
    const other = await bench.connect(relay, bench.badge());
    assert.deepEqual(await post(sealed(1)), { status: 201, said: { id: 1, sent: true } });
    assert.equal((await nextNudge(client))?.text, "Ask about the roof");
    other.sendChunk(0, 0, Buffer.alloc(40));
    assert.equal((await other.next()).type, FrameType.Ack);
  });

  it("one that is not connected gets it when it comes, in order, also from a relay that was started again", async () => {
    assert.deepEqual((await post(sealed(2))).said, { id: 2, sent: false });
    await post(sealed(1));
    await relay.close();
    relay = await start();
    const client = await bench.connect(relay, badge);
    assert.deepEqual([(await nextNudge(client))?.id, (await nextNudge(client))?.id], [1, 2]);
    assert.equal(statSync(join(bench.spool, "letters.json")).mode & 0o777, 0o600);
  });

  it("one that has expired is not sent any more", async () => {
    await post(sealed(1), { query: `?expiresUnixMs=${clock.unixMs() + 1000}` });
    await post(sealed(2), { query: `?expiresUnixMs=${clock.unixMs() + 60_000}` });
    clock.advance(1000);
    const client = await bench.connect(relay, badge);
    assert.equal((await nextNudge(client))?.id, 2);
  });

  it("the same number again takes the place of the first; of too many the oldest give way", async () => {
    for (let id = 1; id <= NUDGES_MAX + 2; id++) await post(sealed(id));
    await post(sealed(5));
    const client = await bench.connect(relay, badge);
    const ids: (number | undefined)[] = [];
    for (let i = 0; i < NUDGES_MAX; i++) ids.push((await nextNudge(client))?.id);
    assert.deepEqual(
      ids,
      Array.from({ length: NUDGES_MAX }, (_, i) => i + 3),
    );
  });

  it("a configuration reaches its badge at once or when it comes; only the newest is kept, before the nudges", async () => {
    const configuration = (version: number, to = badge.badgeId) =>
      sealConfiguration(crypto, INBOX_KEY, to, { version, tuning: "", consent: '{"policy":"off"}' });
    const put = async (body: Buffer) => {
      const headers = { authorization: `Bearer ${TOKEN}` };
      const answer = await ask(`/badges/${badge.id}/config`, {
        method: "POST",
        headers,
        body: new Uint8Array(body),
      });
      return { status: answer.status, said: (await answer.json()) as Record<string, unknown> };
    };
    const client = await bench.connect(relay, badge);
    assert.deepEqual(await put(configuration(3)), { status: 201, said: { id: 3, sent: true } });
    assert.deepEqual(await client.next(), { type: FrameType.Config, body: configuration(3) });
    await client.close();
    await post(sealed(1));
    assert.equal((await put(configuration(5))).status, 201);
    assert.equal((await put(configuration(4))).status, 201);
    assert.match(String((await put(configuration(6, randomBytes(8)))).said.error), /for another badge/);
    assert.match(String((await put(sealed(7).subarray(1))).said.error), /no sealed configuration/);
    await relay.close();
    relay = await start();
    const again = await bench.connect(relay, badge);
    assert.deepEqual(await again.next(), { type: FrameType.Config, body: configuration(5) });
    assert.deepEqual(await again.next(), { type: FrameType.Nudge, body: sealed(1) });
  });

  for (const [what, send, status, words] of [
    ["a badge that nobody knows", () => post(sealed(1), { to: "00".repeat(8) }), 404, /not registered/],
    ["a nudge for another badge", () => post(sealed(1, randomBytes(8))), 400, /another badge/],
    ["no nudge", () => post(Buffer.from("hello")), 400, /no sealed nudge/],
    ["an empty body", () => post(Buffer.alloc(0)), 400, /no sealed nudge/],
    ["a body that is too long", () => post(Buffer.alloc(1025)), 413, /at most 1024/],
    [
      "an expiry in the past",
      () => post(sealed(1), { query: "?expiresUnixMs=5" }),
      400,
      /within the next 30 days/,
    ],
    [
      "an expiry that is no number",
      () => post(sealed(1), { query: "?expiresUnixMs=soon" }),
      400,
      /within the next/,
    ],
  ] as [string, () => ReturnType<typeof post>, number, RegExp][])
    it(`is refused, and nothing is kept: ${what}`, async () => {
      const { status: got, said } = await send();
      assert.equal(got, status);
      assert.match(String(said.error), words);
      const client = await bench.connect(relay, badge);
      client.sendChunk(0, 0, Buffer.alloc(40));
      assert.equal((await client.next()).type, FrameType.Ack);
    });

  it("a file of letters that is damaged is not thrown away: the relay says so and does not start", async () => {
    await relay.close();
    writeFileSync(join(bench.spool, "letters.json"), "{");
    await assert.rejects(start(), /cannot read .*letters\.json/);
  });

  it("a port that is taken", async () => {
    const port = Number(new URL(relay.adminUrl as string).port);
    const other = bench.relay({
      spool: join(bench.directory, "other"),
      admin: { host: "127.0.0.1", port, token: Buffer.from(TOKEN) },
    });
    await assert.rejects(other, /for the operator/);
  });
});
