// The front end as C against the same WASM in Node: every feature of every hop, on this computer and on two emulated processors.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { requireProgram, useFolder } from "@salestag/protocol/testing";
import { CHECKED, compileReplay, RV32, type Target, translate, XTENSA } from "../../../firmware/native/build";
import { readFrontEnd } from "../../../firmware/voice-front-end/built";
import { readAudio } from "../audio/read-audio";
import { replayInput, replayNative, replayWasm } from "./replay-native";

const SAMPLE = fileURLToPath(new URL("../../samples/solar-sale.flac", import.meta.url));

/** Two seconds of what no microphone gives: silence, full scale, noise without bounds, a lone click. */
function harshSamples(): Int16Array {
  let state = 1;
  return Int16Array.from({ length: 32_000 }, (_, n) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    if (n < 6400) return 0;
    if (n < 12_800) return n & 16 ? 32767 : -32768;
    if (n < 25_600) return (state >>> 16) - 32768;
    return n === 28_000 ? -32768 : 0;
  });
}

function requireTarget(test: Mocha.Context, { compiler, runner }: Target): void {
  for (const program of ["wasm2c", compiler, ...runner.slice(0, 1)]) requireProgram(test, program);
}

describe("front end in C", () => {
  const folder = useFolder();
  const files = readFrontEnd();

  function same(target: Target, samples: Int16Array): void {
    translate(folder());
    const program = compileReplay(folder(), target);
    const got = replayNative(program, target, files.network, samples);
    const wanted = replayWasm(files, samples);
    assert.equal(got.length, wanted.length);
    for (let hop = 0; hop < wanted.length; hop++)
      assert.deepEqual(got[hop], wanted[hop], `features of hop ${hop}`);
  }

  for (const [name, target] of Object.entries({
    "this computer, every access checked": CHECKED,
    "32-bit RISC-V": RV32,
    Xtensa: XTENSA,
  })) {
    it(`translation: every bit of every hop of the sample is the WASM's (${name})`, async function () {
      requireTarget(this, target);
      same(target, (await readAudio(SAMPLE)).samples);
    });

    it(`translation: silence, full scale and noise give the WASM's bits (${name})`, function () {
      requireTarget(this, target);
      same(target, harshSamples());
    });
  }

  it("network: a file of another kind, version or length is refused", function () {
    requireTarget(this, CHECKED);
    translate(folder());
    const program = compileReplay(folder(), CHECKED);
    const start = (network: Uint8Array) =>
      spawnSync(program, [], { input: replayInput(network, new Int16Array(320)) }).status;
    const changed = (at: number) => files.network.map((byte, index) => (index === at ? byte ^ 1 : byte));
    assert.equal(start(files.network), 0);
    for (const at of [0, 4, 8]) assert.equal(start(changed(at)), 2, `byte ${at}`);
    assert.equal(start(files.network.subarray(0, -1)), 2);
    assert.equal(start(new Uint8Array(0)), 2);
  });
});
