// What detectors are judged by: ROC curves over frames, delays of onsets, misses at a rate of false alarms.

/** One point of a curve: shares from 0 to 1. */
export interface RocPoint {
  falsePositives: number;
  recall: number;
  threshold: number;
}

/** @returns the curve from the strictest threshold to the loosest; equal scores move together */
export function rocCurve(scores: ArrayLike<number>, labels: ArrayLike<number>): RocPoint[] {
  const order = Array.from({ length: scores.length }, (_, i) => i).sort((a, b) => scores[b] - scores[a]);
  const positives = Array.from(labels).reduce((sum, label) => sum + label, 0);
  const negatives = labels.length - positives;
  const curve: RocPoint[] = [{ falsePositives: 0, recall: 0, threshold: Number.POSITIVE_INFINITY }];
  let hits = 0;
  let alarms = 0;
  order.forEach((at, i) => {
    if (labels[at]) hits++;
    else alarms++;
    if (i + 1 < order.length && scores[order[i + 1]] === scores[at]) return;
    curve.push({ falsePositives: alarms / negatives, recall: hits / positives, threshold: scores[at] });
  });
  return curve;
}

/** Area under a curve. */
export function areaUnder(curve: RocPoint[]): number {
  let area = 0;
  for (let i = 1; i < curve.length; i++)
    area +=
      ((curve[i].falsePositives - curve[i - 1].falsePositives) * (curve[i].recall + curve[i - 1].recall)) / 2;
  return area;
}

/** The point with the highest recall whose false positives are at most `share`. */
export function pointAt(curve: RocPoint[], share: number): RocPoint {
  return curve.reduce((best, point) => (point.falsePositives <= share ? point : best));
}

/** Recall at a share of false positives; between two points on the straight line, which tossing a coin between them would give. */
export function recallAt(curve: RocPoint[], share: number): number {
  const next = curve.findIndex(({ falsePositives }) => falsePositives > share);
  if (next < 0) return 1;
  const [low, high] = [curve[next - 1], curve[next]];
  const part = (share - low.falsePositives) / (high.falsePositives - low.falsePositives);
  return low.recall + part * (high.recall - low.recall);
}

/**
 * Delays from the onsets of speech to the first frame at or above a threshold, in frames. An onset follows at least `quietFrames` without
 * speech; one that is missed to its end counts as its whole length.
 */
export function onsetDelays(
  scores: ArrayLike<number>,
  labels: ArrayLike<number>,
  threshold: number,
  quietFrames: number,
): number[] {
  const delays: number[] = [];
  let quiet = quietFrames;
  for (let t = 0; t < labels.length; t++) {
    if (!labels[t]) {
      quiet++;
      continue;
    }
    if (quiet >= quietFrames) {
      let at = t;
      while (at < labels.length && labels[at] && scores[at] < threshold) at++;
      delays.push(at - t);
    }
    quiet = 0;
  }
  return delays;
}

/** The value that a share of the list is at or below. */
export function quantile(list: number[], share: number): number {
  const sorted = [...list].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
}

/** The highest scores at least `apart` places from each other, highest first, at most `count`. */
export function highestPeaks(scores: ArrayLike<number>, apart: number, count: number): number[] {
  const tops: number[] = [];
  for (let t = 0; t < scores.length; t++)
    if (Number.isFinite(scores[t]) && !(scores[t - 1] > scores[t]) && !(scores[t + 1] >= scores[t]))
      tops.push(t);
  tops.sort((a, b) => scores[b] - scores[a]);
  const taken: number[] = [];
  for (const t of tops) {
    if (taken.length === count) break;
    if (taken.every((other) => Math.abs(other - t) >= apart)) taken.push(t);
  }
  return taken.map((t) => scores[t]);
}

/**
 * Share of utterances missed when so many false alarms an hour are allowed.
 * @param positives best score of each utterance; -Infinity where nothing was found
 * @param peaks scores of all false alarms, highest first
 */
export function missedAtRate(
  positives: number[],
  peaks: number[],
  hours: number,
  perHour: number,
): { missed: number; threshold: number } {
  const allowed = Math.max(1, Math.round(perHour * hours));
  const threshold = peaks[allowed] ?? Number.NEGATIVE_INFINITY;
  return { missed: positives.filter((score) => !(score > threshold)).length / positives.length, threshold };
}
