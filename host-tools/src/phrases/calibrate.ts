// Finds a phrase's threshold: the score that other talk exceeds as often as the user allows. The badge's own decoder runs over the
// background; the highest scores, at least a second apart, are its false alarms at every possible threshold. Above the highest of them the rate
// falls off exponentially (the tail of a maximum of many paths), so an hour of background is enough for less than one an hour.
import { PHONE_CLASSES, PHRASE_THRESHOLD_MIN, PronunciationPaths } from "@salestag/protocol";

/** What the background says about a phrase. */
export interface Calibration {
  /** 1/1024 nat. */
  threshold: number;
  /** Share of the phrase's own utterances, clear and near, that this threshold misses: an estimate. */
  missed: number;
}

const TICKS_PER_HOUR = 25 * 3600;
/** Peaks closer than this are one. */
const APART_TICKS = 25;
/** The tail is fitted to so many of the highest peaks. */
const TAIL_PEAKS = 24;
const SCORE_NONE = -0x7fffffff;

/**
 * Shares of utterances of key phrases by real speakers, near and without noise, that score below given scores (nats). Measured with
 * `npm run bench:hearing`, docs/benchmarks/hearing.md.
 */
const SPOKEN_SCORES: [share: number, nats: number][] = [
  [0.02, -3.42],
  [0.05, -3.18],
  [0.25, -2.48],
  [0.5, -1.94],
  [0.75, -1.46],
  [0.95, -1.06],
];

/** Best score of any pronunciation at each tick, 1/1024 nat. */
function scoresOf(pronunciations: string[], background: Buffer): Int32Array {
  const ticks = background.length / PHONE_CLASSES;
  const scores = new Int32Array(ticks).fill(SCORE_NONE);
  const paths = new PronunciationPaths(pronunciations);
  for (let tick = 0; tick < ticks; tick++)
    for (let p = 0; p < pronunciations.length; p++)
      if (paths.step(p, background, tick * PHONE_CLASSES, tick))
        scores[tick] = Math.max(scores[tick], paths.score(p));
  return scores;
}

/** The highest scores, at least a second apart, highest first. */
function highestPeaks(scores: Int32Array, count: number): number[] {
  const isTop = (t: number) =>
    scores[t] >= (scores[t - 1] ?? SCORE_NONE) && scores[t] > (scores[t + 1] ?? SCORE_NONE);
  const order = [...scores.keys()]
    .filter((t) => scores[t] > SCORE_NONE && isTop(t))
    .sort((a, b) => scores[b] - scores[a]);
  const taken: number[] = [];
  for (const t of order) {
    if (taken.length === count) break;
    if (taken.every((other) => Math.abs(other - t) >= APART_TICKS)) taken.push(t);
  }
  return taken.map((t) => scores[t]);
}

/** Share of a phrase's utterances that score below a threshold, by the measured scores, in between by straight lines. */
export function missedAt(threshold: number): number {
  const nats = threshold / 1024;
  const [first] = SPOKEN_SCORES;
  if (nats <= first[1]) return first[0];
  for (let i = 1; i < SPOKEN_SCORES.length; i++) {
    const [share, score] = SPOKEN_SCORES[i];
    const [shareBefore, scoreBefore] = SPOKEN_SCORES[i - 1];
    if (nats <= score)
      return shareBefore + ((share - shareBefore) * (nats - scoreBefore)) / (score - scoreBefore);
  }
  return 1;
}

/**
 * @param pronunciations in the badge's form
 * @param background posterior vectors, 40 bytes each
 * @param falseAlarmsPerHour of continuous talk, above 0
 */
export function calibrate(
  pronunciations: string[],
  background: Buffer,
  falseAlarmsPerHour: number,
): Calibration {
  const hours = background.length / PHONE_CLASSES / TICKS_PER_HOUR;
  const wanted = falseAlarmsPerHour * hours;
  const peaks = highestPeaks(
    scoresOf(pronunciations, background),
    Math.max(TAIL_PEAKS, Math.ceil(wanted) + 1),
  );
  if (peaks.length <= Math.max(wanted, 2))
    return { threshold: PHRASE_THRESHOLD_MIN, missed: missedAt(PHRASE_THRESHOLD_MIN) };
  let threshold: number;
  if (wanted >= TAIL_PEAKS) threshold = peaks[Math.floor(wanted)];
  else {
    const lowest = peaks[Math.min(TAIL_PEAKS, peaks.length) - 1];
    const above = peaks.slice(0, TAIL_PEAKS - 1);
    const spread = above.reduce((sum, peak) => sum + peak - lowest, 0) / above.length;
    threshold = lowest + spread * Math.log(above.length / wanted);
  }
  threshold = Math.max(PHRASE_THRESHOLD_MIN, Math.min(0, Math.round(threshold)));
  return { threshold, missed: missedAt(threshold) };
}
