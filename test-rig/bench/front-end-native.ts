// What the front end costs the badge's processor: npm run bench:front-end-native -- [--opus FOLDER] [FILE...]
// Counts the instructions of the front end in C for each hop of a recording, exactly, in emulators of two processors, after comparing every
// bit with the WASM; with the sources of libopus in FOLDER, those of the encoder too. From the counts it estimates the ESP32-S3's time.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import {
  compileCounter,
  compileOpus,
  compileReplay,
  RV32,
  type Target,
  translate,
  XTENSA,
} from "../../firmware/native/build";
import { readFrontEnd } from "../../firmware/voice-front-end/built";
import { readAudio } from "../src/audio/read-audio";
import { countedRun, replayInput, replayOutput, replayWasm } from "../src/native/replay-native";

/** Hops of a start: tables are made, and the network's upper layers are not yet at work. */
const START_HOPS = 20;
const HOPS_A_SECOND = 50;
const CORE_HZ = 240e6;
/**
 * Cycles of the ESP32-S3 for one instruction counted here, an estimate by CoreMark: one core takes 240 MHz / 613.86 = 390,969 cycles an iteration (its data
 * sheet); counted as here, an iteration is 308,265 instructions of RV32IMC with -O2 (1.27), 295,218 with -O3 (1.32), 294,989 of the LX106 with -O2 (1.33).
 */
const CYCLES_AN_INSTRUCTION = 1.33;
/** Bytes of weights that a hop reads in the mean: 7,680 of the hop layer, half of a pair's 185,600. */
const WEIGHT_BYTES_A_HOP = 7680 + 185_600 / 2;
/** 4 bits at 80 MHz: what quad PSRAM gives at most, without commands and addresses. */
const QUAD_PSRAM_BYTES_A_SECOND = 40e6;

const TARGETS: [string, Target][] = [
  ["RV32IMC", RV32],
  ["Xtensa LX106", XTENSA],
];

interface Cost {
  what: string;
  instructions: number[];
}

const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
const thousands = (value: number) => Math.round(value).toLocaleString("en-GB");
const percent = (share: number) => `${(100 * share).toFixed(1)}%`;
const coreShare = (instructions: number) => (instructions * HOPS_A_SECOND * CYCLES_AN_INSTRUCTION) / CORE_HZ;

function row({ what, instructions }: Cost): string {
  const steady = instructions.slice(START_HOPS);
  const even = mean(steady.filter((_, hop) => hop % 2 === 0));
  const odd = mean(steady.filter((_, hop) => hop % 2 === 1));
  const most = steady.reduce((max, value) => Math.max(max, value), 0);
  const columns = [mean(steady), even, odd, most].map(thousands);
  return `| ${[what, steady.length, ...columns, percent(coreShare(mean(steady)))].join(" | ")} |`;
}

/** Throws an Error when a bit differs from the WASM's. */
function frontEndCost(folder: string, counter: string, target: Target, samples: Int16Array): number[] {
  const files = readFrontEnd();
  const program = compileReplay(folder, target);
  const { output, instructions } = countedRun(program, target, counter, replayInput(files.network, samples));
  const got = replayOutput(output);
  const wanted = replayWasm(files, samples);
  const differs = wanted.findIndex((features, hop) => !features.equals(got[hop] ?? Buffer.alloc(0)));
  if (differs >= 0) throw new Error(`Hop ${differs} on ${target.compiler} differs from the WASM's.`);
  return instructions;
}

const { values, positionals } = parseArgs({ options: { opus: { type: "string" } }, allowPositionals: true });
const sample = fileURLToPath(new URL("../samples/solar-sale.flac", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "salestag-native-"));
try {
  translate(folder);
  const counter = compileCounter(folder);
  console.log("| | hops | instructions a hop | even hops | odd hops | most | of one core, estimated |");
  console.log("|---|---:|---:|---:|---:|---:|---:|");
  for (const file of positionals.length > 0 ? positionals : [sample]) {
    const { samples } = await readAudio(file);
    for (const [name, target] of TARGETS) {
      const instructions = frontEndCost(folder, counter, target, samples);
      console.log(row({ what: `front end, ${name}, ${basename(file)}`, instructions }));
      if (values.opus === undefined) continue;
      const pcm = Buffer.from(samples.buffer, samples.byteOffset, samples.byteLength);
      const opus = countedRun(compileOpus(folder, values.opus, target), target, counter, pcm);
      console.log(row({ what: `Opus, ${name}, ${basename(file)}`, instructions: opus.instructions }));
    }
  }
  const reading = (WEIGHT_BYTES_A_HOP * HOPS_A_SECOND) / QUAD_PSRAM_BYTES_A_SECOND;
  console.log(`\nWeights in quad PSRAM: ${percent(reading)} of one core at least waits for them, computed.`);
} finally {
  rmSync(folder, { recursive: true });
}
