// The power goes in the middle of flashing, at any operation of the flash, and leaves that operation torn. Whatever is left must not
// start as if it were whole, must not have lost a setting, and must be mended by the same command. Here without the serial port, so that
// hundreds of cuts take seconds; with it in e2e/flash-faults.test.ts.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { PowerCut } from "@salestag/firmware/nor-flash";
import { type Chip, flashBadge, type Images, readStore } from "@salestag/host-tools";
import { Random } from "../emulator/random";
import { EmulatedBootloader } from "./bootloader";
import { FlashWriter } from "./flash-writer";
import { imagesFor, loadBadge, SETTINGS, storeOf } from "./flashing.fixture";
import { startFault } from "./start-up";

/** A chip whose flash is reached without a bootloader between. */
function chipOn({ flash }: EmulatedBootloader): Chip {
  return {
    md5: async (address, lengthBytes) =>
      createHash("md5").update(flash.read(address, lengthBytes)).digest("hex"),
    read: async (address, lengthBytes) => flash.read(address, lengthBytes),
    write: async (address, bytes) => {
      const start = { address, lengthBytes: bytes.length, blocks: 1, blockBytes: bytes.length };
      new FlashWriter(flash, { ...start, deflated: false, eraseFirst: false }).take({ sequence: 0, bytes });
    },
    restart: async () => true,
    close: async () => undefined,
  };
}

const flashed = (chip: EmulatedBootloader, images: Images, erase = false) =>
  flashBadge({ chip: chipOn(chip), images, erase, force: false, dryRun: false, onProgress: () => undefined });

/** Operations that flashing takes when nothing happens. */
async function changesOf(images: Images, load: (chip: EmulatedBootloader) => void): Promise<number> {
  const chip = new EmulatedBootloader();
  load(chip);
  await flashed(chip, images);
  return chip.flash.programs + chip.flash.erases;
}

/** Some of all cuts, and every one of the last: there the settings and the bootloader are written. */
function cutsOf(changes: number, dense: number, step: number): number[] {
  return Array.from({ length: changes }, (_, at) => at).filter(
    (at) => at < 40 || at >= changes - dense || at % step === 0,
  );
}

function assertSound(chip: EmulatedBootloader, before: Buffer, images: Images): void {
  const image = chip.image();
  const starts = startFault(image) === undefined;
  if (!starts) return;
  const old =
    image.subarray(0, 0x9000).equals(before.subarray(0, 0x9000)) &&
    image.subarray(0x10000, 0x1c0000).equals(before.subarray(0x10000, 0x1c0000));
  const runtime = images.runtime;
  const done = image.subarray(0x10000, runtime.length).equals(runtime.subarray(0x10000));
  assert.ok(old || done, "what starts is the old runtime or the new one, whole");
  const store = readStore(storeOf(chip));
  assert.deepEqual(store?.settings, SETTINGS, "what starts sees every setting");
  assert.ok(store?.program?.bytecode !== undefined, "what starts has a whole program");
  if (done && !old) assert.ok(store?.program?.bytecode?.equals(images.program));
}

describe("flashing and power cuts", () => {
  const images = imagesFor({ appBytes: 60_000 });

  it("power cut: a provisioned badge, cut at many operations, twice each (torn by seed)", async () => {
    const changes = await changesOf(images, loadBadge);
    let started = 0;
    for (const cut of cutsOf(changes, 400, 41)) {
      const random = new Random(cut);
      const chip = new EmulatedBootloader({ random: () => random.uint32() });
      loadBadge(chip);
      const before = chip.image();
      for (const after of [cut, random.uint32() % changes]) {
        chip.flash.cutPowerAfter(after);
        await flashed(chip, images).catch((cause) => assert.ok(cause instanceof PowerCut, String(cause)));
        chip.flash.powerOn();
        assertSound(chip, before, images);
        if (startFault(chip.image()) === undefined) started++;
      }
      const { settingsKept } = await flashed(chip, images);
      assert.equal(settingsKept, SETTINGS.size, `cut ${cut}`);
      assert.equal(startFault(chip.image()), undefined);
      const store = readStore(storeOf(chip))!;
      assert.deepEqual(store.settings, SETTINGS);
      assert.ok(store.program?.bytecode?.equals(images.program));
    }
    assert.ok(started > 0, "some cuts come before anything was changed");
  });

  it("power cut: a blank board, cut at many operations, ends as if nothing had happened", async () => {
    const changes = await changesOf(images, () => undefined);
    const whole = new EmulatedBootloader();
    await flashed(whole, images);
    for (const cut of cutsOf(changes, 30, 31)) {
      const random = new Random(cut);
      const chip = new EmulatedBootloader({ random: () => random.uint32() });
      chip.flash.cutPowerAfter(cut);
      await assert.rejects(flashed(chip, images), PowerCut);
      chip.flash.powerOn();
      assert.notEqual(startFault(chip.image()), undefined, `cut ${cut} starts`);
      const { skippedBytes } = await flashed(chip, images);
      assert.ok(chip.image().equals(whole.image()), `cut ${cut}`);
      if (cut > changes / 2) assert.ok(skippedBytes > 100_000, `${skippedBytes} bytes skipped`);
    }
  });
});
