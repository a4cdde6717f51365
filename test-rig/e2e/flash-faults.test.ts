// Flashing that is interrupted: cables that are pulled, programs that are killed, lines that garble. Whatever happens, the chip does not
// start half of it, keeps its settings, and is whole after the same command once more.
import assert from "node:assert/strict";
import { readStore } from "@salestag/host-tools";
import { useFolder } from "@salestag/protocol/testing";
import { EmulatedBootloader } from "../src/rom/bootloader";
import { ChipPort, type LineFaults } from "../src/rom/chip-port";
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

const images = imagesFor({ appBytes: 120_000 });

describe("salestag flash, interrupted", () => {
  const folder = useFolder();
  let port: ChipPort | undefined;
  let files: string[] = [];
  let chip: EmulatedBootloader;
  beforeEach(() => {
    files = imageArguments(folder(), images);
    chip = new EmulatedBootloader();
    loadBadge(chip);
  });
  afterEach(async () => await port?.unplug());

  async function start(faults: LineFaults = {}, ...more: string[]): Promise<Salestag> {
    await port?.unplug();
    port = await ChipPort.plugIn(chip, faults);
    return new Salestag(folder(), ["flash", "--port", port.path, ...files, ...more]);
  }

  async function assertMends(): Promise<Ended> {
    const run = await (await start({}, "--json")).ended;
    assertWhole(run);
    return run;
  }

  function assertWhole({ code, stderr }: Ended): void {
    assert.equal(code, 0, stderr);
    assert.equal(startFault(chip.image()), undefined);
    const store = readStore(storeOf(chip))!;
    assert.deepEqual(store.settings, SETTINGS);
    assert.ok(store.program?.bytecode?.equals(images.program));
    assert.ok(chip.image().subarray(0x10000, images.runtime.length).equals(images.runtime.subarray(0x10000)));
  }

  for (const unplugAtByte of [30_000, 90_000, 150_000])
    it(`flash: the cable is pulled (after ${unplugAtByte} bytes), plugged in, the same command goes on`, async () => {
      const { code, stderr } = await (await start({ unplugAtByte })).ended;
      assert.equal(code, 5, stderr);
      assert.match(
        stderr,
        /salestag: the port '.*' is gone: was the cable pulled\? .* run the same command again\.\n$/,
      );
      assert.doesNotMatch(stderr, /\n\s+at /);
      if (unplugAtByte > 100_000) assert.match(startFault(chip.image()) ?? "it starts", /^bootloader/);
      const { stdout } = await assertMends();
      if (unplugAtByte > 100_000) assert.ok(JSON.parse(stdout).skippedBytes > 65_536, stdout);
    });

  for (const signal of ["SIGINT", "SIGTERM", "SIGKILL"] as const)
    it(`flash: ${signal} in the middle, and the same command at the chip as it was left`, async () => {
      const salestag = await start();
      port!.onByte = (count) => {
        if (count > 120_000 && !salestag.child.killed) salestag.child.kill(signal);
      };
      const { code, signal: by, stderr } = await salestag.ended;
      if (signal === "SIGKILL") assert.equal(by, "SIGKILL");
      else {
        assert.equal(code, 5, stderr);
        assert.match(
          stderr,
          /salestag: interrupted: the badge does not start until it is flashed to the end; run the same command again\.\n$/,
        );
      }
      assert.match(startFault(chip.image()) ?? "it starts", /^bootloader/);
      port!.onByte = undefined;
      assert.equal(chip.runsStub, true, "nobody took its power");
      assertWhole(await new Salestag(folder(), ["flash", "--port", port!.path, ...files]).ended);
    });

  it("flash: a line that changes bytes is noticed, block by block, until all is right (seed 3)", async () => {
    assertWhole(await (await start({ corruptOneIn: 100_000, seed: 3 })).ended);
    assert.ok(port!.hits > 0, `the seed hit ${port!.hits} times`);
  });

  it("flash: a line that loses bytes (seed 5)", async () => {
    assertWhole(await (await start({ dropOneIn: 150_000, seed: 5 })).ended);
    assert.ok(port!.hits > 0, `the seed hit ${port!.hits} times`);
  });

  it("flash: a line that brings little at a time", async () => {
    assertWhole(await (await start({ pieceBytes: 64 })).ended);
    assert.deepEqual(chip.faults, []);
  });

  it("flash: a flash that does not keep what is written is told, and does not start", async () => {
    const { flash } = chip;
    const program = flash.program.bind(flash);
    flash.program = (address, bytes) => {
      program(address, bytes);
      if (address === 0x20000) flash.corrupt(address, 1);
    };
    const { code, stderr } = await (await start()).ended;
    assert.equal(code, 5, stderr);
    assert.match(
      stderr,
      /salestag: the flash at 0x20000 does not take what is written \(MD5 of file does not match data in flash\); .*\.\n$/,
    );
    assert.match(startFault(chip.image()) ?? "it starts", /^bootloader/);
  });

  it("flash: the power goes while the flash is written, and leaves that operation torn", async () => {
    for (const changes of [3, 200, 300]) {
      const salestag = await start();
      chip.flash.cutPowerAfter(changes);
      const { code, stderr } = await salestag.ended;
      assert.equal(code, 5, stderr);
    }
    await assertMends();
  });
});
