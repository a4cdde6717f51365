// TLS: who trusts the certificate gets in, another certificate is taken over while the relay runs, floods are turned away before the handshake.
import assert from "node:assert/strict";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { connect as connectTls } from "node:tls";
import { generate } from "selfsigned";
import { LIMITS_DEFAULT } from "./admission";
import { parseListenAddress, type Relay, type RelayOptions } from "./index";
import { BadgeClient } from "./testing/badge-client";
import { Bench, RelayChild } from "./testing/rigging";

describe("relay over TLS", () => {
  let bench: Bench;
  beforeEach(() => {
    bench = new Bench();
  });
  afterEach(() => bench.end());

  async function certificate() {
    const { cert, private: key } = await generate([{ name: "commonName", value: "localhost" }], {
      extensions: [{ name: "subjectAltName", altNames: [{ type: 7, ip: "127.0.0.1" }] }],
    });
    return { ca: cert, files: { cert: Buffer.from(cert), key: Buffer.from(key) } };
  }

  function relayWith(options: Partial<RelayOptions>): Promise<Relay> {
    return bench.relay({ listen: [parseListenAddress("tls://127.0.0.1:0")], ...options });
  }

  it("a badge that trusts the certificate gets in, one that does not hangs up", async () => {
    const badge = bench.badge();
    const { ca, files } = await certificate();
    const relay = await relayWith({ tls: files });
    const [address] = relay.addresses;
    assert.match(address, /^tls:\/\/127\.0\.0\.1:\d+$/);
    const client = await BadgeClient.connect({ address, ca, ...badge });
    client.sendChunk(0, 0, Buffer.alloc(40));
    await client.ackedBefore(0, 1);
    await client.close();
    await assert.rejects(BadgeClient.connect({ address, ...badge }), /self-signed/);
  });

  it("another certificate counts for new connections, those that are there stay; a bad one changes nothing", async () => {
    const badges = [bench.badge(), bench.badge(), bench.badge()];
    const [old, fresh] = [await certificate(), await certificate()];
    const relay = await relayWith({ tls: old.files });
    const [address] = relay.addresses;
    const before = await BadgeClient.connect({ address, ca: old.ca, ...badges[0] });
    relay.useTls(fresh.files);
    const after = await BadgeClient.connect({ address, ca: fresh.ca, ...badges[1] });
    await assert.rejects(
      BadgeClient.connect({ address, ca: old.ca, ...badges[2] }),
      /certificate|self-signed/,
    );
    assert.throws(() => relay.useTls({ cert: Buffer.from("none"), key: fresh.files.key }), /cannot be used/);
    for (const client of [before, after]) {
      client.sendChunk(0, 0, Buffer.alloc(40));
      await client.ackedBefore(0, 1);
    }
    await (await BadgeClient.connect({ address, ca: fresh.ca, ...badges[2] })).close();
    for (const client of [before, after]) await client.close();
  });

  it("SIGHUP makes the process read certificate and key again; files that cannot be used are told, the old ones stay", async () => {
    const badge = bench.badge();
    const paths = { cert: join(bench.directory, "relay.crt"), key: join(bench.directory, "relay.key") };
    const put = ({ cert, key }: { cert: Buffer; key: Buffer }) => {
      writeFileSync(paths.cert, cert);
      writeFileSync(paths.key, key, { mode: 0o600 });
    };
    const [old, fresh] = [await certificate(), await certificate()];
    put(old.files);
    const files = ["--tls-cert", paths.cert, "--tls-key", paths.key];
    const place = ["--registry", bench.registry, "--spool", bench.spool];
    const child = await new RelayChild(["--listen", "tls://127.0.0.1:0", ...files, ...place]).listening();
    const enter = async (ca: string) =>
      (await BadgeClient.connect({ address: child.addresses[0], ca, ...badge })).close();
    await enter(old.ca);
    put(fresh.files);
    child.signal("SIGHUP");
    await child.noticed(/TLS certificate read again/);
    await enter(fresh.ca);
    writeFileSync(paths.key, "no key");
    child.signal("SIGHUP");
    await child.noticed(/the new TLS files cannot be used, the old ones stay/);
    await enter(fresh.ca);
    assert.ok(!child.notices.join().includes("no key"));
    child.signal("SIGTERM");
    await child.closed;
  });

  it("a connection too many from one address ends before its handshake, and the relay goes on", async () => {
    const { ca, files } = await certificate();
    const relay = await relayWith({ tls: files, limits: { ...LIMITS_DEFAULT, connectionsPerAddress: 1 } });
    const badge = bench.badge();
    const [address] = relay.addresses;
    const client = await BadgeClient.connect({ address, ca, ...badge });
    const second = connectTls({ host: "127.0.0.1", port: Number(new URL(address).port), ca });
    await once(second, "error");
    client.sendChunk(0, 0, Buffer.alloc(40));
    await client.ackedBefore(0, 1);
    await client.close();
  });
});
