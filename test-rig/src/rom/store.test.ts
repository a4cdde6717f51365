// The runtime itself against our reader and writer of its store: it boots what we write, we read what it writes.
import assert from "node:assert/strict";
import { makeStore, readStore, replaceProgram } from "@salestag/host-tools";
import { buildProgram } from "../emulator/build-program";
import { bootTestBadge, type TestBadge } from "../emulator/test-badge";

const program = (name: string) => `
import { readSetting, writeSetting } from "@devicescript/settings";
const boots = await readSetting<number>("boots", 0);
await writeSetting("boots", boots + 1);
for (let i = 0; i < 20; i++) await writeSetting("k" + i, "value " + i);
console.log("${name}", boots + 1, await readSetting("k7", ""));
`;
const STORE_BYTES = 0x40000;
const BANK_BYTES = 0x4000;
const RUN_MS = 3000;

/** What a badge says when it runs its program from a store. */
async function boot(flash: Buffer, bytecode?: Buffer): Promise<{ said: string[]; flash: Buffer }> {
  const test: TestBadge = await bootTestBadge(bytecode, { flash });
  await test.time.run(RUN_MS);
  test.badge.powerOff();
  const said = test.log.flatMap((line) => /> ((?:first|second) .*)$/.exec(line)?.[1] ?? []);
  const whole = Buffer.alloc(STORE_BYTES, 0xff);
  test.badge.flash.copy(whole); // the emulated runtime saves no further than it wrote
  return { said, flash: whole };
}

describe("store and runtime", () => {
  let first: Buffer;
  let second: Buffer;
  before(async () => {
    first = await buildProgram({ "main.ts": program("first") });
    second = await buildProgram({ "main.ts": program("second") });
  });

  it("store: a new one is byte for byte what the runtime makes", async () => {
    const test = await bootTestBadge(first);
    test.badge.powerOff();
    const ours = makeStore(first);
    const theirs = test.badge.flash;
    assert.ok(theirs.subarray(0, BANK_BYTES).equals(ours.subarray(0, BANK_BYTES)), "bank of settings");
    const programBytes = 128 + first.length;
    assert.ok(
      theirs.subarray(0x8000, 0x8000 + programBytes).equals(ours.subarray(0x8000, 0x8000 + programBytes)),
    );
  });

  it("store: the runtime boots one that we made, and one whose program we replaced, with its settings", async () => {
    const one = await boot(makeStore(first));
    assert.deepEqual(one.said, ["first 1 value 7"]);
    const two = await boot(one.flash);
    assert.deepEqual(two.said, ["first 2 value 7"]);

    const store = readStore(two.flash)!;
    assert.equal(store.settings.get(":boots")?.toString(), "2");
    assert.ok(store.program?.bytecode?.equals(first));
    const { prelude, writes } = replaceProgram(store, second);
    prelude.bytes.copy(two.flash, prelude.offset);
    const between = await boot(two.flash);
    assert.deepEqual(between.said, ["first 3 value 7"], "with its other bank erased it runs on as before");
    for (const { offset, bytes } of writes) bytes.copy(two.flash, offset);
    const three = await boot(two.flash);
    assert.deepEqual(three.said, ["second 3 value 7"]);
  });

  it("store: replaced over and over, both banks in turn, settings that the runtime compacts in between", async () => {
    let flash = (await boot(makeStore(first))).flash;
    for (let round = 2; round <= 7; round++) {
      const store = readStore(flash)!;
      assert.equal(store.settings.get(":boots")?.toString(), `${round - 1}`);
      assert.equal(store.settings.size, 21);
      const { prelude, writes } = replaceProgram(store, round % 2 === 0 ? second : first);
      for (const { offset, bytes } of [prelude, ...writes]) bytes.copy(flash, offset);
      const run = await boot(flash);
      assert.deepEqual(run.said, [`${round % 2 === 0 ? "second" : "first"} ${round} value 7`]);
      flash = run.flash;
    }
  });
});
