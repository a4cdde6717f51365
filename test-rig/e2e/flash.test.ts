// `salestag flash` and `salestag bundle` as a field tech uses them: the real program, a real serial port (a pseudo-terminal), and at its
// other end an emulated ESP32-S3 in download mode that refuses what a real one refuses.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { readStore } from "@salestag/host-tools";
import { modeOf, useFolder } from "@salestag/protocol/testing";
import { bootTestBadge } from "../src/emulator/test-badge";
import { Pty } from "../src/pty";
import { type ChipOptions, EmulatedBootloader } from "../src/rom/bootloader";
import { ChipPort } from "../src/rom/chip-port";
import {
  type Ended,
  imageArguments,
  imagesFor,
  loadBadge,
  Salestag,
  SETTINGS,
  storeOf,
} from "../src/rom/flashing.fixture";
import { startFault } from "../src/rom/start-up";

const images = imagesFor();

describe("salestag flash", () => {
  const folder = useFolder();
  let port: ChipPort | undefined;
  let files: string[] = [];
  beforeEach(() => {
    files = imageArguments(folder(), images);
  });
  afterEach(async () => await port?.unplug());

  /** Plugs a chip in and runs the command at it. */
  async function flash(chip: EmulatedBootloader, ...more: string[]): Promise<Ended> {
    await port?.unplug();
    port = await ChipPort.plugIn(chip);
    return await new Salestag(folder(), ["flash", "--port", port.path, ...more]).ended;
  }

  it("flash: a blank board becomes a badge, whose flash boots in the runtime; a second time there is nothing to do", async () => {
    const chip = new EmulatedBootloader();
    const { code, stdout, stderr } = await flash(chip, ...files);
    assert.equal(code, 0, stderr);
    assert.match(
      stdout,
      /^written {3}runtime 296 KB, bootloader 36 KB, board 8 KB, program \d+ KB\nskipped .*\nprogram {3}new\nsettings {2}none were there\n$/,
    );
    assert.match(stderr, /^0% {2}0 KB of \d+ KB {2}runtime\n/);
    assert.doesNotMatch(stderr, /TRACE|Warning/);
    assert.deepEqual(chip.faults, []);
    assert.equal(chip.runsStub, true);
    const image = chip.image();
    assert.equal(startFault(image), undefined);
    assert.ok(image.subarray(0, 0x9000).equals(images.runtime.subarray(0, 0x9000)));
    assert.ok(image.subarray(0x9000, 0x9000 + images.board.length).equals(images.board));
    assert.ok(image.subarray(0x10000, images.runtime.length).equals(images.runtime.subarray(0x10000)));

    const badge = await bootTestBadge(undefined, { flash: Buffer.from(storeOf(chip)) });
    await badge.time.run(4000);
    badge.badge.powerOff();
    assert.ok(
      badge.log.some((line) => line.includes("DevS-SHA256")),
      badge.log.join("\n"),
    );
    assert.equal(badge.badge.panicCode, 0);

    const again = await flash(chip, "--json", ...files);
    assert.equal(again.code, 0, again.stderr);
    const { written, skippedBytes, program } = JSON.parse(again.stdout);
    assert.deepEqual([written, program], [{}, "same"]);
    assert.ok(skippedBytes > 300_000);
    assert.ok(chip.image().equals(image));
    assert.deepEqual(chip.faults, []);
  });

  it("flash: a provisioned badge keeps its settings; --dry-run writes nothing; --erase forgets all of them", async () => {
    const chip = new EmulatedBootloader();
    loadBadge(chip);
    const before = chip.image();
    const dry = await flash(chip, "--dry-run", "--json", ...files);
    assert.equal(dry.code, 0, dry.stderr);
    const told = JSON.parse(dry.stdout);
    assert.deepEqual([told.dryRun, told.program, told.settingsKept], [true, "replaced", SETTINGS.size]);
    assert.ok(chip.image().equals(before));

    const run = await flash(chip, ...files);
    assert.equal(run.code, 0, run.stderr);
    assert.match(run.stdout, /\nprogram {3}replaced\nsettings {2}17 kept\n$/);
    const store = readStore(storeOf(chip))!;
    assert.deepEqual(store.settings, SETTINGS);
    assert.ok(store.program?.bytecode?.equals(images.program));
    assert.equal(startFault(chip.image()), undefined);
    for (const secret of [":authKey", ":chain"])
      assert.ok(
        !(run.stdout + run.stderr).includes(SETTINGS.get(secret)!.toString()),
        "no key in the output",
      );

    const erase = await flash(chip, "--erase", ...files);
    assert.equal(erase.code, 0, erase.stderr);
    assert.match(erase.stdout, /\nsettings {2}erased\n$/);
    assert.equal(readStore(storeOf(chip))?.settings.size, 0);
    assert.equal(chip.flash.contains(SETTINGS.get(":authKey")!), false, "nothing of a key is left");
    assert.deepEqual(chip.faults, []);
  });

  it("flash: a chip whose own USB goes away when it restarts", async () => {
    const chip = new EmulatedBootloader();
    chip.onReboot = () => void port?.unplug();
    const run = await flash(chip, ...files);
    assert.equal(run.code, 0, run.stderr);
    // Whether its answer or the end of its port comes first is up to the system.
    assert.match(run.stderr, /\n(The badge starts now; |Everything is written\. )[^\n]+\n$/);
    assert.equal(startFault(chip.image()), undefined);
  });

  it("flash: --force writes what is there already, and keeps the settings", async () => {
    const chip = new EmulatedBootloader();
    loadBadge(chip);
    await flash(chip, ...files);
    const run = await flash(chip, "--force", "--json", ...files);
    const { written, skippedBytes, settingsKept } = JSON.parse(run.stdout);
    assert.deepEqual([run.code, skippedBytes, settingsKept, written.board], [0, 0, SETTINGS.size, 8192]);
    assert.deepEqual(readStore(storeOf(chip))?.settings, SETTINGS);
    assert.deepEqual(chip.faults, []);
  });

  it("flash: a store that is none is kept, and written anew with --erase alone (exit 4)", async () => {
    const chip = new EmulatedBootloader();
    loadBadge(chip);
    chip.flash.corrupt(0x1c0000, 1);
    chip.flash.corrupt(0x1c4000, 1);
    const before = chip.image();
    assertRefused(
      await flash(chip, ...files),
      4,
      /stored cannot be kept: .* Add --erase .* provisioned again/,
    );
    assert.ok(chip.image().equals(before));
    assert.equal((await flash(chip, "--erase", ...files)).code, 0);
    assert.equal(startFault(chip.image()), undefined);
  });

  it("flash: on a terminal, progress is one line that is drawn again, and gone at the end", async () => {
    port = await ChipPort.plugIn(new EmulatedBootloader());
    const program = fileURLToPath(new URL("../../host-tools/bin/salestag.mjs", import.meta.url));
    const command = [process.execPath, program, "flash", "--port", port.path, ...files].join(" ");
    const text = await runOnTerminal(command);
    assert.match(text, /<clear>0% {2}0 KB of \d+ KB {2}runtime<clear>/);
    assert.match(text, /<clear>100% {2}\d+ KB of \d+ KB {2}bootloader<clear>written /);
  });

  const refused: [what: string, chip: ChipOptions, words: RegExp][] = [
    ["another chip", { chipId: 5 }, /is an ESP32-C3, a badge has an ESP32-S3: this is another device/],
    ["a chip that nobody knows", { chipId: 200 }, /is none that this program knows/],
    ["a flash that is too small", { flashBytes: 0x100000 }, /flash has 1024 KB, a badge needs 2048 KB/],
    ["secure boot", { securityFlags: 1 }, /chip is locked: it starts signed programs only/],
    ["an encrypted flash", { flashCryptCount: 7 }, /chip is locked: its flash is encrypted/],
    ["a restricted download mode", { securityFlags: 4 }, /chip is locked: its download mode is restricted/],
  ];
  for (const [what, options, words] of refused)
    it(`flash: ${what} is refused before anything is written (exit 5)`, async () => {
      const chip = new EmulatedBootloader(options);
      assertRefused(await flash(chip, ...files), 5, words);
      assert.deepEqual([chip.flash.programs, chip.flash.erases], [0, 0]);
    });

  it("flash: a port where nothing is in download mode says how to get there; none at all is said (exit 5)", async () => {
    const chip = new EmulatedBootloader();
    const silent = await Pty.open();
    const run = await new Salestag(folder(), ["flash", "--port", silent.path, ...files]).ended;
    await silent.close();
    assertRefused(
      run,
      5,
      /no chip in download mode answers at .*: hold its BOOT button while you plug it in/,
    );
    assertRefused(
      await new Salestag(folder(), ["flash", "--port", join(folder(), "tty"), ...files]).ended,
      5,
      /there is no serial port/,
    );
    assert.equal((await flash(chip, ...files)).code, 0);
  });

  it("flash: Ctrl-C before anything was written says that (exit 5)", async () => {
    const silent = await Pty.open();
    const salestag = new Salestag(folder(), ["flash", "--port", silent.path, ...files]);
    silent.readable.once("data", () => salestag.child.kill("SIGINT"));
    const run = await salestag.ended;
    await silent.close();
    assertRefused(run, 5, /interrupted: nothing was written/);
  });

  it("flash: a runtime whose digest is another, files that are missing, options that contradict (exit 2 and 4)", async () => {
    const at = ["flash", "--port", "/dev/null"];
    const ended = (...args: string[]) => new Salestag(folder(), [...at, ...args]).ended;
    const other = files.with(files.indexOf("--runtime-sha256") + 1, "0".repeat(64));
    assertRefused(await ended(...other), 4, /runtime is another than the one you named/);
    assertRefused(
      await ended(...files.slice(2)),
      2,
      /name a --bundle, or all of .*devicescript-esp32s3-esp32s3_bare-0x0\.bin/,
    );
    assertRefused(await ended(...files, "--bundle", "x"), 2, /--bundle holds everything/);
    assertRefused(await ended("--bundle", join(folder(), "none"), "--allow-unsigned"), 2, /there is no file/);
  });

  it("bundle: made, signed, shown, flashed by who trusts the key; each part of it damaged is refused", async () => {
    const path = (name: string) => join(folder(), name);
    const run = (...args: string[]) => new Salestag(folder(), args).ended;
    const keygen = await run("bundle", "keygen", "--out", path("team.key"));
    assert.equal(keygen.code, 0, keygen.stderr);
    assert.equal(modeOf(path("team.key")), 0o600);
    const made = await run(
      "bundle",
      ...files,
      "--version",
      "1.4.0",
      "--sign",
      path("team.key"),
      "--out",
      path("b.stb"),
    );
    assert.equal(made.code, 0, made.stderr);
    assert.match(
      made.stdout,
      /^version {2}1\.4\.0\nsigner {3}[0-9a-f]{16}\nruntime +\d+ bytes, SHA-256 [0-9a-f]{64}\n/,
    );
    assert.equal((await run("bundle", "show", path("b.stb"))).stdout, made.stdout);

    const chip = new EmulatedBootloader();
    assertRefused(await flash(chip, "--bundle", path("b.stb")), 3, /no public key to check a bundle with/);
    mkdirSync(path("salestag"));
    writeFileSync(path("salestag/bundle-trust.pem"), readFileSync(path("team.key.pub")));
    const done = await flash(chip, "--bundle", path("b.stb"), "--json");
    assert.equal(done.code, 0, done.stderr);
    assert.equal(JSON.parse(done.stdout).version, "1.4.0");
    assert.equal(startFault(chip.image()), undefined);

    const whole = readFileSync(path("b.stb"));
    const { runtime, program, board } = images;
    const partsAt = whole.length - runtime.length - program.length - board.length;
    for (const place of [3, partsAt - 5, partsAt + 99, partsAt + runtime.length + 99, whole.length - 1]) {
      const bytes = Buffer.from(whole);
      bytes[place] ^= 1;
      writeFileSync(path("b.stb"), bytes);
      assertRefused(
        await run("flash", "--port", "/dev/null", "--bundle", path("b.stb")),
        4,
        /is no whole bundle/,
      );
    }
    chmodSync(path("team.key"), 0o644);
    const loose = await run(
      "bundle",
      ...files,
      "--version",
      "2",
      "--sign",
      path("team.key"),
      "--out",
      path("c.stb"),
    );
    assert.deepEqual([loose.code, /other users may use it/.test(loose.stderr)], [2, true]);
  });
});

/** @returns what a command writes to a terminal; `<clear>` where it begins its line anew */
async function runOnTerminal(command: string): Promise<string> {
  const { stdout } = await promisify(execFile)("script", ["-qec", command, "/dev/null"]);
  return stdout.replaceAll("\r\x1b[K", "<clear>");
}

/** One sentence, and nothing of a trace. */
function assertRefused({ code, stderr }: Ended, expected: number, words: RegExp): void {
  assert.equal(code, expected, stderr);
  assert.match(stderr, /^salestag: [^\n]+\.\n$/);
  assert.match(stderr, words);
  assert.doesNotMatch(stderr, /[0-9a-f]{64}/);
}
