// `salestag factory-test` as a process: at a terminal, with a fixture, interrupted, unplugged, and on a badge that was in use.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { ExitCode, ToolError } from "@salestag/protocol/team";
import { parseRecord } from "../../host-tools/src/factory/record";
import { STEPS } from "../../host-tools/src/factory/step";
import { createSigningKey } from "../../host-tools/src/flash/signing";
import { onTerminal } from "../../host-tools/src/testing/terminal";
import { BadgePort } from "../../host-tools/src/usb/badge-port";
import { observe } from "../../host-tools/src/usb/observe";
import { newBadgeState } from "../src/badge-state";
import { FreshBadge, type FreshOptions, nextId } from "./factory.fixture";
import { assertRefused, run, SALESTAG, scratch } from "./support";

const SECTOR_BYTES = 4096;
const factoryTest = (...args: string[]) => run("host-tools/bin/salestag.mjs", ["factory-test", ...args]);

describe("end to end: salestag factory-test", () => {
  const plugged: FreshBadge[] = [];
  const plugIn = async (options: FreshOptions = {}): Promise<FreshBadge> => {
    const badge = await FreshBadge.plugIn(options);
    plugged.push(badge);
    return badge;
  };
  afterEach(async () => {
    for (const badge of plugged.splice(0)) await badge.plugged.putAway();
  });

  /** What signs a record, and where it is to be. */
  function recordIn(folder: string): { out: string; args: string[] } {
    const key = join(folder, "factory.key");
    createSigningKey(key);
    const out = join(folder, "record.json");
    return { out, args: ["--operator", "Kim", "--sign", key, "--out", out] };
  }

  /** Runs the command; `act` is called with each line that it tells the fixture, and with the process. */
  async function withFixture(args: string[], act: (line: string, kill: () => void) => void) {
    const child = spawn(process.execPath, [SALESTAG, "factory-test", ...args], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    let stdout = "";
    let stderr = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      stdout += text;
    });
    createInterface({ input: child.stderr }).on("line", (line) => {
      stderr += `${line}\n`;
      act(line, () => child.kill("SIGINT"));
    });
    const [code] = (await once(child, "close")) as [number];
    return { code, stdout, stderr };
  }

  it("factory test: a fixture and a signed record (--assume-yes, --json)", async () => {
    const badge = await plugIn();
    const hand = badge.technician();
    const { out, args } = recordIn(scratch());
    const ended = await withFixture(
      ["--badge", badge.plugged.port, "--assume-yes", "--json", ...args],
      (line) => hand.tell(line.replace(/^> /, "")),
    );
    assert.equal(ended.code, 0, ended.stderr + ended.stdout);
    const { ok, verdict, hardwareId } = JSON.parse(ended.stdout) as Record<string, unknown>;
    assert.deepEqual([ok, verdict, hardwareId], [true, "passed", badge.plugged.bench.state().deviceId]);
    assert.doesNotMatch(ended.stdout + ended.stderr, /[0-9a-f]{64}/);
    const text = readFileSync(out, "utf8");
    const signed = parseRecord(text);
    assert.ok(typeof signed !== "string", String(signed));
    assert.deepEqual(
      [signed.record.operator, signed.record.steps.map(({ step }) => step)],
      ["Kim", [...STEPS]],
    );
    assert.doesNotMatch(text, /Works/, "the name of a network in the air");
  });

  it("factory test: asked at a terminal (colours, pulses, what to press)", async () => {
    const badge = await plugIn();
    const { workbench } = badge;
    const hand = badge.technician();
    const does = (words: string): [RegExp, () => string] => [
      new RegExp(words),
      () => {
        hand.tell(words);
        return "";
      },
    ];
    const colour = () => `${workbench.colour}\r`;
    // A question is drawn anew with each letter; the next one comes after the cursor is shown again.
    const nextShown: [RegExp, () => string] = [/\?25h[^✔]*Which colour does the badge show/, colour];
    const command = [process.execPath, SALESTAG, "factory-test", "--badge", badge.plugged.port];
    const steps = ["--steps", "microphone,mute,light,motor,button"];
    const { code, screen } = await onTerminal(
      [...command, ...steps],
      [
        does("Switch the microphone off"),
        does("Switch the microphone on"),
        [/Which colour does the badge show/, colour],
        ...[nextShown, nextShown],
        [/How many times did the badge vibrate/, () => `${workbench.feel()}\r`],
        does("Press the button"),
      ],
    );
    assert.equal(code, 0, screen);
    assert.match(screen, /the technician saw every colour/);
    assert.match(screen, /incomplete {2}badge/);
  });

  it("factory test: Ctrl-C while it waits (130): the program runs again, there is no record", async () => {
    const badge = await plugIn();
    const { out, args } = recordIn(scratch());
    const ended = await withFixture(
      ["--badge", badge.plugged.port, "--assume-yes", "--steps", "button", ...args],
      (line, kill) => {
        if (line.startsWith("> Press")) kill();
      },
    );
    assertRefused(ended, 130, /it was interrupted/);
    assert.equal(existsSync(out), false);
    const port = await BadgePort.open(badge.plugged.port);
    const { running, autostart } = await observe(port, { forMs: 5000, briefly: true });
    await port.close();
    assert.deepEqual([running, autostart], [true, true]);
  });

  it("factory test: unplugged in the middle is said, with the step", async () => {
    const badge = await plugIn();
    const person = badge.technician((what) => {
      if (what.startsWith("Switch the microphone off")) void badge.plugged.unplug();
    });
    await assert.rejects(badge.test({ person }), (cause: unknown) => {
      assert.ok(cause instanceof ToolError);
      assert.equal(cause.exitCode, ExitCode.Badge);
      assert.match(
        cause.message,
        /unplugged in step 'mute'.*stands still until the badge is switched off and on/,
      );
      return true;
    });
  });

  it("factory test: what a badge has stored stays, unless it may be erased (--erase)", async () => {
    const state = newBadgeState(nextId());
    const kept: number[] = [];
    for (let quarter = 1; quarter <= 4; quarter++)
      for (let back = 1; back <= 4; back++) kept.push((state.chip.sectors * quarter) / 4 - back);
    for (const sector of kept) state.chip.load(sector, Buffer.alloc(SECTOR_BYTES, 0x35));
    const badge = await plugIn({ state });
    const flash = { steps: ["flash"] as const };
    const [refused] = (await badge.test(flash)).results;
    assert.match(refused.says, /flashPlaces is 0 sectors tried/);
    assert.match(refused.todo ?? "", /--erase/);
    for (const sector of kept)
      assert.ok(state.chip.read(sector * SECTOR_BYTES, SECTOR_BYTES).every((byte) => byte === 0x35));
    const [erased] = (await badge.test({ ...flash, erase: true })).results;
    assert.equal(erased.verdict, "passed", erased.says);
  });

  it("factory test: what cannot be begun is refused at once", async () => {
    const folder = scratch();
    const { out, args } = recordIn(folder);
    assertRefused(await factoryTest("--badge", "nowhere"), 2, /asks on a terminal, and there is none/);
    assertRefused(
      await factoryTest("--assume-yes", "--sign", "key"),
      2,
      /needs --operator, --sign and --out/,
    );
    assertRefused(
      await factoryTest("--assume-yes", ...args.slice(0, -1), join(folder, "factory.key")),
      2,
      /is there already/,
    );
    assertRefused(
      await factoryTest("--assume-yes", "--steps", "mute", "--skip", "mute"),
      2,
      /no step is left/,
    );
    assertRefused(await factoryTest("--assume-yes", "--badge", join(folder, "none")), 5, /cannot be opened/);
    assert.match((await factoryTest("--steps", "mute,lights")).stderr, /'lights' is no step/);
    assert.equal(existsSync(out), false);
  });
});
