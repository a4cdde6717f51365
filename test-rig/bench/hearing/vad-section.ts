// Voice activity: detectors beside each other on the same stretches.
import { TUNING_DEFAULT } from "@salestag/protocol";
import type { Series } from "./plot";
import { picture, say, table } from "./report";
import { RATE_HZ } from "./sound";
import {
  badgeDetector,
  type Detector,
  judge,
  sileroDetector,
  type VadResult,
  vadStretches,
  webRtcDetector,
} from "./vad";

export interface VadOptions {
  cacheFolder: string;
  seed: number;
  /** Length of each of the 24 stretches. */
  seconds: number;
  /** Path of Silero's model. */
  silero: string | undefined;
}

/** @returns the section */
export async function measureVad({ cacheFolder, seed, seconds, silero }: VadOptions): Promise<string> {
  const stretches = await vadStretches(cacheFolder, seed, seconds);
  const minutes = stretches.reduce((sum, { samples }) => sum + samples.length, 0) / RATE_HZ / 60;
  say(`voice activity: ${stretches.length} stretches, ${minutes.toFixed(0)} minutes`);
  const results: [name: string, result: VadResult][] = [];
  const add = async (name: string, detector: Detector, threshold?: number) => {
    const result = await judge(stretches, detector, threshold);
    results.push([name, result]);
    say(`  ${name}: area ${result.area.toFixed(3)}`);
  };
  await add("badge, bands and network", badgeDetector(true), TUNING_DEFAULT.onsetScore);
  await add("badge, bands alone", badgeDetector(false));
  if (silero !== undefined) await add("Silero", await sileroDetector(silero));
  await add("WebRTC", await webRtcDetector());
  return sectionOf(results, minutes);
}

function sectionOf(results: [name: string, result: VadResult][], minutes: number): string {
  const series: Series[] = results.map(([name, { curve }]) => ({
    name,
    points: curve.map(({ falsePositives, recall }) => [falsePositives, recall]),
  }));
  const [, { areas: conditions }] = results[0];
  return [
    "## Voice activity",
    "",
    `${minutes.toFixed(0)} minutes of synthesised talk with exact labels: a block of 10 ms of the clean sentence within 40 dB of its loudest one is speech, and so is a hole of up to 80 ms between two. Six noises at 0, 5, 10 and 20 dB, levels from -42 to -14 dBFS; babble is six voices at once and counts as noise. Each detector is judged at the constant shift that suits it best; so the badge's look-ahead of 200 ms, which its pre-roll covers, counts apart. Onset: from the first block of speech to the first frame over the threshold (ours: the one that is provisioned by default; others: that of 10% false positives); a missed one counts as long as its speech. Where a detector has only a few steps, its recall is that of the straight line between two of them. The network was trained on synthesised voices too, with other sentences and noises.`,
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
    picture("voice-activity", {
      title: "Voice activity: synthesised talk in six noises, 0 to 20 dB",
      x: {
        label: "share of silence taken for speech",
        from: 0,
        to: 0.5,
        ticks: [0, 0.1, 0.2, 0.3, 0.4, 0.5],
      },
      y: { label: "share of speech found", from: 0.4, to: 1, ticks: [0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1] },
      series,
    }),
    "",
    "Area for each noise:",
    "",
    table(
      ["noise, dB", ...results.map(([name]) => name)],
      [...conditions.keys()].map((key) => [
        key,
        ...results.map(([, { areas }]) => (areas.get(key) as number).toFixed(3)),
      ]),
    ),
  ].join("\n");
}
