// Benchmark of the audio path: npx tsx test-rig/bench/front-end.ts FILE
// Prints how many times faster than real time the front end and Opus are, for a WAV or FLAC recording.

import { readFrontEnd } from "../../firmware/voice-front-end/built";
import { type EncodedFrames, encodeFrames, SILENCE_FRAMES } from "../src/audio/frames";
import { readAudio } from "../src/audio/read-audio";

const RUNS = 3;
const COMPLEXITIES = [0, 5];

const file = process.argv[2];
if (!file) {
  process.stderr.write("Usage: npx tsx test-rig/bench/front-end.ts FILE\n");
  process.exit(2);
}

const readStartMs = performance.now();
const { samples, durationMs } = await readAudio(file);
const readMs = performance.now() - readStartMs;
const frontEnd = readFrontEnd();
const encodedMs = durationMs + SILENCE_FRAMES * 20;
const times = (ms: number, ofMs: number) => `${(ofMs / ms).toFixed(0)} x real time (${ms.toFixed(0)} ms)`;

console.log(`audio        ${(durationMs / 1000).toFixed(1)} s and ${SILENCE_FRAMES * 0.02} s of silence`);
console.log(`reading      ${times(readMs, durationMs)}`);
for (const complexity of COMPLEXITIES) {
  const runs: EncodedFrames[] = [];
  for (let run = 0; run < RUNS; run++) {
    runs.push(await encodeFrames(samples, { frontEnd, opus: { bitrateBps: 16_000, complexity } }));
  }
  const best = (part: "frontEndMs" | "opusMs") => Math.min(...runs.map((run) => run[part]));
  console.log(`complexity ${complexity}, best of ${RUNS} runs`);
  console.log(`  front end  ${times(best("frontEndMs"), encodedMs)}`);
  console.log(`  opus       ${times(best("opusMs"), encodedMs)}`);
}
