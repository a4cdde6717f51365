// Turns a recording of other talk into the background on which thresholds are found: npx tsx test-rig/bench/hearing/make-background.ts
// FILE.wav [OUTPUT]. Runs the front end over it and keeps its posteriors. The recording comes from training/make_background.py.
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { readFrontEnd } from "../../../firmware/voice-front-end/built";
import { FEATURE_BYTES, FrontEnd, HOP_SAMPLES } from "../../../firmware/voice-front-end/front-end";
import { writeBackground } from "../../../host-tools/src/phrases/background";
import { readAudio } from "../../src/audio/read-audio";

const [input, output = fileURLToPath(new URL("../../../host-tools/data/background.bin", import.meta.url))] =
  process.argv.slice(2);
if (input === undefined) {
  process.stderr.write("Usage: npx tsx test-rig/bench/hearing/make-background.ts FILE.wav [OUTPUT]\n");
  process.exit(2);
}
const { samples } = await readAudio(input);
const frontEnd = FrontEnd.load(readFrontEnd());
const vectors: Uint8Array[] = [];
for (let start = 0; start + HOP_SAMPLES <= samples.length; start += HOP_SAMPLES) {
  const features = frontEnd.process(samples.subarray(start, start + HOP_SAMPLES));
  if (features.length > FEATURE_BYTES) vectors.push(features.slice(FEATURE_BYTES));
}
const file = writeBackground(Buffer.concat(vectors));
writeFileSync(output, file);
console.log(`${output}: ${vectors.length} vectors, ${file.length} bytes`);
