// Counting instructions: the counter against a program whose instructions are known, and the front end against its budget.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { requireProgram, useFolder } from "@salestag/protocol/testing";
import { compileCounter, compileReplay, RV32, translate } from "../../../firmware/native/build";
import { readFrontEnd } from "../../../firmware/voice-front-end/built";
import { readAudio } from "../audio/read-audio";
import { countedRun, replayInput } from "./replay-native";

const SAMPLE = fileURLToPath(new URL("../../samples/solar-sale.flac", import.meta.url));
/** What a hop may take in the mean, on RV32IMC; 768,133 when this was written. */
const BUDGET_INSTRUCTIONS = 800_000;
const START_HOPS = 20;

/** Writes nothing to standard output, turns 1000 times round a loop of two instructions, writes again, ends. */
const KNOWN_PROGRAM = `
.global _start
_start:
  li a0, 1
  la a1, _start
  li a2, 0
  li a7, 64
  ecall
  li t0, 1000
again:
  addi t0, t0, -1
  bnez t0, again
  li a0, 1
  ecall
  li a0, 0
  li a7, 93
  ecall
`;

describe("counting instructions", () => {
  const folder = useFolder();

  function requirePrograms(test: Mocha.Context): void {
    for (const program of ["gcc", RV32.compiler, RV32.runner[0]]) requireProgram(test, program);
  }

  it("counter: a program with known instructions is counted to the instruction", function () {
    requirePrograms(this);
    const program = join(folder(), "known");
    const options = ["-march=rv32imc", "-mabi=ilp32", "-nostdlib", "-static", "-x", "assembler", "-"];
    execFileSync(RV32.compiler, [...options, "-o", program], { input: KNOWN_PROGRAM, stdio: "pipe" });
    const { instructions } = countedRun(program, RV32, compileCounter(folder()), Buffer.alloc(0));
    // Up to the first write 6 (la is two), then li, the loop, li and ecall.
    assert.deepEqual(instructions, [6, 1 + 2 * 1000 + 2]);
  });

  it("budget: a hop of the sample takes at most 800,000 instructions of RV32IMC in the mean", async function () {
    requirePrograms(this);
    requireProgram(this, "wasm2c");
    translate(folder());
    const { samples } = await readAudio(SAMPLE);
    const input = replayInput(readFrontEnd().network, samples);
    const { instructions } = countedRun(compileReplay(folder(), RV32), RV32, compileCounter(folder()), input);
    const steady = instructions.slice(START_HOPS);
    const mean = steady.reduce((sum, count) => sum + count, 0) / steady.length;
    assert.ok(mean > 0 && mean <= BUDGET_INSTRUCTIONS, `${mean} instructions`);
  });
});
