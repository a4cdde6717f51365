// What the tests of `salestag deploy` stand on: a badge on a pseudo-terminal in real time, small programs for it, and the tool's own code
// or its process at the other end.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  BadgeSettings,
  JD_CLASS_DEVICESCRIPT_MANAGER,
  JD_CLASS_SETTINGS,
  type JdService,
  readSha256,
  setProgramRunning,
} from "@salestag/protocol/jacdac";
import { type Deployed, type DeployOptions, deployProgram } from "../../host-tools/src/deploy/deploy";
import { type ProgramFile, programOf } from "../../host-tools/src/deploy/program-file";
import { ProgramStore } from "../../host-tools/src/deploy/store";
import { BadgePort } from "../../host-tools/src/usb/badge-port";
import { newBadgeState } from "./badge-state";
import { BENCH_DEFAULTS, Bench } from "./bench";
import { buildProgram } from "./emulator/build-program";
import { runAtPace } from "./emulator/pace-gate";
import { type Cable, UsbDoor } from "./usb-door";
import { UsbPlug } from "./usb-plug";

export const DEVICE_ID = "0102030405060708";
const FIND_MS = 5000;
const COMMAND_RESET = 0x82;
const CHIP_SECTORS = 16;

const compiled = new Map<string, Promise<ProgramFile>>();

/** @returns a program, compiled once */
export function program(source: string): Promise<ProgramFile> {
  const known =
    compiled.get(source) ?? buildProgram({ "main.ts": source }).then((bytes) => programOf(bytes, "a test"));
  compiled.set(source, known);
  return known;
}

/** @returns a program that says that it runs, as a badge program does; each number gives another one */
export async function wellProgram(number: number): Promise<ProgramFile> {
  const sign = 'console.log("@unprovisioned")';
  const { bytes } = await program(`setInterval(async () => { ${sign} }, 300); ${sign};`);
  return programOf(Buffer.concat([bytes, Buffer.alloc(32 * number)]), "a test");
}

/** A badge at a pseudo-terminal, in real time. */
export class RealBadge {
  private readonly stop: () => Promise<void>;

  private constructor(
    readonly bench: Bench,
    private plug: UsbPlug,
    private readonly plugIn: () => Promise<UsbPlug>,
  ) {
    this.stop = runAtPace(bench.time);
  }

  static async switchOn(link: string, runs: Buffer | "in flash", cable?: Cable): Promise<RealBadge> {
    const state = newBadgeState(DEVICE_ID, CHIP_SECTORS);
    const bench = await Bench.open({ ...BENCH_DEFAULTS, state, program: runs });
    const plugIn = () => UsbPlug.plugIn(bench, () => UsbDoor.onTerminal(bench, link, cable));
    return new RealBadge(bench, await plugIn(), plugIn);
  }

  async switchOff(): Promise<void> {
    await this.stop();
    await this.plug.close();
    this.bench.powerOff();
  }

  /** Pulls the cable and plugs it in again. */
  async replug(): Promise<void> {
    await this.plug.close();
    this.plug = await this.plugIn();
  }

  /** Resets the chip. Resolves when its port is there again. */
  async reset(): Promise<void> {
    const back = new Promise<void>((resolve) => {
      const stop = this.bench.listenPower((on) => {
        if (!on) return;
        stop();
        resolve();
      });
    });
    const control = { deviceId: DEVICE_ID, serviceIndex: 0, serviceClass: 0 };
    this.bench.client.command(control, COMMAND_RESET, Buffer.alloc(0));
    await back;
    await this.plug.settled();
  }

  /** SHA-256 of the program in the badge, by its own account, past any cable. */
  async sha256(): Promise<string | undefined> {
    return await readSha256(this.bench.client, await this.find(JD_CLASS_DEVICESCRIPT_MANAGER));
  }

  /** A setting of the badge, past any cable. @param value writes it first */
  async setting(key: string, value?: string): Promise<string | undefined> {
    const settings = new BadgeSettings(this.bench.client, await this.find(JD_CLASS_SETTINGS));
    if (value !== undefined) await settings.write(key, Buffer.from(value));
    return (await settings.read(key))?.toString("utf8");
  }

  /** Stops the program, as a tool does that is cut off before it starts it again. */
  async halt(): Promise<void> {
    await setProgramRunning(this.bench.client, await this.find(JD_CLASS_DEVICESCRIPT_MANAGER), false);
  }

  private find(serviceClass: number): Promise<JdService> {
    return this.bench.client.find(serviceClass, FIND_MS);
  }
}

/** Registers hooks of the suite that calls it. @returns its folder, its badge, and the tool */
export function useDeploying() {
  let folder = "";
  let badge: RealBadge | undefined;
  const notices: string[] = [];
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "salestag-deploy-"));
    notices.length = 0;
  });
  const switchOff = async () => {
    await badge?.switchOff();
    badge = undefined;
  };
  afterEach(async () => {
    await switchOff();
    rmSync(folder, { recursive: true, force: true });
  });
  const path = (name: string) => join(folder, name);
  return {
    notices,
    path,
    switchOff,
    switchOn: async (runs: Buffer | "in flash", cable?: Cable) => {
      badge = await RealBadge.switchOn(path("badge"), runs, cable);
      return badge;
    },
    deploy: (fresh: ProgramFile, options: Partial<DeployOptions> = {}): Promise<Deployed> =>
      deployProgram({
        open: () => BadgePort.open(path("badge")),
        program: fresh,
        store: new ProgramStore(path("programs")),
        rollback: { none: false },
        force: false,
        withinMs: 5000,
        nowMs: Date.now,
        onPlan: () => undefined,
        onPointOfNoReturn: () => undefined,
        onProgress: () => undefined,
        onNotice: (text) => notices.push(text),
        ...options,
      }),
  };
}
