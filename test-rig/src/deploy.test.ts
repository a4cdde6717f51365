import assert from "node:assert/strict";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BadgeSettings, JD_CLASS_SETTINGS } from "@salestag/protocol/jacdac";
import { type Deployed, deployProgram, type DeployOptions } from "../../host-tools/src/deploy/deploy";
import { type ProgramFile, programOf } from "../../host-tools/src/deploy/program-file";
import { ProgramStore } from "../../host-tools/src/deploy/store";
import { ExitCode } from "../../host-tools/src/errors";
import { toolError } from "../../host-tools/src/testing/tools";
import { BadgePort } from "../../host-tools/src/usb/badge-port";
import { newBadgeState } from "./badge-state";
import { BENCH_DEFAULTS, Bench, readProgram } from "./bench";
import { buildProgram } from "./emulator/build-program";
import { PaceGate } from "./emulator/pace-gate";
import { Random } from "./emulator/random";
import { type Cable, UsbDoor } from "./usb-door";
import { UsbPlug } from "./usb-plug";

const DEVICE_ID = "0102030405060708";
/** A badge program in every respect that deploying knows of. */
const WELL = 'setInterval(async () => { console.log("@unprovisioned") }, 300); console.log("@unprovisioned");';

const programs = new Map<string, Promise<ProgramFile>>();
/** @returns a program, compiled once */
function program(source: string): Promise<ProgramFile> {
  const known = programs.get(source) ?? buildProgram({ "main.ts": source }).then((bytes) => programOf(bytes, "a test"));
  programs.set(source, known);
  return known;
}

/** A badge at a pseudo-terminal, in real time. */
class RealBadge {
  private on = true;
  private readonly running: Promise<boolean>;

  private constructor(
    readonly bench: Bench,
    readonly plug: UsbPlug,
  ) {
    new PaceGate(bench.time, () => performance.now(), 1);
    this.running = bench.time.run(Number.MAX_SAFE_INTEGER, () => !this.on);
  }

  static async switchOn(folder: string, runs: Buffer | "in flash", cable?: Cable): Promise<RealBadge> {
    const state = newBadgeState(DEVICE_ID, 16);
    const bench = await Bench.open({ ...BENCH_DEFAULTS, state, program: runs });
    const link = join(folder, "badge");
    return new RealBadge(bench, await UsbPlug.plugIn(bench, () => UsbDoor.onTerminal(bench, link, cable)));
  }

  async switchOff(): Promise<void> {
    this.on = false;
    await this.running;
    await this.plug.close();
  }
}

describe("deploy: into a badge on a pseudo-terminal, in real time", function () {
  this.timeout(120_000);
  let folder: string;
  let badge: RealBadge | undefined;
  const notices: string[] = [];
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "salestag-deploy-"));
    notices.length = 0;
  });
  afterEach(async () => {
    await badge?.switchOff();
    badge = undefined;
    rmSync(folder, { recursive: true, force: true });
  });

  const store = () => new ProgramStore(join(folder, "programs"));
  const deploy = (program: ProgramFile, options: Partial<DeployOptions> = {}): Promise<Deployed> =>
    deployProgram({
      open: () => BadgePort.open(join(folder, "badge")),
      program,
      store: store(),
      rollback: { none: false },
      force: false,
      withinMs: 5000,
      nowMs: Date.now,
      onPlan: () => undefined,
      onPointOfNoReturn: () => undefined,
      onProgress: () => undefined,
      onNotice: (text) => notices.push(text),
      ...options,
    });

  it("the badge program into a blank badge, then it is up to date", async () => {
    badge = await RealBadge.switchOn(folder, "in flash");
    const built = programOf(readProgram(), "the build");
    const first = await deploy(built);
    assert.equal(first.outcome, "deployed");
    assert.equal(first.before.sha256, undefined);
    assert.equal(first.deviceId, DEVICE_ID);
    let begun = false;
    const second = await deploy(built, {
      onPointOfNoReturn: () => {
        begun = true;
      },
    });
    assert.equal(second.outcome, "up to date");
    assert.equal(begun, false);
    assert.deepEqual(
      [second.before.sha256, second.before.name, second.before.version],
      [built.sha256, built.name, built.version],
    );
    assert.equal(built.name, "@salestag/firmware");
  });
});
