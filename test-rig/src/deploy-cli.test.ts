import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { programOf } from "../../host-tools/src/deploy/program-file";
import { readProgram } from "./bench";
import { DEVICE_ID, program, useDeploying, wellProgram } from "./deploy.fixture";
import type { Cable } from "./usb-door";

const SALESTAG = fileURLToPath(new URL("../../host-tools/bin/salestag.mjs", import.meta.url));
const RIG = fileURLToPath(new URL("../bin/rig.mjs", import.meta.url));
/** In the middle of the built program. */
const HALF_BYTES = 30_000;

/** A cable on which a direction stands still after so many bytes, until it is let go. */
class StandingCable implements Cable {
  /** Resolves when a byte is held back. */
  readonly stands: Promise<void>;
  private passed = { host: 0, badge: 0 };
  private held: (() => void)[] | undefined = [];
  private tell: () => void = () => undefined;

  constructor(
    private readonly toHostBytes: number,
    private readonly toBadgeBytes: number,
  ) {
    this.stands = new Promise((resolve) => {
      this.tell = resolve;
    });
  }

  toHost(bytes: Buffer, arrive: (bytes: Buffer) => void): void {
    this.passed.host += bytes.length;
    this.carry(this.passed.host > this.toHostBytes, () => arrive(bytes));
  }

  toBadge(bytes: Buffer, arrive: (bytes: Buffer) => void): void {
    this.passed.badge += bytes.length;
    this.carry(this.passed.badge > this.toBadgeBytes, () => arrive(bytes));
  }

  letGo(): void {
    const held = this.held ?? [];
    this.held = undefined;
    for (const carry of held) carry();
  }

  private carry(stand: boolean, carry: () => void): void {
    if (!stand || this.held === undefined) {
      carry();
      return;
    }
    this.held.push(carry);
    this.tell();
  }
}

/** The tool's process. */
class Tool {
  out = "";
  err = "";
  private changed: () => void = () => undefined;
  private readonly ended: Promise<unknown[]>;

  private constructor(private readonly child: ChildProcess) {
    child.stdout!.setEncoding("utf8").on("data", (text: string) => {
      this.out += text;
    });
    child.stderr!.setEncoding("utf8").on("data", (text: string) => {
      this.err += text;
      this.changed();
    });
    this.ended = once(child, "close");
  }

  static deploy(path: (name: string) => string, ...args: string[]): Tool {
    const env = { PATH: process.env.PATH, XDG_DATA_HOME: path("data") };
    const all = [SALESTAG, "deploy", "--badge", path("badge"), ...args];
    return new Tool(spawn(process.execPath, all, { env, stdio: ["ignore", "pipe", "pipe"] }));
  }

  async says(words: RegExp): Promise<void> {
    while (!words.test(this.err)) {
      if (this.child.exitCode !== null || this.child.signalCode !== null)
        throw new Error(`the tool ended and said only: ${this.err}`);
      await new Promise<void>((resolve) => {
        this.changed = resolve;
        void this.ended.then(() => resolve());
      });
    }
  }

  kill(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  /** @returns its exit code, or the signal that ended it */
  async end(): Promise<number | string> {
    const [code, signal] = await this.ended;
    return (code ?? signal) as number | string;
  }
}

describe("deploy: the tool's process at a badge on a pseudo-terminal", () => {
  const { path, switchOn } = useDeploying();
  const built = () => programOf(readProgram(), "the build");
  const start = (...args: string[]) => Tool.deploy(path, ...args);

  it("what the build made into a blank badge, in seconds; JSON says so", async () => {
    const badge = await switchOn("in flash");
    const tool = start("--json");
    assert.equal(await tool.end(), 0, tool.err);
    const told = JSON.parse(tool.out);
    const { sha256, name, version } = built();
    assert.deepEqual(
      { ...told, seconds: 0 },
      {
        outcome: "deployed",
        deviceId: DEVICE_ID,
        name,
        version,
        sha256,
        before: { name: "", version: "" },
        seconds: 0,
      },
    );
    assert.ok(told.seconds > 0);
    assert.match(tool.err, /^no program -> \S+ \([0-9a-f]{8}\)\n$/);
    assert.equal(await badge.sha256(), sha256);
  });

  it("a program that is not well: exit code 5, a sentence, nothing on standard output", async () => {
    const badge = await switchOn("in flash");
    const well = await wellProgram(300);
    writeFileSync(path("well.devs"), well.bytes);
    writeFileSync(path("bad.devs"), (await program('throw new Error("no")')).bytes);
    assert.equal(await start("--program", path("well.devs")).end(), 0);
    const tool = start("--program", path("bad.devs"), "--json");
    assert.equal(await tool.end(), 5);
    assert.match(tool.err, /\nsalestag: the new program .* is not well: .*\n$/);
    assert.equal(tool.out, "");
    assert.equal(await badge.sha256(), well.sha256);
  });

  it("a file that is no program: exit code 2, and the port is not opened", async () => {
    writeFileSync(path("text.devs"), "x".repeat(320));
    const tool = start("--program", path("text.devs"));
    assert.equal(await tool.end(), 2);
    assert.match(tool.err, /no badge program \(it does not begin as DeviceScript bytecode does\)/);
  });

  it("Ctrl-C before the point of no return: ends at once, the badge runs what it ran", async () => {
    const cable = new StandingCable(Number.POSITIVE_INFINITY, 0);
    const badge = await switchOn(readProgram(), cable);
    const tool = start();
    await cable.stands;
    tool.kill("SIGINT");
    assert.equal(await tool.end(), 130);
    assert.match(tool.err, /Ended; nothing on the badge was changed\./);
    cable.letGo();
    assert.equal(await badge.sha256(), built().sha256);
  });

  it("Ctrl-C in the middle: finishes first", async () => {
    const cable = new StandingCable(Number.POSITIVE_INFINITY, HALF_BYTES);
    const badge = await switchOn("in flash", cable);
    const tool = start();
    await cable.stands;
    tool.kill("SIGINT");
    await tool.says(/finishing first/);
    cable.letGo();
    assert.equal(await tool.end(), 0, tool.err);
    assert.match(tool.out, /deployed .*; it is well/);
    assert.equal(await badge.sha256(), built().sha256);
  });

  for (const signals of [["SIGINT", "SIGINT"], ["SIGTERM", "SIGINT"], ["SIGKILL"]] as const)
    it(`ended in the middle (${signals.join(", ")}): the badge has no program, and the next deploy mends it`, async () => {
      const cable = new StandingCable(Number.POSITIVE_INFINITY, HALF_BYTES);
      const badge = await switchOn("in flash", cable);
      const tool = start();
      await cable.stands;
      tool.kill(signals[0]);
      if (signals.length > 1) {
        await tool.says(/finishing first/);
        tool.kill(signals[1] as NodeJS.Signals);
      }
      assert.equal(await tool.end(), signals.length > 1 ? 130 : "SIGKILL");
      cable.letGo();
      assert.equal(await badge.sha256(), undefined);
      const again = start("--json");
      assert.equal(await again.end(), 0, again.err);
      assert.equal(JSON.parse(again.out).before.sha256, undefined);
      assert.equal(await badge.sha256(), built().sha256);
    });
});

describe("deploy: into the badge of `rig badge`", () => {
  const { path } = useDeploying();

  it("one that was switched on blank keeps what was deployed, when it is switched off and on too", async () => {
    const rig = async (...args: string[]) => {
      const all = [RIG, "badge", "--state", path("state"), "--link", path("badge"), ...args];
      const child = spawn(process.execPath, all, { stdio: ["ignore", "pipe", "inherit"] });
      await once(child.stdout, "data");
      const off = async () => {
        child.kill("SIGTERM");
        await once(child, "close");
      };
      return off;
    };
    const deploy = async () => {
      const tool = Tool.deploy(path, "--json");
      assert.equal(await tool.end(), 0, tool.err);
      return JSON.parse(tool.out).outcome as string;
    };
    const switchOff = await rig("--blank");
    try {
      assert.equal(await deploy(), "deployed");
      assert.equal(await deploy(), "up to date");
    } finally {
      await switchOff();
    }
    const switchOffAgain = await rig();
    try {
      assert.match(await deploy(), /^(up to date|started)$/); // a badge starts its program a second after it was plugged in
    } finally {
      await switchOffAgain();
    }
  });
});
