// A local command for transcription: `node pocketsphinx-words.mjs FILE.wav` runs Debian's pocketsphinx over the file and prints what it heard as JSON.
// A real recogniser that is there without a download, for tests and for looking at the interface: it misses every third word or more.
import { spawnSync } from "node:child_process";

const args = ["-infile", process.argv[2], "-time", "yes", "-logfn", "/dev/null"];
const { status, stdout, error } = spawnSync("pocketsphinx_continuous", args, { encoding: "utf8", maxBuffer: 1 << 26 });
if (error !== undefined) throw error;
if (status !== 0) throw new Error(`pocketsphinx_continuous ended with ${status}`);
const words = [];
for (const line of stdout.split("\n")) {
  // "for(2) 4.420 4.530 0.054665": word with its pronunciation, start and end in seconds, probability.
  const [, text, start, end] = /^([a-z'.-]+)(?:\(\d+\))? ([\d.]+) ([\d.]+) [\d.]+$/.exec(line) ?? [];
  if (text !== undefined) words.push({ text, start: Number(start), end: Number(end) });
}
console.log(JSON.stringify({ language: "en", words }));
