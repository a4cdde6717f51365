// What a user meets when something is wrong: one sentence that says what to do, an exit code, and nothing lost. Through the
// command lines, as a user would.
import assert from "node:assert/strict";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createIdentity, Vault } from "@salestag/host-tools";
import { addBadge } from "@salestag/protocol/host";
import { generate } from "selfsigned";
import { newBadgeState, saveBadgeState } from "../src/badge-state";
import { BENCH_DEFAULTS, Bench } from "../src/bench";
import { connect as connectBadge, play } from "../src/play";
import { startRelayProcess } from "../src/relay-process";
import { Site } from "../src/site";
import { assertRefused, BadgeProcess, repeated, rig, SAMPLE, salestag, sample, scratch } from "./support";

/** A WAV of 16-bit mono silence at 16 kHz whose header tells `claimedBytes` of data. */
function wav(dataBytes: number, claimedBytes: number): Buffer {
  const header = Buffer.alloc(44);
  header.write("RIFF", 0, "latin1");
  header.writeUInt32LE(36 + claimedBytes, 4);
  header.write("WAVEfmt ", 8, "latin1");
  header.writeUInt32LE(16, 16);
  header.writeUInt16LE(1, 20);
  header.writeUInt16LE(1, 22);
  header.writeUInt32LE(16000, 24);
  header.writeUInt32LE(32000, 28);
  header.writeUInt16LE(2, 32);
  header.writeUInt16LE(16, 34);
  header.write("data", 36, "latin1");
  header.writeUInt32LE(claimedBytes, 40);
  return Buffer.concat([header, Buffer.alloc(dataBytes)]);
}

/** A badge that was provisioned for `relayUrl` and then switched off. @returns its folder and the site */
async function provisionedBadge(
  relayUrl: string,
): Promise<{ site: Site; badgeFolder: string; badge: string }> {
  const site = await Site.create(join(scratch(), "site"));
  const bench = await Bench.open({
    ...BENCH_DEFAULTS,
    state: newBadgeState("0102030405060708"),
  });
  const badge = await site.provision(bench, relayUrl, "test");
  bench.badge.powerOff();
  const badgeFolder = join(site.folder, "badge");
  saveBadgeState(badgeFolder, bench.state());
  return { site, badgeFolder, badge };
}

/** Nothing listens there. */
const deadUrl = "tcp://127.0.0.1:9";

describe("end to end: recordings that cannot be used", () => {
  const folder = scratch();
  const cases: [what: string, bytes: Buffer | undefined, words: RegExp][] = [
    ["missing", undefined, /no such file/],
    ["empty", Buffer.alloc(0), /empty/],
    ["truncated", wav(1000, 64000), /63000 bytes|missing|cut|short/],
    ["no WAV", Buffer.from("this is a text, not a recording of anything at all"), /not|neither/],
  ];
  for (const [what, bytes, words] of cases)
    it(`a ${what} file is refused in one sentence`, async () => {
      const file = join(folder, `${what.replace(" ", "-")}.wav`);
      if (bytes !== undefined) writeFileSync(file, bytes);
      assertRefused(await rig("replay", file), 1, words);
    });

  it("a recording without speech is no error: nothing of it is sent, only the time", async () => {
    const file = join(folder, "silence.wav");
    writeFileSync(file, wav(160_000, 160_000));
    const run = await rig("replay", file, "--json");
    assert.equal(run.code, 0, run.stderr);
    const { chunks, speechFrames } = JSON.parse(run.stdout);
    assert.deepEqual({ chunks, speechFrames }, { chunks: 1, speechFrames: 0 });
  });

  it("an argument that makes no sense is refused with exit code 2", async () => {
    const run = await rig("replay", SAMPLE, "--bitrate", "1");
    assert.equal(run.code, 2);
    assert.match(run.stderr, /whole number from 6000/);
  });
});

describe("end to end: badge and relay that do not fit", () => {
  it("a relay that is not there", async () => {
    const { badgeFolder } = await provisionedBadge(deadUrl);
    assertRefused(
      await rig("replay", SAMPLE, "--badge", badgeFolder),
      1,
      /Nothing listens at tcp:\/\/127\.0\.0\.1:9: start/,
    );
  });

  it("a badge that was never provisioned", async () => {
    const folder = join(scratch(), "badge");
    saveBadgeState(folder, newBadgeState("0102030405060708"));
    assertRefused(
      await rig("replay", SAMPLE, "--badge", folder),
      1,
      /not provisioned: run 'salestag provision'/,
    );
  });

  it("a badge that the relay does not know, one whose key it has wrong, and after mending all is well", async () => {
    const site = await Site.create(join(scratch(), "relay-site"));
    const relay = await site.startRelay();
    try {
      const { badgeFolder, badge, site: other } = await provisionedBadge(relay.url);
      assertRefused(
        await rig("replay", SAMPLE, "--badge", badgeFolder),
        1,
        /does not know this badge: provision/,
      );
      addBadge(site.registry, { badge, authKey: Buffer.alloc(32, 1), label: "wrong", addedMs: 1 });
      assertRefused(await rig("replay", SAMPLE, "--badge", badgeFolder), 1, /does not have this badge's key/);
      writeFileSync(site.registry, readFileSync(other.registry), { mode: 0o600 });
      const run = await rig("replay", SAMPLE, "--badge", badgeFolder, "--json");
      assert.equal(run.code, 0, run.stderr);
      const { chunks } = JSON.parse(run.stdout);
      const names = readdirSync(join(site.relayFolder, badge), { recursive: true, encoding: "utf8" });
      await relay.stop();
      assert.equal(names.filter((name) => name.endsWith(".chunk")).length, chunks);
    } finally {
      await relay.stop();
    }
  });

  it("a relay whose spool is full says so; what was acknowledged is kept, and with room it goes on", async () => {
    const site = await Site.create(join(scratch(), "site"));
    const small = ["--spool-bytes-max", "262144"];
    const full = await startRelayProcess({ registry: site.registry, spool: site.spool, args: small });
    const bench = await Bench.open({
      ...BENCH_DEFAULTS,
      state: newBadgeState("1112131415161718"),
    });
    const badge = await site.provision(bench, full.url, "test");
    const frames = repeated(await sample(), 3);
    try {
      await connectBadge(bench);
      await assert.rejects(
        play(bench, { frames }),
        /chunks were not stored\. The relay at .* has no room: make some/,
      );
    } finally {
      bench.badge.powerOff();
      await full.stop();
    }
    assert.match(full.notices.join("\n"), /no room|full/i);
    const acked = bench.traced("acked").at(-1);
    const roomy = await site.startRelay();
    await roomy.stop();
    const names = readdirSync(join(site.relayFolder, badge), { recursive: true, encoding: "utf8" });
    const stored = names.filter((name) => name.endsWith(".chunk")).length;
    assert.ok(acked !== undefined && acked.nextIndex > 0);
    assert.ok(stored >= acked.nextIndex, `${stored} stored, ${acked.nextIndex} acknowledged`);
  });
});

describe("end to end: TLS", () => {
  it("a badge reaches its relay over TLS and trusts only the authority that it is given", async () => {
    const folder = scratch();
    const { cert, private: key } = await generate([{ name: "commonName", value: "localhost" }], {
      keySize: 2048,
      extensions: [{ name: "subjectAltName", altNames: [{ type: 2, value: "localhost" }] }],
    } as never);
    writeFileSync(join(folder, "relay.crt"), cert);
    writeFileSync(join(folder, "relay.key"), key, { mode: 0o600 });
    const site = await Site.create(join(folder, "site"));
    const tls = ["--tls-cert", join(folder, "relay.crt"), "--tls-key", join(folder, "relay.key")];
    const relay = await site.startRelay("tls://127.0.0.1:0", tls);
    const url = relay.url.replace("127.0.0.1", "localhost");
    try {
      for (const ca of [cert, undefined]) {
        const state = newBadgeState("0102030405060708");
        const bench = await Bench.open({ ...BENCH_DEFAULTS, state, ca });
        await site.provision(bench, url, "tls");
        if (ca === undefined) await assert.rejects(connectBadge(bench), /self.signed|certificate/);
        else await connectBadge(bench);
        bench.badge.powerOff();
      }
    } finally {
      await relay.stop();
    }
  });
});

describe("end to end: provisioning over the badge's port", () => {
  it("keys init, provision, replay, open: with the command lines alone", async () => {
    const folder = scratch();
    const at = (name: string) => join(folder, name);
    const keys = ["--identity", at("identity.txt"), "--vault", at("vault")];
    assert.equal((await salestag("keys", "init", ...keys)).code, 0);
    const relay = await startRelayProcess({
      registry: at("registry.json"),
      spool: at("spool"),
      folder: at("relay"),
    });
    const badge = await BadgeProcess.start(at("badge"));
    const provision = [
      "provision",
      "--badge",
      badge.url,
      "--vault",
      at("vault"),
      "--registry",
      at("registry.json"),
      "--delivered",
      at("relay"),
    ];
    try {
      const made = await salestag(...provision, "--relay", relay.url, "--label", "Kim", "--json");
      assert.equal(made.code, 0, made.stderr);
      assert.doesNotMatch(made.stdout + made.stderr, /[0-9a-f]{64}/);
      const again = await salestag(...provision, "--relay", relay.url);
      assertRefused(again, 2, /provisioned already/);
      await badge.stop();
      const chunks: number[] = [];
      for (let conversation = 0; conversation < 2; conversation++) {
        const replayed = await rig("replay", SAMPLE, "--badge", at("badge"), "--json");
        assert.equal(replayed.code, 0, replayed.stderr);
        chunks.push(JSON.parse(replayed.stdout).chunks);
      }
      assert.ok(chunks[0] > 30 && chunks[1] > 30, `${chunks} chunks`);
      await relay.stop();
      const opened = await salestag(
        "open",
        at("relay"),
        "--vault",
        at("vault"),
        "--identity",
        at("identity.txt"),
        "--out",
        at("opened"),
        "--json",
      );
      assert.equal(opened.code, 0, opened.stderr);
      const conversations = opened.stdout
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line));
      assert.equal(conversations.length, 3, "the check of its provisioning, and two");
      const epochs = conversations.map(({ epoch }) => epoch);
      assert.deepEqual(
        epochs,
        [...new Set(epochs)].sort((a, b) => a - b),
        "an epoch was used twice",
      );
      for (const { badge: id, complete } of conversations) {
        assert.equal(id, JSON.parse(made.stdout).badge);
        assert.equal(complete, true);
      }
    } finally {
      await badge.stop();
      await relay.stop();
    }
  });

  it("a port where no badge answers", async () => {
    const folder = scratch();
    await createIdentity(join(folder, "identity.txt"), 0);
    Vault.create(join(folder, "vault"), "", [
      "age1dnsj0xhc5d30d36m53wrjje9ycmj308qx77h3njr3hsfxx66vgqq2wc4kh",
    ]);
    const run = await salestag(
      "provision",
      "--badge",
      "tcp:127.0.0.1:9",
      "--vault",
      join(folder, "vault"),
      "--registry",
      join(folder, "registry.json"),
      "--relay",
      deadUrl,
    );
    assertRefused(run, 5, /no badge at tcp:127\.0\.0\.1:9/);
  });
});
