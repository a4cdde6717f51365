// npm run bench:hearing [-- --quick] [--silero MODEL.onnx] [--audio DIR]: voice activity and key phrases measured, with others beside
// them in the same run; writes docs/benchmarks/hearing.md and its pictures.
import { existsSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { makePhrase } from "@salestag/host-tools";
import { measureBadge } from "./badge-section";
import { measurePhrases } from "./phrase-section";
import { longSounds, realSounds } from "./phrases";
import { PocketSphinx } from "./pocketsphinx";
import { Seeded } from "./random";
import { say, writeDocument } from "./report";
import { synthesisers } from "./sound";
import { measureVad } from "./vad-section";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
const CACHE = join(ROOT, ".cache", "hearing");
const SEED = 5;
const VAD_STRETCH_S = { quick: 12, full: 50 };
/** One of so many recordings of people. */
const RECORDING_STEP = { quick: 3, full: 1 };
const TALK_MINUTES = { quick: 10, full: 60 };

const { values: flags } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    silero: { type: "string" },
    audio: { type: "string", default: join(ROOT, "..", "shared", "audio") },
  },
});
const size = flags.quick ? "quick" : "full";

if (synthesisers().length < 2) {
  process.stderr.write(
    "The benchmark speaks with espeak-ng and flite; install both: apt-get install espeak-ng flite\n",
  );
  process.exit(2);
}

/** Phrases as a team would make them, thresholds from the stored background. */
const phrasesOf = (texts: string[]) =>
  texts.map((text) => makePhrase(text, { category: "other", falseAlarmsPerHour: 1 }).phrase);

const sphinx = PocketSphinx.prepare(CACHE, say);
const sections = [
  [
    "# Benchmarks of hearing",
    "",
    "Written by `npm run bench:hearing` (`--quick` for a short run; `--silero MODEL.onnx` puts Silero beside ours; `--audio DIR` names recordings of people). Needs Debian's espeak-ng and flite; with libpocketsphinx-dev, libsphinxbase-dev and pocketsphinx-en-us PocketSphinx's keyword mode runs beside ours on the same sound. The detectors are the badge's own sources, compiled for Node; tests hold them equal to what runs in the badge's virtual machine.",
    "",
    `This is a ${size} run on ${cpus().length} x ${cpus()[0].model.trim()} with Node ${process.versions.node}.`,
  ].join("\n"),
  await measureVad({ cacheFolder: CACHE, seed: SEED, seconds: VAD_STRETCH_S[size], silero: flags.silero }),
];
if (existsSync(join(flags.audio, "keywords"))) {
  const sounds = await realSounds(flags.audio, new Seeded(SEED), RECORDING_STEP[size]);
  sections.push(
    measurePhrases({
      title: "recordings of people",
      fileName: "key-phrases-people",
      note: `Crowd-sourced recordings of real people who say one word each (alexa, computer, jarvis), 11 s and 60 s of other real talk; ${sounds.unreadable} files could not be read. None of it was ever trained on. Words this short are not what a team should listen for: they are what recordings exist of.`,
      sounds,
      seed: SEED,
      phrases: phrasesOf(sounds.words),
      sphinx,
      isQuick: flags.quick,
    }),
  );
} else say(`recordings of people are left out: there is no ${join(flags.audio, "keywords")}`);
const long = await longSounds(new Seeded(SEED + 10), TALK_MINUTES[size], CACHE);
sections.push(
  measurePhrases({
    title: "long phrases, synthesised",
    fileName: "key-phrases-long",
    note: "Twelve phrases of twelve phones and more by eSpeak NG and flite, among other synthesised talk. Synthetic voices are what the network was trained on, with other sentences, and PocketSphinx's model was not: neither column is what people will see.",
    sounds: long,
    seed: SEED + 20,
    phrases: phrasesOf(long.words),
    sphinx,
    isQuick: flags.quick,
  }),
  await measureBadge(),
);
writeDocument(sections);
say("wrote docs/benchmarks/hearing.md");
