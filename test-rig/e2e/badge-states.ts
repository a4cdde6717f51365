// Badges in every state that a technician may meet, each at a pseudo-terminal in one folder, with a team and a relay around them.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Relay } from "@salestag/cloud-relay";
import { JD_CLASS_DEVICESCRIPT_MANAGER, setProgramRunning } from "@salestag/protocol/jacdac";
import { type BadgeState, newBadgeState } from "../src/badge-state";
import { BENCH_DEFAULTS, Bench, readProgram } from "../src/bench";
import { buildProgram } from "../src/emulator/build-program";
import { startRelayWithDoor } from "../src/relay-with-door";
import { Site } from "../src/site";
import { BareBadge, type BareOptions } from "./bare-badge";
import { PluggedBadge, type PluggedOptions } from "./plugged-badge";
import { type Run, run, scratch } from "./support";

const CHIP_SECTORS = 256;
const BOOT_MS = 1000;
const PANICS = `import { sleep } from "@devicescript/core"\nawait sleep(300)\nthrow new Error("boom")\n`;

/** A provisioned badge that is switched off. */
export interface MadeBadge {
  badge: string;
  state: BadgeState;
}

export class Desk {
  private plugged: { putAway(): Promise<void> }[] = [];
  private made = 0;

  private constructor(
    readonly site: Site,
    readonly relay: Relay,
    readonly tokenFile: string,
    /** Folder with the ports. */
    readonly ports: string,
  ) {}

  static async setUp(): Promise<Desk> {
    const site = await Site.create(join(scratch(), "site"));
    const ports = join(site.folder, "ports");
    mkdirSync(ports);
    const { relay, tokenFile } = await startRelayWithDoor(site);
    return new Desk(site, relay, tokenFile, ports);
  }

  /** `salestag`, which finds the badges on this desk. */
  salestag(...args: string[]): Promise<Run> {
    const env = {
      ...process.env,
      SALESTAG_PORTS: this.ports,
      NO_COLOR: "1",
      XDG_CONFIG_HOME: this.site.folder,
    };
    return run("host-tools/bin/salestag.mjs", args, { env });
  }

  port(name: string): string {
    return join(this.ports, name);
  }

  /** Provisions a badge in virtual time. @param alter is called with its bench afterwards, its program stopped */
  async provisioned(relayUrl: string, alter?: (bench: Bench) => Promise<void>): Promise<MadeBadge> {
    const bench = await Bench.open({ ...BENCH_DEFAULTS, state: newBadgeState(this.nextId(), CHIP_SECTORS) });
    const badge = await this.site.provision(bench, relayUrl, "Kim");
    if (alter !== undefined) {
      await bench.time.run(bench.time.nowMs() + BOOT_MS);
      await bench.drive(stop(bench));
      await bench.drive(alter(bench));
    }
    bench.badge.powerOff();
    return { badge, state: bench.state() };
  }

  async plugIn(name: string, options: Partial<PluggedOptions> = {}): Promise<PluggedBadge> {
    const deviceId = options.state?.deviceId ?? this.nextId();
    const badge = await PluggedBadge.plugIn({ deviceId, link: this.port(name), ...options });
    this.plugged.push(badge);
    return badge;
  }

  /** A badge whose program somebody stopped. */
  async plugInStopped(name: string): Promise<void> {
    const badge = await this.plugIn(name);
    await said(badge, /@unprovisioned/);
    await stop(badge.bench);
  }

  /** A badge whose program panics shortly after each start. */
  async plugInFailing(name: string): Promise<void> {
    await this.plugInBare(name, { program: await buildProgram({ "main.ts": PANICS }) });
  }

  /** A provisioned badge whose flash chip is not there. */
  async plugInChipless(name: string): Promise<void> {
    const { state } = await this.provisioned(this.relay.addresses[0]);
    const badge = await this.plugInBare(name, { program: readProgram(), flash: state.flash });
    await said(badge, /@nochip/);
  }

  async plugInBare(name: string, options: Partial<BareOptions> = {}): Promise<BareBadge> {
    const badge = await BareBadge.plugIn({ deviceId: this.nextId(), link: this.port(name), ...options });
    this.plugged.push(badge);
    return badge;
  }

  /** Puts all badges away. */
  async clear(): Promise<void> {
    const badges = this.plugged;
    this.plugged = [];
    for (const badge of badges) await badge.putAway();
  }

  async close(): Promise<void> {
    await this.clear();
    await this.relay.close();
  }

  private nextId(): string {
    return (0x0102030400000000n + BigInt(++this.made)).toString(16).padStart(16, "0");
  }
}

async function stop(bench: Bench): Promise<void> {
  const manager = await bench.client.find(JD_CLASS_DEVICESCRIPT_MANAGER, 5000);
  await setProgramRunning(bench.client, manager, false);
}

/** Resolves when the badge has logged such a line. */
export function said(badge: PluggedBadge | BareBadge, words: RegExp): Promise<void> {
  if (badge.lines.some((line) => words.test(line))) return Promise.resolve();
  return new Promise((resolve) => {
    const source = badge instanceof BareBadge ? badge : badge.bench;
    const unlisten = source.listenLog((line) => {
      if (!words.test(line)) return;
      unlisten();
      resolve();
    });
  });
}
