// `salestag provision-box`: a whole box of badges, as a technician plugs them in, four at a time, some of which fail.
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Relay } from "@salestag/cloud-relay";
import { readRegistry } from "@salestag/protocol/host";
import { newBadgeState } from "../src/badge-state";
import type { AccessPoint } from "../src/emulator/wifi";
import { startRelayWithDoor } from "../src/relay-with-door";
import { Site } from "../src/site";
import { PluggedBadge, type PluggedOptions } from "./plugged-badge";
import { assertRefused, type Run, SALESTAG, sample, scratch } from "./support";

const OFFICE: AccessPoint = { ssid: "Office", password: "correct horse", rssiDbm: -54, channel: 6 };
const BADGES = 50;
const AT_A_TIME = 4;
const hardwareOf = (number: number) => `01020304050607${number.toString(16).padStart(2, "0")}`;

/** What `provision-box --json` says of a badge. */
interface Line {
  row: number;
  hardware: string;
  badge: string;
  state: string;
  why: string;
}

describe("end to end: salestag provision-box", () => {
  let site: Site;
  let relay: Relay;
  let args: string[];

  before(async () => {
    site = await Site.create(join(scratch(), "site"));
    mkdirSync(join(site.folder, "ports"));
    const started = await startRelayWithDoor(site);
    relay = started.relay;
    const door = ["--relay-door", started.doorUrl, "--token-file", started.tokenFile];
    args = ["--vault", site.vaultFolder, "--relay", relay.addresses[0], ...door];
  });
  after(() => relay.close());

  const file = (name: string) => join(site.folder, name);
  function start(list: string, ...more: string[]): ChildProcess {
    const files = ["--report", file("report.csv"), "--page", file("labels.html")];
    const given = ["provision-box", list, ...files, ...args, "--parallel", String(AT_A_TIME), ...more];
    const env = { ...process.env, SALESTAG_PORTS: file("ports") };
    return spawn(process.execPath, [SALESTAG, ...given], { env, stdio: ["ignore", "pipe", "pipe"] });
  }

  async function ended(child: ChildProcess): Promise<Run> {
    const run = { code: 0, stdout: "", stderr: "" };
    for (const name of ["stdout", "stderr"] as const)
      child[name]?.setEncoding("utf8").on("data", (text: string) => {
        run[name] += text;
      });
    [run.code] = (await once(child, "close")) as [number];
    return run;
  }

  async function plugIn(number: number, options: Partial<PluggedOptions> = {}): Promise<PluggedBadge> {
    const { frames } = await sample();
    const deviceId = hardwareOf(number);
    const link = join(file("ports"), `badge${number}`);
    return await PluggedBadge.plugIn({ deviceId, link, frames, air: [OFFICE], ...options });
  }

  /** The ways in which three of the badges fail. */
  const failing: Record<number, { options: Partial<PluggedOptions>; words: RegExp }> = {
    7: {
      options: { air: [{ ...OFFICE, ssid: "Neighbour" }] },
      words: /does not find the Wi-Fi 'Office'; it hears 'Neighbour'/,
    },
    23: {
      options: { frames: undefined },
      words: /records nothing: its microphone gives no sound.*taken back/,
    },
    41: {
      options: { air: [{ ...OFFICE, password: "another one" }] },
      words: /'Office' \(-54 dBm\): the password is wrong/,
    },
  };

  it(`${BADGES} badges, of which 3 fail in different ways: 47 are ready, 3 are told with cause and remedy, none is half provisioned`, async () => {
    const rows = Array.from({ length: BADGES }, (_, at) => `Rep ${at + 1},,Office,correct horse`);
    const list = file("box.csv");
    writeFileSync(list, ["label,hardware,wifi_ssid,wifi_password", ...rows].join("\n"), { mode: 0o600 });
    const child = start(list, "--json");
    const over = ended(child);
    const hands = new Hands(child, AT_A_TIME);
    for (let number = 1; number <= BADGES; number++)
      await hands.plug(await plugIn(number, failing[number]?.options), hardwareOf(number));
    const run = await over;
    await hands.empty();
    assert.equal(run.code, 5, run.stderr);
    assert.match(run.stderr, /3 of 50 badges are not ready; the report '.*' says why/);
    const lines = hands.lines;
    assert.equal(lines.length, BADGES);
    for (const { hardware, state, why } of lines) {
      const number = Number.parseInt(hardware.slice(-2), 16);
      assert.equal(state, failing[number] === undefined ? "ready" : "failed", `badge ${number}: ${why}`);
      if (failing[number] !== undefined) assert.match(why, failing[number].words);
    }
    const ready = lines.filter(({ state }) => state === "ready");
    assert.deepEqual([...readRegistry(site.registry).keys()].sort(), ready.map(({ badge }) => badge).sort());
    for (const number of Object.keys(failing).map(Number))
      assert.ok(hands.unprovisioned.has(hardwareOf(number)));
    const page = readFileSync(file("labels.html"), "utf8");
    assert.equal(page.split("<svg").length - 1, 47);
    assert.equal(statSync(file("report.csv")).mode & 0o777, 0o600);
    assert.ok(!readFileSync(file("report.csv"), "utf8").includes("correct horse"));
  });

  it("goes on where it ended: those that failed are tried again, those that are ready are left alone", async () => {
    const child = start(file("box.csv"), "--json");
    const over = ended(child);
    const hands = new Hands(child, AT_A_TIME);
    for (const number of [1, ...Object.keys(failing).map(Number)])
      await hands.plug(
        await plugIn(number, { state: newBadgeState(hardwareOf(number), 256) }),
        hardwareOf(number),
      );
    const run = await over;
    await hands.empty();
    assert.equal(run.code, 0, run.stderr);
    assert.deepEqual(
      hands.lines.map(({ hardware, state }) => [hardware, state]).sort(),
      [7, 23, 41].map((number) => [hardwareOf(number), "ready"]),
    );
    assert.equal(readRegistry(site.registry).size, BADGES);
  });

  for (const [what, text, words] of [
    ["an unknown column", "label,colour\nKim,red", /there is no column 'colour'; there are label, hardware/],
    [
      "a login for each person",
      "label,wifi_user\nKim,kim",
      /WPA2-Enterprise\), which the badge's runtime cannot use/,
    ],
    ["no label", "label,wifi_ssid\n,Office", /line 1 of '.*' cannot be used: it has no label/],
    ["a short password", "label,wifi_ssid,wifi_password\nKim,Office,short", /line 1 .* WPA2 takes 8 to 63/],
    [
      "the same badge twice",
      `label,hardware\nA,${hardwareOf(1)}\nB,${hardwareOf(1)}`,
      /line 2 .* hardware id of line 1/,
    ],
    ["a policy that is none", "label,policy\nKim,maybe", /line 1 .* cannot be used/],
    ["an open quote", 'label\n"Kim', /is no list of badges/],
    ["nothing in it", "label\n", /has 0 lines/],
  ] as [string, string, RegExp][])
    it(`a list that cannot be used is refused before any badge is touched (${what})`, async () => {
      const list = file("bad.csv");
      writeFileSync(list, text, { mode: 0o600 });
      assertRefused(await ended(start(list)), 2, words);
    });

  it("a list with passwords that others may read is refused", async () => {
    const list = file("open.csv");
    writeFileSync(list, "label,wifi_ssid,wifi_password\nKim,Office,correct horse", { mode: 0o644 });
    assertRefused(await ended(start(list)), 2, /chmod 600/);
  });
});

/** A technician's hands: plug in a few badges, unplug each when its line is told. */
class Hands {
  readonly lines: Line[] = [];
  /** Hardware ids of badges that said, after their line was told, that they have no keys. */
  readonly unprovisioned = new Set<string>();
  private readonly held = new Map<string, PluggedBadge>();
  private changed: () => void = () => undefined;
  private readonly putting = new Set<Promise<void>>();

  constructor(
    child: ChildProcess,
    private readonly atATime: number,
  ) {
    createInterface({ input: child.stdout as NodeJS.ReadableStream }).on("line", (text) => {
      const line = JSON.parse(text) as Line & { port?: string };
      if (line.hardware !== undefined) this.lines.push(line);
      const hardware = line.hardware ?? [...this.held].find(([, { port }]) => port === line.port)?.[0];
      if (hardware !== undefined) this.unplug(hardware, line.state === "failed");
    });
  }

  async plug(badge: PluggedBadge, hardware: string): Promise<void> {
    this.held.set(hardware, badge);
    while (this.held.size >= this.atATime)
      await new Promise<void>((resolve) => {
        this.changed = resolve;
      });
  }

  async empty(): Promise<void> {
    while (this.putting.size > 0) await Promise.all(this.putting);
  }

  private unplug(hardware: string, failed: boolean): void {
    const badge = this.held.get(hardware);
    if (badge === undefined) return;
    const away = async () => {
      if (failed) {
        await badge.says("@unprovisioned");
        this.unprovisioned.add(hardware);
      }
      await badge.putAway();
      this.held.delete(hardware);
      this.changed();
    };
    const put: Promise<void> = away().finally(() => this.putting.delete(put));
    this.putting.add(put);
  }
}
