// What `salestag deploy` takes for granted of the DeviceScript runtime, held against the runtime itself in virtual time.
import assert from "node:assert/strict";
import {
  JD_CLASS_DEVICESCRIPT_MANAGER,
  JdTimeoutError,
  readBadgeProgram,
  readSha256,
  writeBadgeProgram,
} from "@salestag/protocol/jacdac";
import { PROGRAM_BYTES_MAX, programOf } from "../../host-tools/src/deploy/program-file";
import { newBadgeState } from "./badge-state";
import { BENCH_DEFAULTS, Bench, readProgram } from "./bench";

/** The built program with bytes behind it that nothing refers to. */
function padded(lengthBytes: number): Buffer {
  return Buffer.concat([readProgram(), Buffer.alloc(lengthBytes)], lengthBytes);
}

describe("jacdac: the program in a badge", () => {
  const open = async (program: Buffer | "in flash", state = newBadgeState("0102030405060708", 16)) => {
    const bench = await Bench.open({ ...BENCH_DEFAULTS, state, program });
    const manager = await bench.drive(bench.client.find(JD_CLASS_DEVICESCRIPT_MANAGER, 5000));
    const write = (bytes: Buffer, onSent?: (sentBytes: number) => void) =>
      bench.drive(writeBadgeProgram(bench.client, manager, bytes, onSent));
    const sha256 = () => bench.drive(readSha256(bench.client, manager));
    return { bench, manager, write, sha256 };
  };

  it("a badge without one says so", async () => {
    const { bench, manager } = await open("in flash");
    const { name, version, sha256, runtime } = await bench.drive(readBadgeProgram(bench.client, manager));
    assert.deepEqual([name, version, sha256, runtime], ["", "", undefined, [2, 16, 4]]);
    bench.powerOff();
  });

  it("as much as the flash has room for is taken, and 32 bytes more are not", async () => {
    const { bench, write, sha256 } = await open(readProgram());
    const largest = padded(PROGRAM_BYTES_MAX);
    await write(largest);
    assert.equal(await sha256(), programOf(largest, "a test").sha256);
    await assert.rejects(write(padded(PROGRAM_BYTES_MAX + 32)), JdTimeoutError);
    bench.powerOff();
  });

  it("a program that comes in part is none, also after the power failed; the next one is whole", async () => {
    const { bench, write, sha256 } = await open(readProgram());
    const cut = new Error("the cable was pulled");
    const half = write(readProgram(), (sentBytes) => {
      if (sentBytes > 30_000) throw cut;
    });
    await assert.rejects(half, cut);
    assert.equal(await sha256(), undefined);
    const state = bench.state();
    bench.powerOff();
    const again = await open("in flash", state);
    assert.equal(await again.sha256(), undefined);
    await again.write(readProgram());
    assert.equal(await again.sha256(), programOf(readProgram(), "a test").sha256);
    again.bench.powerOff();
  });
});
