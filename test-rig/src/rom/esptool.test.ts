// The emulated bootloader against Espressif's own esptool (Debian's, in Python): a second host that knows nothing of ours. It speaks with
// the bootloader in ROM, without a stub; our own tool with a stub.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { requireProgram, runProgram, useFolder } from "@salestag/protocol/testing";
import { EmulatedBootloader } from "./bootloader";
import { ChipPort } from "./chip-port";
import { Op } from "./command";
import { fakeRuntime } from "./runtime.fixture";
import { startFault } from "./start-up";

describe("esptool and the emulated bootloader", () => {
  const folder = useFolder();
  let port: ChipPort;
  let chip: EmulatedBootloader;
  beforeEach(async function () {
    requireProgram(this, "esptool", "version");
    chip = new EmulatedBootloader();
    port = await ChipPort.plugIn(chip);
  });
  afterEach(async () => await port?.unplug());

  function esptool(...args: string[]): Promise<string> {
    const common = [
      "--chip",
      "esp32s3",
      "--port",
      port.path,
      "--no-stub",
      "--before",
      "no_reset",
      "--after",
      "no_reset",
    ];
    return new Promise((resolve, reject) => {
      execFile("esptool", [...common, ...args], (error, stdout, stderr) => {
        if (error === null) resolve(stdout);
        else reject(new Error(`${stdout}${stderr}`, { cause: error }));
      });
    });
  }

  it("esptool: finds chip and flash", async () => {
    const said = await esptool("flash_id");
    assert.match(said, /Chip is ESP32-S3/);
    assert.match(said, /Detected flash size: 2MB/);
    assert.deepEqual(chip.faults, []);
  });

  for (const how of ["--no-compress", "--compress"])
    it(`esptool: writes an image and verifies it (${how})`, async () => {
      const runtime = fakeRuntime();
      const file = join(folder(), "runtime.bin");
      writeFileSync(file, runtime);
      const said = await esptool("write_flash", how, "--flash_size", "keep", "0x0", file);
      assert.match(said, /Hash of data verified/);
      assert.ok(chip.image().subarray(0, runtime.length).equals(runtime));
      assert.equal(startFault(chip.image()), undefined);
      assert.deepEqual(chip.faults, []);
      assert.equal(chip.counts.has(Op.MemBegin), false, "no stub");
    });

  it("esptool: takes the fixture of the runtime for an image of this chip", () => {
    const file = join(folder(), "bootloader.bin");
    writeFileSync(file, fakeRuntime().subarray(0, 0x8000));
    const said = runProgram("esptool", ["image_info", "--version", "2", file]).toString();
    assert.match(said, /Chip ID: 9 \(ESP32-S3\)/);
    assert.match(said, /Checksum: 0x[0-9a-f]{2} \(valid\)/);
    assert.match(said, /Validation hash: [0-9a-f]{64} \(valid\)/);
  });
});
