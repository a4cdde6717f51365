// The registry and dead letters at the operator's door.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { ErrorCode, readRegistry } from "@salestag/protocol/host";
import type { Relay } from "../index";
import { RejectedError, type Sink } from "../sinks/sink";
import { RefusedError } from "../testing/badge-client";
import { Bench, type TestBadge } from "../testing/rigging";

const TOKEN = randomBytes(24).toString("base64");
const KEY = randomBytes(32);

describe("operator's door: badges", () => {
  let bench: Bench;
  let relay: Relay;
  let badge: TestBadge;
  let refusing = true;
  let tried: () => void = () => {};
  const delivered: string[] = [];
  const sink: Sink = {
    name: "webhook:https://backend.example/?a b",
    async deliver(entries) {
      tried();
      if (refusing) throw new RejectedError("it answered 422");
      delivered.push(...entries.map(({ record }) => `${record.epoch}/${record.index}`));
    },
  };

  beforeEach(async () => {
    bench = new Bench();
    badge = bench.badge();
    relay = await bench.relay({
      sinks: [sink],
      deadLetters: { rejections: 1, afterMs: 86_400_000 },
      admin: { host: "127.0.0.1", port: 0, token: Buffer.from(TOKEN) },
    });
  });
  afterEach(() => bench.end());

  async function ask(method: string, path: string, body?: object | string, token = TOKEN) {
    const answer = await fetch(`${relay.adminUrl}${path}`, {
      method,
      headers: { authorization: `Bearer ${token}` },
      body: typeof body === "object" ? JSON.stringify(body) : body,
    });
    return { status: answer.status, said: (await answer.json()) as unknown };
  }
  const other = "00112233445566ff";
  const entry = { authKey: KEY.toString("hex"), label: "Ana" };

  it("lists badges without their keys", async () => {
    const client = await bench.connect(relay, badge);
    const listed = { badge: badge.id, label: "test", addedMs: 1, connected: true };
    assert.deepEqual(await ask("GET", "/badges"), { status: 200, said: [listed] });
    await client.close();
    assert.equal((await ask("GET", "/badges", undefined, "wrong")).status, 401);
  });

  it("a badge that is added gets in at once; the file keeps its mode and the others", async () => {
    assert.deepEqual(await ask("PUT", `/badges/${other}`, entry), { status: 201, said: { badge: other } });
    await bench.connect(relay, { id: other, badgeId: Buffer.from(other, "hex"), authKey: KEY });
    assert.equal(statSync(bench.registry).mode & 0o777, 0o600);
    assert.deepEqual([...readRegistry(bench.registry).keys()].sort(), [badge.id, other].sort());
    assert.equal((await ask("PUT", `/badges/${other}`, entry)).status, 409);
  });

  it("a badge that is taken out, or gets another key, loses its connection", async () => {
    const cut = async (change: () => Promise<{ status: number }>) => {
      const client = await bench.connect(relay, badge);
      const ended = assert.rejects(
        client.next(),
        (error) => error instanceof RefusedError && error.refusal.code === ErrorCode.UnknownBadge,
      );
      assert.equal((await change()).status, 200);
      await ended;
    };
    await cut(() => ask("PUT", `/badges/${badge.id}/key`, { authKey: entry.authKey }));
    badge = { ...badge, authKey: KEY };
    await cut(() => ask("DELETE", `/badges/${badge.id}`));
    await assert.rejects(bench.connect(relay, badge), RefusedError);
    assert.equal((await ask("DELETE", `/badges/${badge.id}`)).status, 404);
    assert.equal((await ask("PUT", `/badges/${badge.id}/key`, { authKey: entry.authKey })).status, 404);
  });

  for (const [what, path, body] of [
    ["no JSON", `/badges/${other}`, "{"],
    ["a key that is none", `/badges/${other}`, { authKey: `${entry.authKey.slice(1)}G`, label: "Ana" }],
    ["no label", `/badges/${other}`, { authKey: entry.authKey }],
    ["a label with a line break", `/badges/${other}`, { ...entry, label: "Ana\nBob" }],
    ["a field too many", `/badges/${other}`, { ...entry, admin: "yes" }],
    ["a long body", `/badges/${other}`, { ...entry, label: "x".repeat(5000) }],
    ["an id in capitals", "/badges/00112233445566FF", entry],
    ["another method", "/badges", entry],
  ] as [string, string, object | string][])
    it(`refuses ${what}, without a word of what came, and changes nothing`, async () => {
      const before = readFileSync(bench.registry);
      const { status, said } = await ask("PUT", path, body);
      assert.ok(status >= 400 && status < 500, String(status));
      assert.ok(!JSON.stringify(said).includes(entry.authKey.slice(1)));
      assert.deepEqual(readFileSync(bench.registry), before);
    });

  it("dead letters are counted, and delivered again when somebody says so", async () => {
    refusing = true;
    const asked = new Promise<void>((resolve) => {
      tried = resolve;
    });
    const client = await bench.connect(relay, badge);
    client.sendChunk(0, 0, Buffer.alloc(40));
    await asked;
    const path = `/dead-letters?sink=${encodeURIComponent(sink.name)}`;
    let answer = await ask("POST", path);
    while (JSON.stringify(answer.said) === JSON.stringify({ delivered: 0, left: 0, why: "" }))
      answer = await ask("POST", path); // until it is put aside
    assert.deepEqual(answer.said, { delivered: 0, left: 1, why: "it answered 422" });
    const headers = { authorization: `Bearer ${TOKEN}` };
    const metrics = await (await fetch(`${relay.adminUrl}/metrics`, { headers })).text();
    assert.match(
      metrics,
      /salestag_relay_sink_dead_letters\{sink="webhook:https:\/\/backend.example\/\?a b"\} 1/,
    );
    refusing = false;
    assert.deepEqual((await ask("POST", path)).said, { delivered: 1, left: 0, why: "" });
    assert.deepEqual(delivered, ["0/0"]);
    assert.equal((await ask("POST", "/dead-letters?sink=none")).status, 404);
    assert.equal((await ask("GET", path)).status, 405);
  });
});
