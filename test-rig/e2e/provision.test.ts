// `salestag provision` through a real terminal: from a badge without keys to one that proved itself, and every way to fail.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Relay, startRelay } from "@salestag/cloud-relay";
import { readRegistry } from "@salestag/protocol/host";
import type { AccessPoint } from "../src/emulator/wifi";
import { Site } from "../src/site";
import { PluggedBadge, type PluggedOptions } from "./plugged-badge";
import { assertRefused, salestag, sample, scratch } from "./support";

const OFFICE: AccessPoint = { ssid: "Office", password: "correct horse", rssiDbm: -54, channel: 6 };
const FAINT: AccessPoint = { ssid: "Basement", password: "correct horse", rssiDbm: -88, channel: 11 };
const quiet = () => undefined;

describe("end to end: salestag provision", () => {
  let site: Site;
  let relay: Relay;
  let tokenFile: string;
  let passwordFile: string;
  let badges: PluggedBadge[] = [];

  before(async () => {
    site = await Site.create(join(scratch(), "site"));
    const token = randomBytes(24).toString("base64");
    tokenFile = join(site.folder, "admin.token");
    writeFileSync(tokenFile, `${token}\n`, { mode: 0o600 });
    passwordFile = join(site.folder, "wifi.txt");
    writeFileSync(passwordFile, "correct horse\n", { mode: 0o600 });
    mkdirSync(join(site.folder, "ports"));
    relay = await startRelay({
      listen: [{ host: "127.0.0.1", port: 0, tls: false }],
      registry: site.registry,
      spool: site.spool,
      sinks: [],
      admin: { host: "127.0.0.1", port: 0, token: Buffer.from(token) },
      log: { info: quiet, warn: quiet, error: quiet },
      onFatal: quiet,
    });
  });
  after(() => relay.close());
  afterEach(async () => {
    for (const badge of badges) await badge.putAway();
    badges = [];
  });

  let plugged = 0;
  async function plugIn(options: Partial<PluggedOptions> = {}): Promise<PluggedBadge> {
    const deviceId = (0x0102030400000000n + BigInt(++plugged)).toString(16).padStart(16, "0");
    const link = join(site.folder, "ports", `badge${plugged}`);
    const { frames } = await sample();
    const badge = await PluggedBadge.plugIn({ deviceId, link, frames, air: [OFFICE, FAINT], ...options });
    badges.push(badge);
    return badge;
  }

  const provision = (badge: PluggedBadge, ...more: string[]) =>
    salestag(
      "provision",
      ...["--badge", badge.port, "--vault", site.vaultFolder, "--relay", relay.addresses[0]],
      ...["--relay-door", relay.adminUrl as string, "--token-file", tokenFile, "--label", "Kim", ...more],
    );
  const wifi = (ssid: string) => ["--wifi", ssid, "--wifi-password-file", passwordFile];

  it("a badge without anything joins the Wi-Fi, gets its keys and proves itself through the relay's door", async () => {
    const badge = await plugIn();
    const run = await provision(
      badge,
      ...wifi("Office"),
      "--policy",
      "verbal",
      "--talk-share-max",
      "60",
      "--json",
    );
    assert.equal(run.code, 0, run.stderr);
    const ready = JSON.parse(run.stdout);
    assert.equal(ready.proved, true);
    assert.equal(ready.openedMs, 2000);
    assert.equal(ready.wifiDbm, -54);
    assert.equal(ready.deviceId, "0102030400000001");
    assert.equal(readRegistry(site.registry).get(ready.badge)?.label, "Kim");
    assert.ok(badge.lines.includes("> @consent 0 4"));
    assert.equal(badge.bench.state().wifi?.ssid, "Office");
  });
});
