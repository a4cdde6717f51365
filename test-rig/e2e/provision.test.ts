// `salestag provision` through a real terminal: from a badge without keys to one that proved itself, and every way to fail.
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Relay } from "@salestag/cloud-relay";
import { readRegistry } from "@salestag/protocol/host";
import { onTerminal } from "../../host-tools/src/testing/terminal";
import { newBadgeState } from "../src/badge-state";
import { NoisyCable, SlowCable } from "../src/cables";
import type { AccessPoint } from "../src/emulator/wifi";
import { startRelayWithDoor } from "../src/relay-with-door";
import { EmulatedBootloader } from "../src/rom/bootloader";
import { ChipPort } from "../src/rom/chip-port";
import { imageArguments, imagesFor, storeOf } from "../src/rom/flashing.fixture";
import { Site } from "../src/site";
import { PluggedBadge, type PluggedOptions } from "./plugged-badge";
import { assertRefused, SALESTAG, salestag, sample, scratch } from "./support";

const OFFICE: AccessPoint = { ssid: "Office", password: "correct horse", rssiDbm: -54, channel: 6 };
const FAINT: AccessPoint = { ssid: "Basement", password: "correct horse", rssiDbm: -88, channel: 11 };

/** Two seconds, and what waited for the key at the badge's start. */
function assertHeard(openedMs: number): void {
  assert.ok(openedMs >= 2000 && openedMs <= 2400, `${openedMs} ms were opened`);
}

describe("end to end: salestag provision", () => {
  let site: Site;
  let relay: Relay;
  let tokenFile: string;
  let passwordFile: string;
  let badges: PluggedBadge[] = [];

  before(async () => {
    site = await Site.create(join(scratch(), "site"));
    passwordFile = join(site.folder, "wifi.txt");
    writeFileSync(passwordFile, "correct horse\n", { mode: 0o600 });
    mkdirSync(join(site.folder, "ports"));
    ({ relay, tokenFile } = await startRelayWithDoor(site));
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
    assertHeard(ready.openedMs);
    assert.equal(ready.wifiDbm, -54);
    assert.equal(ready.deviceId, "0102030400000001");
    assert.equal(readRegistry(site.registry).get(ready.badge)?.label, "Kim");
    assert.ok(badge.lines.includes("> @consent 0 4"));
    assert.equal(badge.bench.state().wifi?.ssid, "Office");
  });

  it("a blank chip that was flashed starts with what was flashed, and proves itself", async () => {
    const chip = new EmulatedBootloader();
    const port = await ChipPort.plugIn(chip);
    const flashed = await salestag("flash", "--port", port.path, ...imageArguments(site.folder, imagesFor()));
    await port.unplug();
    assert.equal(flashed.code, 0, flashed.stderr);
    const state = { ...newBadgeState("0102030405060708", 256), flash: Buffer.from(storeOf(chip)) };
    const badge = await plugIn({ state, deviceId: state.deviceId, program: "in flash" });
    const run = await provision(badge, ...wifi("Office"), "--json");
    assert.equal(run.code, 0, run.stderr);
    assertHeard(JSON.parse(run.stdout).openedMs);
  });

  it("asks on the terminal for what no flag says: the label, one of the networks that the badge hears, its password, consent", async () => {
    const badge = await plugIn();
    const { code, screen } = await onTerminal(
      [
        ...[
          process.execPath,
          SALESTAG,
          "provision",
          "--ask",
          "--badge",
          badge.port,
          "--vault",
          site.vaultFolder,
        ],
        ...[
          "--relay",
          relay.addresses[0],
          "--relay-door",
          relay.adminUrl as string,
          "--token-file",
          tokenFile,
        ],
      ],
      [
        [/Whose badge is it\?/, "Kim\r"],
        [/Which Wi-Fi\?[\s\S]*Office {2}-54 dBm[\s\S]*Basement {2}-88 dBm/, "\r"],
        [/Password of 'Office'/, "short\r"],
        [/WPA2 takes 8 to 63/, "\x15correct horse\r"],
        [/Whose consent is needed\?[\s\S]*announce/, "\r"],
      ],
    );
    assert.equal(code, 0, screen);
    assert.match(screen, /proved {4}2(\.\d+)? s of sound recorded, uploaded and opened/);
    assert.doesNotMatch(screen, /correct horse/);
    assert.equal(badge.bench.state().wifi?.password, "correct horse");
  });

  /** What must be true of a badge that is not ready: as if nobody had touched it. */
  async function assertUntouched(badge: PluggedBadge): Promise<void> {
    assert.equal(known(), registered, "the relay knows it");
    await badge.says("@unprovisioned");
  }
  const known = () => (existsSync(site.registry) ? readRegistry(site.registry).size : 0);
  let registered = 0;
  beforeEach(() => {
    registered = known();
  });

  for (const [what, args, words] of [
    [
      "wrong password",
      () => ["--wifi", "Office", "--wifi-password-file", wrong()],
      /'Office' \(-54 dBm\): the password is wrong/,
    ],
    [
      "too far away",
      () => ["--wifi", "Basement", "--wifi-password-file", wrong()],
      /signal is weak here \(-88 dBm\); go nearer/,
    ],
    [
      "no such network",
      () => wifi("Attic"),
      /does not find the Wi-Fi 'Attic'; it hears 'Office', 'Basement'. .* 2.4 GHz/,
    ],
    ["password left out", () => ["--wifi", "Office"], /needs a password and none was given/],
  ] as [string, () => string[], RegExp][])
    it(`Wi-Fi that cannot be joined is told with its cause, and no key is made (${what})`, async () => {
      const badge = await plugIn();
      const vaultBefore = readdirSync(join(site.vaultFolder, "badges"));
      assertRefused(await provision(badge, ...args()), what === "password left out" ? 2 : 5, words);
      await assertUntouched(badge);
      assert.deepEqual(readdirSync(join(site.vaultFolder, "badges")), vaultBefore);
    });
  const wrong = () => {
    const path = join(site.folder, "wrong.txt");
    writeFileSync(path, "wrong horse\n", { mode: 0o600 });
    return path;
  };

  it("a relay that is not there: the keys are taken back", async () => {
    const badge = await plugIn();
    const run = await provision(badge, "--relay", "tcp://127.0.0.1:1", ...wifi("Office"));
    assertRefused(run, 5, /does not reach tcp:\/\/127.0.0.1:1 .*ECONNREFUSED.*; its keys were taken back/);
    await assertUntouched(badge);
  });

  it("a microphone that gives no sound: the keys are taken back", async () => {
    const badge = await plugIn({ frames: undefined });
    assertRefused(
      await provision(badge, ...wifi("Office")),
      5,
      /records nothing: its microphone gives no sound.*taken back/,
    );
    await assertUntouched(badge);
  });

  it("a badge that is to record nothing proves its relay and no more", async () => {
    const badge = await plugIn();
    const run = await provision(badge, ...wifi("Office"), "--policy", "off", "--json");
    assert.equal(run.code, 0, run.stderr);
    const { proved, openedMs } = JSON.parse(run.stdout);
    assert.deepEqual({ proved, openedMs }, { proved: true, openedMs: undefined });
    assert.ok(badge.lines.every((line) => !line.includes("@chunk")));
  });

  it("provisioned already: refused, and by force it gets new keys and proves itself again", async () => {
    const badge = await plugIn();
    const first = JSON.parse((await provision(badge, ...wifi("Office"), "--json")).stdout);
    assertRefused(
      await provision(badge),
      2,
      new RegExp(`provisioned already, as ${first.badge}; add --force`),
    );
    const again = await provision(badge, "--force", "--json");
    assert.equal(again.code, 0, again.stderr);
    const second = JSON.parse(again.stdout).badge;
    const known = readRegistry(site.registry);
    assert.deepEqual([known.has(first.badge), known.has(second)], [false, true]);
    assert.ok(readdirSync(join(site.vaultFolder, "badges")).includes(`${first.badge}.age`));
  });

  it("works on a line that loses and changes bytes", async () => {
    const badge = await plugIn({ cable: new NoisyCable(7) });
    const run = await provision(badge, ...wifi("Office"), "--json");
    assert.equal(run.code, 0, run.stderr);
    assertHeard(JSON.parse(run.stdout).openedMs);
  });

  it("works on a slow line", async () => {
    const badge = await plugIn({ cable: new SlowCable(10_000) });
    const run = await provision(badge, ...wifi("Office"), "--json");
    assert.equal(run.code, 0, run.stderr);
    assertHeard(JSON.parse(run.stdout).openedMs);
  });

  /** `salestag provision` that is interrupted, or whose badge is unplugged, when it says a step. */
  async function cutAt(badge: PluggedBadge, step: string, cut: (child: ChildProcess) => void) {
    const args = [
      "--badge",
      badge.port,
      "--vault",
      site.vaultFolder,
      "--relay",
      relay.addresses[0],
      "--label",
      "Kim",
    ];
    const door = ["--relay-door", relay.adminUrl as string, "--token-file", tokenFile];
    const child = spawn(process.execPath, [SALESTAG, "provision", ...args, ...door, ...wifi("Office")], {
      stdio: ["ignore", "ignore", "pipe"],
    });
    let stderr = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      const before = stderr.includes(`${step} ...`);
      stderr += text;
      if (!before && stderr.includes(`${step} ...`)) cut(child);
    });
    const [code] = (await once(child, "close")) as [number];
    return { code, stderr };
  }

  for (const step of ["Wi-Fi", "settings", "keys", "relay", "sound"])
    it(`Ctrl-C leaves a badge that works, provisioned or not at all (at ${step})`, async () => {
      const badge = await plugIn();
      const { code, stderr } = await cutAt(badge, step, (child) => child.kill("SIGINT"));
      assert.equal(code, 130, stderr);
      assert.match(stderr, /interrupted/);
      await assertUntouched(badge);
      assert.equal((await provision(badge, ...wifi("Office"))).code, 0);
    });

  for (const step of ["Wi-Fi", "settings", "keys", "relay", "sound"])
    it(`unplugged in the middle: told in a sentence, and the next try makes it ready (at ${step})`, async () => {
      const badge = await plugIn();
      const { port } = badge;
      const { code, stderr } = await cutAt(badge, step, () => void badge.unplug());
      assert.equal(code, 5, stderr);
      assert.match(stderr, /salestag: [^\n]*is gone \([^\n]*\): plug it in again[^\n]*\.\n$/);
      await badge.plugInAgain(port);
      const again = await provision(badge, ...wifi("Office"), "--force", "--json");
      assert.equal(again.code, 0, again.stderr);
      assertHeard(JSON.parse(again.stdout).openedMs);
    });

  it("secrets that others may read are refused before the badge is asked for anything", async () => {
    const badge = await plugIn();
    const open = join(site.folder, "open.txt");
    writeFileSync(open, "correct horse\n");
    chmodSync(open, 0o644);
    assertRefused(await provision(badge, "--wifi", "Office", "--wifi-password-file", open), 2, /chmod 600/);
    await assertUntouched(badge);
  });
});
