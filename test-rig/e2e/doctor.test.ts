// `salestag doctor` on badges at pseudo-terminals: what it finds in every state, what it says to do, how it ends.
import assert from "node:assert/strict";
import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { BadgeSettings, JD_CLASS_SETTINGS } from "@salestag/protocol/jacdac";
import { RUNTIME_VERSION } from "../../host-tools/src/doctor/badge-checks";
import type { Finding } from "../../host-tools/src/doctor/finding";
import { makeBundle } from "../../host-tools/src/flash/bundle";
import { smallImages } from "../../host-tools/src/flash/images.fixture";
import { BadgePort } from "../../host-tools/src/usb/badge-port";
import { versionOf } from "../../host-tools/src/usb/observe";
import { type Bench, readProgram } from "../src/bench";
import { buildProgram } from "../src/emulator/build-program";
import type { AccessPoint } from "../src/emulator/wifi";
import { Pty } from "../src/pty";
import { Desk, said } from "./badge-states";
import { assertRefused, run, sample } from "./support";

const NOWHERE = "tcp://127.0.0.1:1";
const OFFICE: AccessPoint = { ssid: "Office", password: "correct horse", rssiDbm: -54, channel: 6 };
const FAINT: AccessPoint = { ...OFFICE, rssiDbm: -88 };
const NOBODY = 65534;

interface Examined {
  code: number;
  stderr: string;
  findings: Finding[];
}

describe("end to end: salestag doctor", () => {
  let desk: Desk;
  before(async () => {
    desk = await Desk.setUp();
  });
  afterEach(() => desk.clear());
  after(() => desk.close());

  async function examine(...args: string[]): Promise<Examined> {
    const { code, stdout, stderr } = await desk.salestag("doctor", "--json", ...args);
    assert.ok(stdout !== "", stderr);
    assert.doesNotMatch(stdout + stderr, /[0-9a-f]{64}/, "64 hexadecimal digits in the output");
    const { ok, checks } = JSON.parse(stdout) as { ok: boolean; checks: Finding[] };
    assert.equal(ok, code === 0);
    for (const { check, verdict, todo } of checks)
      assert.ok(verdict === "ok" || (todo !== undefined && todo !== ""), `${check} does not say what to do`);
    return { code, stderr, findings: checks };
  }
  const failures = ({ findings }: Examined): string[] =>
    findings.filter(({ verdict }) => verdict === "failed").map(({ check }) => check);
  const found = ({ findings }: Examined, check: string): Finding => {
    const one = findings.find((finding) => finding.check === check);
    assert.ok(one !== undefined, `no line on ${check}`);
    return one;
  };
  const team = () => ["--vault", desk.site.vaultFolder, "--identity", desk.site.identity];
  const door = () => ["--relay-door", desk.relay.adminUrl as string, "--token-file", desk.tokenFile];

  it("a badge that is well: nothing failed (exit 0), with settings, vault, keys and the relay's door", async () => {
    const { state, badge } = await desk.provisioned(desk.relay.addresses[0]);
    const { frames } = await sample();
    const plugged = await desk.plugIn("badge", { state, frames });
    await said(plugged, /@up/);
    const result = await examine("--settings", ...team(), ...door());
    assert.deepEqual([result.code, failures(result), result.stderr], [0, [], ""]);
    const good = result.findings.filter(({ verdict }) => verdict === "ok").map(({ check }) => check);
    const expected = [
      ...[
        "port",
        "runtime",
        "program",
        "running",
        "provisioned",
        "storage",
        "sound",
        "load",
        "relay",
        "time",
      ],
      ...["settings", "vault", "keys", "relay's door"],
    ];
    assert.deepEqual(
      expected.filter((check) => !good.includes(check)),
      [],
    );
    assert.match(found(result, "provisioned").says, new RegExp(badge));
    assert.match(found(result, "program").says, /the one in this checkout/);
    assert.match(found(result, "relay's door").says, /Kim.* is connected/);
    await said(plugged, /@health/); // it goes on
  });

  it("for people: a line for each check, and a sentence at the end", async () => {
    await desk.plugIn("badge");
    const ended = await desk.salestag("doctor");
    assertRefused(ended, 5, /1 of 15 checks failed; each says what to do\.$/m);
    assert.match(ended.stdout, /^failed {3}provisioned {3}it has no keys.*: run 'salestag provision'$/m);
    assert.match(ended.stdout, /^ok {7}runtime {7}[0-9a-f]{16} answers, version 2\.16\.4$/m);
  });

  it("states: fresh, without relay, stopped, empty, failing, without flash chip, in use", async () => {
    const { state } = await desk.provisioned(NOWHERE);
    const alone = await desk.plugIn("alone", { state });
    await desk.plugIn("fresh");
    await desk.plugInStopped("stopped");
    await desk.plugInBare("empty");
    await desk.plugInFailing("failing");
    await desk.plugInChipless("chipless");
    await desk.plugIn("used");
    await said(alone, /@down/);
    const holder = await BadgePort.open(desk.port("used"));
    const look = (name: string) => examine("--badge", desk.port(name));
    try {
      const [lost, fresh, stopped] = await Promise.all(["alone", "fresh", "stopped"].map(look));
      const [empty, failing, chipless, used] = await Promise.all(
        ["empty", "failing", "chipless", "used"].map(look),
      );
      const all = { lost, fresh, stopped, empty, failing, chipless, used };
      for (const [name, { code, stderr }] of Object.entries(all)) assert.equal(code, 5, `${name}: ${stderr}`);
      assert.deepEqual(
        Object.fromEntries(Object.entries(all).map(([name, result]) => [name, failures(result)])),
        {
          lost: ["relay"],
          fresh: ["provisioned"],
          stopped: ["running"],
          empty: ["program"],
          failing: ["running"],
          chipless: ["storage"],
          used: ["port"],
        },
      );
      assert.match(found(stopped, "running").says, /is stopped: nothing is recorded/);
      assert.match(found(failing, "running").says, /panic/);
      assert.match(found(failing, "program").todo ?? "", /salestag deploy/);
      assert.match(found(used, "port").says, new RegExp(`\\(process ${process.pid}\\) uses`));
    } finally {
      await holder.close();
    }
  });

  it("why the relay is not reached: nobody listens there, it does not know the badge", async () => {
    const silent = await desk.provisioned(NOWHERE);
    const unknown = await desk.provisioned(desk.relay.addresses[0]);
    const plugged = [
      await desk.plugIn("silent", { state: silent.state }),
      await desk.plugIn("unknown", { state: unknown.state }),
    ];
    assert.equal((await deleteBadge(unknown.badge)).status, 200);
    await Promise.all(plugged.map((badge) => said(badge, /@down/)));
    const [first, second] = await Promise.all([
      examine("--badge", desk.port("silent"), "--settings"),
      examine("--badge", desk.port("unknown"), "--settings", ...door()),
    ]);
    assert.match(found(first, "relay").says, /not reached at tcp:\/\/127\.0\.0\.1:1 \(.*ECONNREFUSED/);
    assert.match(found(first, "relay").todo ?? "", /start the relay there/);
    assert.deepEqual(failures(second), ["relay", "relay's door"]);
    assert.match(found(second, "relay's door").says, /does not know badge/);
  });

  async function deleteBadge(badge: string): Promise<Response> {
    const token = readFileSync(desk.tokenFile, "utf8").trim();
    return await fetch(new URL(`/badges/${badge}`, desk.relay.adminUrl), {
      method: "DELETE",
      headers: { authorization: `Bearer ${token}` },
    });
  }

  it("settings: each that is wrong is named, with what to do, and its program runs again", async () => {
    const { state } = await desk.provisioned(NOWHERE, async (bench) => {
      const settings = settingsOf(bench);
      await settings.write("tuning", Buffer.from('{"gapS":3}'));
      await settings.write("relay", Buffer.from('"udp://nowhere"'));
      await settings.write("phrase1", Buffer.from('["solar",-100,"abc"]'));
      await settings.write("consent", Buffer.from('{"policy":"verbal","yes":["you may"]}'));
    });
    const badge = await desk.plugIn("badge", { state });
    await said(badge, /@unprovisioned/);
    const result = await examine("--settings");
    assert.deepEqual(
      result.findings
        .filter(({ check, verdict }) => check.startsWith("setting ") && verdict !== "ok")
        .map(({ check, verdict }) => [check, verdict]),
      [
        ["setting relay", "failed"],
        ["setting tuning", "failed"],
        ["setting phrase1", "warning"],
        ["setting consent", "failed"],
      ],
    );
    assert.match(found(result, "setting tuning").says, /nothing to tune that is called 'gapS'/);
    assert.match(found(result, "setting phrase1").says, /it is not read, because phrase0 is missing/);
    assert.match(found(result, "setting consent").says, /does not listen for "you may"/);
    assert.equal(badge.lines.filter((line) => line.startsWith("* start:")).length, 2);
  });

  it("keys: a badge that has others than the vault is told, and no key is shown (authKey, chain)", async () => {
    const replaced = async (key: string, value: string) => {
      const { state } = await desk.provisioned(NOWHERE, (bench) =>
        settingsOf(bench).write(key, Buffer.from(value)),
      );
      const badge = await desk.plugIn(key, { state });
      await said(badge, /@ready/);
      return await examine("--badge", desk.port(key), "--settings", ...team());
    };
    const results = await Promise.all([
      replaced("authKey", JSON.stringify("ab".repeat(32))),
      replaced("chain", JSON.stringify({ n: 0, k: "cd".repeat(32) })),
    ]);
    assert.match(found(results[0], "keys").says, /authentication key is not the vault's/);
    assert.ok(failures(results[0]).includes("keys"));
  });

  it("Wi-Fi: its network, address and signal; no network; a weak one (air)", async () => {
    const wifi = { ssid: "Office", password: "correct horse" };
    const { state } = await desk.provisioned(NOWHERE);
    let badges = 0;
    const joined = async (name: string, air: AccessPoint[]) => {
      const deviceId = `010203050000000${badges++}`;
      const plugged = await desk.plugIn(name, { state: { ...state, deviceId, wifi }, air });
      await said(plugged, /@down/);
      return await examine("--badge", desk.port(name));
    };
    const [good, none, weak] = await Promise.all([
      joined("office", [OFFICE]),
      joined("none", []),
      joined("weak", [FAINT]),
    ]);
    assert.match(
      found(good, "Wi-Fi").says,
      /^"Office", address \d+\.\d+\.\d+\.\d+, signal very good \(-54 dBm\)$/,
    );
    assert.equal(found(good, "Wi-Fi").verdict, "ok");
    assert.deepEqual(failures(none), ["relay", "Wi-Fi"]);
    assert.match(found(none, "Wi-Fi").says, /joined no network/);
    assert.match(found(weak, "Wi-Fi").says, /hardly usable \(-88 dBm\)/);
  });

  it("unplugged in the middle: a clear end (exit 5)", async () => {
    let touched: () => void = () => undefined;
    const asked = new Promise<void>((resolve) => {
      touched = resolve;
    });
    const cable = { toHost: () => undefined, toBadge: () => touched() };
    const badge = await desk.plugIn("badge", { cable });
    const examining = examine();
    await asked;
    await badge.unplug();
    const result = await examining;
    assert.equal(result.code, 5);
    assert.match(found(result, "port").says, /was unplugged while it was looked at/);
  });

  it("a port that is silent, or goes silent: the runtime does not answer (exit 5)", async () => {
    const pty = await Pty.open();
    try {
      const result = await examine("--badge", pty.path, "--settings");
      assert.equal(result.code, 5);
      assert.deepEqual(failures(result), ["runtime"]);
    } finally {
      await pty.close();
    }
  });

  it("a port that one may not open: who owns it, and the rule that helps", async function () {
    const pty = await Pty.open();
    chmodSync(pty.path, 0);
    try {
      const asUser =
        process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY, env: { PATH: process.env.PATH } } : {};
      const doctor = (...args: string[]) => run("host-tools/bin/salestag.mjs", ["doctor", ...args], asUser);
      if ((await doctor("--help")).code !== 0) this.skip(); // another user may not read this folder
      const { code, stdout } = await doctor("--badge", pty.path, "--json");
      assert.equal(code, 5);
      const [port] = (JSON.parse(stdout) as { checks: Finding[] }).checks;
      assert.match(port.says, /you may not open \S+ \(it belongs to user \d+ and group \d+, mode 0\)/);
      assert.match(port.commands?.[0] ?? "", /doctor --udev-rule \| sudo tee/);
    } finally {
      await pty.close();
    }
  });

  it("no badge, a port that is none, two badges (exit 5, 5, 2)", async () => {
    const none = await examine();
    assert.deepEqual([none.code, failures(none)], [5, ["port"]]);
    const absent = await examine("--badge", join(desk.ports, "nowhere"));
    assert.deepEqual([absent.code, failures(absent)], [5, ["port"]]);
    await desk.plugIn("first");
    await desk.plugIn("second");
    assertRefused(await desk.salestag("doctor"), 2, /2 badges are plugged in/);
  });

  it("wrong arguments (exit 2): an identity without vault, no vault, half a door, no program", async () => {
    const text = join(desk.site.folder, "text");
    writeFileSync(text, "no program");
    assertRefused(await desk.salestag("doctor", "--identity", "id.txt"), 2, /name the vault too/);
    assertRefused(await desk.salestag("doctor", "--vault", "/nowhere"), 2, /'\/nowhere' is no vault/);
    assertRefused(await desk.salestag("doctor", "--token-file", text), 2, /belong together/);
    assertRefused(await desk.salestag("doctor", "--program", text), 2, /is no badge program/);
  });

  it("the program in a badge is compared with a bundle's (the same, another)", async () => {
    const bundle = (name: string, program: Buffer): string => {
      const path = join(desk.site.folder, name);
      writeFileSync(path, makeBundle("1.4.0", { ...smallImages(), program }));
      return path;
    };
    const other = await buildProgram({ "main.ts": "console.log(1)\n" });
    await desk.plugIn("badge");
    const same = await examine("--bundle", bundle("same.stb", readProgram()));
    assert.match(found(same, "program").says, /the one in .*same\.stb/);
    const newer = await examine("--bundle", bundle("newer.stb", other));
    assert.equal(found(newer, "program").verdict, "warning");
    assert.match(found(newer, "program").says, /is not the one in .*newer\.stb, 1\.4\.0$/);
  });

  it("--udev-rule prints the rule: badges and boot loaders, for who sits here", async () => {
    const { code, stdout } = await desk.salestag("doctor", "--udev-rule");
    assert.equal(code, 0);
    assert.match(stdout, /ATTRS\{serial\}=="JD.*TAG\+="uaccess"/);
    assert.match(stdout, /ATTRS\{idVendor\}=="303a".*TAG\+="uaccess"/);
  });

  it("the runtime version that it expects is the one that the badge program is built for", () => {
    assert.equal(versionOf(readProgram().subarray(8, 12)), RUNTIME_VERSION);
  });
});

function settingsOf(bench: Bench): BadgeSettings {
  return new BadgeSettings(bench.client, bench.client.servicesOf(JD_CLASS_SETTINGS)[0]);
}
