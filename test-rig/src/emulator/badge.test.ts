import assert from "node:assert/strict";
import { decodeFrame, encodeFrame, JD_FLAG_COMMAND } from "@salestag/protocol/jacdac";
import { buildProgram } from "./build-program";
import { bootTestBadge, type TestBadge } from "./test-badge";

/** Counts its boots in flash, says something random, holds a little memory, and lives on. */
const LIVING = `
import { sleep } from "@devicescript/core";
import { readSetting, writeSetting } from "@devicescript/settings";
import { randomBuffer } from "@devicescript/crypto";
const boots = await readSetting<number>("boots", 0);
await writeSetting("boots", boots + 1);
console.log("boots", boots + 1);
console.log("random", randomBuffer(16).toString("hex"));
const held: Buffer[] = [];
while (held.length < HELD) held.push(Buffer.alloc(1024));
console.log("holds", held.length);
for (let second = 1; second <= 3; second++) {
  await sleep(1000);
  console.log("second", second, held.length);
}
`;
const PANICKING = `
console.log("before the panic");
throw new Error("broken on purpose");
`;

const said = ({ log }: TestBadge, word: string): string[] =>
  log.flatMap((line) => new RegExp(`^\\d+ > (${word} .*)$`).exec(line)?.[1] ?? []);

const BADGE_ID = "0102030405060708";
/** Index of the settings service on an emulated badge. */
const SETTINGS_INDEX = 4;
const COMMAND_GET = 0x80;

/** Another device's announcement, and its question for a setting. */
const INPUTS: { atMs: number; frame: Buffer }[] = [
  {
    atMs: 500,
    frame: encodeFrame({
      flags: 0,
      deviceId: "aabbccddeeff0011",
      packets: [{ serviceIndex: 0, command: 0, data: Buffer.from([1, 0, 0, 0]) }],
    }),
  },
  {
    atMs: 777,
    frame: encodeFrame({
      flags: JD_FLAG_COMMAND,
      deviceId: BADGE_ID,
      packets: [{ serviceIndex: SETTINGS_INDEX, command: COMMAND_GET, data: Buffer.from("none") }],
    }),
  },
];

describe("emulated badge", () => {
  const RUN_MS = 3500;
  let small: Buffer;
  let large: Buffer;
  let panicking: Buffer;

  before(async () => {
    small = await buildProgram({ "main.ts": LIVING.replace("HELD", "1") });
    large = await buildProgram({ "main.ts": LIVING.replace("HELD", "20") });
    panicking = await buildProgram({ "main.ts": PANICKING });
  });

  const lived = async (program: Buffer | undefined, options: Parameters<typeof bootTestBadge>[1] = {}) => {
    const test = await bootTestBadge(program, options);
    for (const { atMs, frame } of INPUTS) test.time.at(atMs, () => test.badge.receive(frame));
    await test.time.run(RUN_MS);
    return test;
  };

  it("boots, runs its program in virtual time and logs", async () => {
    const test = await lived(small);
    assert.deepEqual(said(test, "boots"), ["boots 1"]);
    const seconds = test.log.filter((line) => line.includes("> second")).map((line) => line.split(" "));
    assert.deepEqual(
      seconds.map(([, , , second, held]) => [second, held]),
      [
        ["1", "1"],
        ["2", "1"],
        ["3", "1"],
      ],
    );
    const times = seconds.map(([atMs]) => Number(atMs));
    assert.deepEqual([times[1] - times[0], times[2] - times[1]], [1000, 1000]);
    assert.equal(test.badge.panicCode, 0);
    assert.equal(test.badge.droppedFrames, 0);
  });

  it("every frame that it sends is whole and its own", async () => {
    const { frames } = await lived(small);
    const decoded = frames.map((hex) => decodeFrame(Buffer.from(hex, "hex")));
    const announces = decoded.filter((frame) => frame?.packets[0].serviceIndex === 0 && !(frame.flags & 1));
    assert.ok(announces.length >= 5, `announced ${announces.length} times in ${RUN_MS} ms`);
    assert.ok(
      decoded.every((frame) => frame !== undefined && (frame.flags & 1 || frame.deviceId === BADGE_ID)),
    );
  });

  it("settings survive power off; a badge without a new program runs the one in its flash", async () => {
    const first = await lived(small);
    first.badge.powerOff();
    const second = await lived(undefined, { flash: first.badge.flash });
    assert.deepEqual(said(second, "boots"), ["boots 2"]);
    second.badge.powerOff();
    const third = await lived(small, { flash: second.badge.flash });
    assert.deepEqual(said(third, "boots"), ["boots 3"]);
  });

  it("a setting that was not yet in flash when the power went is not there afterwards", async () => {
    const first = await bootTestBadge(small);
    const written = first.log.length;
    assert.equal(await first.time.run(RUN_MS, () => said(first, "boots").length > 0), true);
    assert.ok(!first.log.slice(written).some((line) => line.endsWith("flash sync")));
    first.badge.powerOff();
    const second = await lived(small, { flash: first.badge.flash });
    assert.deepEqual(said(second, "boots"), ["boots 1"]);
  });

  it("nothing runs after power off", async () => {
    const { time, badge, log, frames } = await bootTestBadge(small);
    await time.run(1500);
    const before = [log.length, frames.length];
    badge.powerOff();
    for (const { frame } of INPUTS) badge.receive(frame);
    await time.run(10_000);
    assert.deepEqual([log.length, frames.length], before);
  });

  it("a panic shows in panicCode and in the log", async () => {
    const test = await lived(panicking);
    assert.equal(test.badge.panicCode, 60005);
    const text = test.log.join("\n");
    for (const part of ["> before the panic", "message: broken on purpose", "PANIC 60005"])
      assert.ok(text.includes(part), part);
  });

  it("a damaged program is refused (first byte of its image changed)", async () => {
    const damaged = Buffer.from(small);
    damaged[0] ^= 1;
    await assert.rejects(bootTestBadge(damaged), /refused the program of \d+ bytes, status -?[1-9]/);
  });

  it("the heap meter finds the heap of 64 KB and sees what the program holds (1 KB, 20 KB)", async () => {
    const holdsOne = await lived(small);
    const holdsTwenty = await lived(large);
    assert.deepEqual(said(holdsTwenty, "holds"), ["holds 20"]);
    for (const { badge } of [holdsOne, holdsTwenty]) {
      assert.ok(Math.abs(badge.heap.sizeBytes - 65536) < 16, `${badge.heap.sizeBytes} bytes`);
      assert.ok(badge.heap.peakBytes < badge.heap.sizeBytes);
    }
    const grown = holdsTwenty.badge.heap.peakBytes - holdsOne.badge.heap.peakBytes;
    assert.ok(grown >= 19 * 1024 * 0.9 && grown < 30 * 1024, `grew by ${grown} bytes`);
  });

  it("the same program, seed and inputs give the same log and the same frames, bit for bit", async () => {
    const first = await lived(small, { seed: 5 });
    const again = await lived(small, { seed: 5 });
    assert.deepEqual(again.log, first.log);
    assert.deepEqual(again.frames, first.frames);
    assert.ok(again.badge.flash.equals(first.badge.flash));
  });

  it("another seed gives other random bytes", async () => {
    const random = async (seed: number) => said(await lived(small, { seed }), "random")[0];
    assert.match(await random(1), /^random [0-9a-f]{32}$/);
    assert.notEqual(await random(1), await random(2));
  });

  it("two badges in one process do not meet (other programs and seeds, one panics)", async () => {
    const alone = await lived(small, { seed: 5 });
    const [first, second, third] = await Promise.all([
      bootTestBadge(small, { seed: 5 }),
      bootTestBadge(large, { seed: 6 }),
      bootTestBadge(panicking),
    ]);
    for (const { atMs, frame } of INPUTS) first.time.at(atMs, () => first.badge.receive(frame));
    for (let ms = 0; ms <= RUN_MS; ms += 5) for (const { time } of [first, second, third]) await time.run(ms);
    assert.deepEqual(first.log, alone.log);
    assert.deepEqual(first.frames, alone.frames);
    assert.deepEqual(said(second, "holds"), ["holds 20"]);
    assert.deepEqual(
      [first, second, third].map(({ badge }) => badge.panicCode),
      [0, 0, 60005],
    );
  });

  it("a device id of another length is refused (15 and 17 digits)", async () => {
    for (const deviceId of ["010203040506070", "01020304050607080"])
      await assert.rejects(bootTestBadge(small, { deviceId }), /16 hexadecimal digits/);
  });
});
