// npm run bench:hearing [-- --quick] [--silero MODEL.onnx] [--audio DIR]: voice activity and key phrases measured, with others beside
// them in the same run; writes docs/benchmarks.md and its pictures.
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { phrasesOfSet } from "@salestag/host-tools";
import { TUNING_DEFAULT } from "@salestag/protocol";
import { prepareRecording } from "../../src/recording";
import { type ReplayResult, replay } from "../../src/replay";
import { quantile } from "./metrics";
import {
  CONDITIONS,
  judgeDecoder,
  judgePocketSphinx,
  longSounds,
  makeStream,
  missCurve,
  type PhraseResult,
  realSounds,
} from "./phrases";
import { type Curve, plotSvg } from "./plot";
import { PocketSphinx } from "./pocketsphinx";
import { Seeded } from "./random";
import { synthesisers } from "./sound";
import { badgeDetector, judge, sileroDetector, type VadResult, vadStretches, webRtcDetector } from "./vad";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
const CACHE = join(ROOT, ".cache", "hearing");
const DOCS = join(ROOT, "docs");
const PICTURES = join(DOCS, "benchmarks");
const SAMPLE = join(ROOT, "test-rig", "samples", "solar-sale.flac");
const SEED = 5;
const RATES = [1, 5];
const RATE_PLOTTED_MAX = 10;

const { values: flags } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    silero: { type: "string" },
    audio: { type: "string", default: join(ROOT, "..", "shared", "audio") },
  },
});
const startedMs = performance.now();
const say = (text: string) =>
  process.stderr.write(`${((performance.now() - startedMs) / 1000).toFixed(0).padStart(4)} s  ${text}\n`);
const percent = (share: number) => `${(100 * share).toFixed(1)}%`;
const table = (head: string[], rows: (string | number)[][]) =>
  [head, head.map((_, i) => (i === 0 ? "---" : "---:")), ...rows]
    .map((row) => `| ${row.join(" | ")} |`)
    .join("\n");

function picture(name: string, svg: string): string {
  mkdirSync(PICTURES, { recursive: true });
  writeFileSync(join(PICTURES, name), svg);
  return `![${name.replace(/\.svg$/, "").replace(/-/g, " ")}](benchmarks/${name})`;
}

async function measureVad(): Promise<string> {
  const stretches = await vadStretches(CACHE, SEED, flags.quick ? 12 : 50);
  const seconds = stretches.reduce((sum, { samples }) => sum + samples.length / 16000, 0);
  say(`voice activity: ${stretches.length} stretches, ${(seconds / 60).toFixed(0)} minutes`);
  const results: [name: string, result: VadResult][] = [];
  const add = async (name: string, detector: Parameters<typeof judge>[1], threshold?: number) => {
    results.push([name, await judge(stretches, detector, threshold)]);
    say(`  ${name}: area ${results[results.length - 1][1].area.toFixed(3)}`);
  };
  await add("badge, bands and network", badgeDetector(true), TUNING_DEFAULT.onsetScore);
  await add("badge, bands alone", badgeDetector(false));
  if (flags.silero !== undefined) await add("Silero", await sileroDetector(flags.silero));
  await add("WebRTC", await webRtcDetector());
  const curves: Curve[] = results.map(([name, { curve }]) => ({
    name,
    points: curve.map(({ falsePositives, recall }) => [falsePositives, recall]),
  }));
  const svg = plotSvg({
    title: "Voice activity: synthetic talk in six noises, 0 to 20 dB",
    xLabel: "share of silence taken for speech",
    yLabel: "share of speech found",
    xMax: 0.5,
    yMin: 0.5,
    yMax: 1,
    curves,
  });
  const conditions = [...results[0][1].areas.keys()];
  return [
    "## Voice activity",
    "",
    `${(seconds / 60).toFixed(0)} minutes of synthesised talk with exact labels: a block of 10 ms of the clean sentence within 40 dB of its loudest one is speech, and so is a hole of up to 80 ms between two. Six noises at 0, 5, 10 and 20 dB, levels from -42 to -14 dBFS. Each detector is judged at the constant shift that suits it best; so the badge's look-ahead of 200 ms, which its pre-roll covers, counts apart. Onset: from the first block of speech to the first frame over the threshold (ours: the one that is provisioned by default; others: that of 10% false positives).`,
    "",
    table(
      ["detector", "area under ROC", "recall at 10% false positives", "onset median", "onset 90%", "shift"],
      results.map(([name, r]) => [
        name,
        r.area.toFixed(3),
        r.recallAt10.toFixed(3),
        `${r.onsetMedianMs} ms`,
        `${r.onsetP90Ms} ms`,
        `${r.shift * 20} ms`,
      ]),
    ),
    "",
    picture("voice-activity.svg", svg),
    "",
    "Area for each noise:",
    "",
    table(
      ["noise, dB", ...results.map(([name]) => name)],
      conditions.map((key) => [
        key,
        ...results.map(([, { areas }]) => (areas.get(key) as number).toFixed(3)),
      ]),
    ),
  ].join("\n");
}

function mean(list: number[]): number {
  return list.reduce((sum, value) => sum + value, 0) / list.length;
}

const missedOf = (results: PhraseResult[], rate: number) =>
  percent(mean(results.map(({ missed }) => missed[rate])));

async function measurePhrases(
  title: string,
  slug: string,
  note: string,
  source: Awaited<ReturnType<typeof realSounds>>,
  sphinx: PocketSphinx | undefined,
): Promise<string> {
  const rows: (string | number)[][] = [];
  const detail: string[] = [];
  const curves: Curve[] = [];
  const positives: number[] = [];
  let hours = 0;
  for (const [i, condition] of CONDITIONS.entries()) {
    const stream = makeStream(source, condition, SEED + i);
    hours = stream.pcm.length / 16000 / 3600;
    const ours = judgeDecoder(stream, source.words, RATES);
    if (condition.noise === undefined) positives.push(...ours.flatMap((result) => result.positives));
    say(
      `  ${title}, ${condition.name}: badge misses ${missedOf(ours, 0)} at 1/h, ${missedOf(ours, 1)} at 5/h`,
    );
    curves.push({ name: `badge, ${condition.name}`, points: missCurve(ours, RATE_PLOTTED_MAX) });
    const row = [condition.name, missedOf(ours, 0), missedOf(ours, 1)];
    if (sphinx !== undefined && (!flags.quick || condition.noise === undefined)) {
      const theirs = judgePocketSphinx(sphinx, stream, source.words, RATES);
      say(
        `  ${title}, ${condition.name}: PocketSphinx misses ${missedOf(theirs, 0)} at 1/h, ${missedOf(theirs, 1)} at 5/h`,
      );
      curves.push({
        name: `PocketSphinx, ${condition.name}`,
        points: missCurve(theirs, RATE_PLOTTED_MAX),
        isDashed: true,
      });
      row.push(missedOf(theirs, 0), missedOf(theirs, 1));
    } else row.push("-", "-");
    rows.push(row);
    if (condition.noise === undefined)
      detail.push(
        table(
          ["phrase, clean", "phones", "utterances", "missed at 1/h", "at 5/h"],
          ours.map(({ phrase, phones, positives: own, missed }) => [
            phrase,
            phones,
            own.length,
            ...missed.map(percent),
          ]),
        ),
      );
  }
  const svg = plotSvg({
    title: `Key phrases: ${title}`,
    xLabel: "false alarms an hour and phrase",
    yLabel: "share of utterances missed",
    xMax: RATE_PLOTTED_MAX,
    yMax: 0.6,
    curves,
  });
  const shares = [0.02, 0.05, 0.25, 0.5, 0.75, 0.95];
  return [
    `## Key phrases: ${title}`,
    "",
    `${note} ${hours.toFixed(2)} hours in each condition; so 1 false alarm an hour means ${Math.max(1, Math.round(hours))} allowed. The noise lies 10 dB under each clip's own speech; babble is six voices at once.`,
    "",
    table(
      [
        "missed, mean of the phrases",
        "badge at 1/h",
        "badge at 5/h",
        "PocketSphinx at 1/h",
        "PocketSphinx at 5/h",
      ],
      rows,
    ),
    "",
    picture(`key-phrases-${slug}.svg`, svg),
    "",
    ...detail,
    "",
    `Scores of the clean utterances, in nats: ${shares.map((share) => `${percent(share)} below ${quantile(positives, share).toFixed(2)}`).join(", ")}.`,
  ].join("\n");
}

/** The badge program in its virtual machine: what hearing costs while somebody speaks, and how late a phrase becomes an event. */
async function measureBadge(): Promise<string> {
  const { frames } = await prepareRecording(SAMPLE, undefined);
  const run = async (count: number): Promise<{ result: ReplayResult; delaysMs: number[] }> => {
    const delaysMs: number[] = [];
    const result = await replay({
      frames,
      phrases: phrasesOfSet("solar", 1).slice(0, count),
      onTrace: (event) => {
        if (event.word === "phrase") delaysMs.push((event.atSeq + 1 - event.toSeq) * 20);
      },
    });
    return { result, delaysMs };
  };
  const rows: (string | number)[][] = [];
  const delays: number[] = [];
  for (const count of [0, 12, 18]) {
    const runs = [await run(count), await run(count), await run(count)];
    const best = runs.reduce((a, b) => (b.result.load < a.result.load ? b : a));
    delays.push(...best.delaysMs);
    rows.push([
      count,
      percent(best.result.load),
      `${(best.result.report.heapPeakBytes / 1024).toFixed(1)} KB`,
    ]);
    say(`  badge with ${count} phrases: ${percent(best.result.load)} of an ESP32-S3`);
  }
  return [
    "## The badge program",
    "",
    "The bundled sample through the program in its virtual machine, best of three runs; load is VM time x 36, an estimate for an ESP32-S3 at 240 MHz, over the whole replay: recording, sealing and uploading are in it.",
    "",
    table(["phrases", "load", "heap peak of 64 KB"], rows),
    "",
    `A phrase became an event ${Math.min(...delays)} to ${Math.max(...delays)} ms after its end (the front end's look-ahead of 200 ms is in it).`,
  ].join("\n");
}

const parts: string[] = [];
if (synthesisers().length < 2) {
  process.stderr.write(
    "The benchmark speaks with espeak-ng and flite; install both: apt-get install espeak-ng flite\n",
  );
  process.exit(2);
}
const sphinx = PocketSphinx.prepare(CACHE, say);
parts.push(await measureVad());
if (existsSync(join(flags.audio, "keywords"))) {
  const source = await realSounds(flags.audio, new Seeded(SEED));
  const note = `Crowd-sourced recordings of real people who say one word each (alexa, computer, jarvis), 11 s and 60 s of other real talk; ${source.unreadable} files could not be read. None of it was ever trained on.`;
  parts.push(await measurePhrases("recordings of people", "people", note, source, sphinx));
} else say(`recordings of people are left out: there is no ${join(flags.audio, "keywords")}`);
const long = await longSounds(new Seeded(SEED + 10), flags.quick ? 10 : 45, CACHE);
const longNote =
  "Twelve phrases of twelve phones and more, 14 utterances each by eSpeak NG and flite, among other synthesised talk. Synthetic voices are what the network was trained on, with other sentences: read these figures against PocketSphinx's and not as what people will see.";
parts.push(await measurePhrases("long phrases, synthesised", "long", longNote, long, sphinx));
parts.push(await measureBadge());
const doc = [
  "# Benchmarks of hearing",
  "",
  "Written by `npm run bench:hearing` (`--quick` for a short run; `--silero MODEL.onnx` puts Silero beside ours; `--audio DIR` names recordings of people). Needs Debian's espeak-ng and flite; with libpocketsphinx-dev, libsphinxbase-dev and pocketsphinx-en-us PocketSphinx's keyword mode runs beside ours on the same sound. The detectors are the badge's own sources, compiled for Node; tests hold them equal to what runs in the badge's virtual machine.",
  "",
  parts.join("\n\n"),
  "",
].join("\n");
writeFileSync(join(DOCS, "benchmarks.md"), doc);
say("wrote docs/benchmarks.md");
