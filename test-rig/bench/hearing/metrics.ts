// What the hearing benchmark computes from scores: for voice activity the ROC curve, its area, recall and onset latency; for key
// phrases the misses at a number of false alarms an hour.

/** One working point of a detector that says yes from a score on. */
export interface RocPoint {
  /** Scores of at least this are a yes. */
  threshold: number;
  /** Share of the negatives that get a yes, 0..1. */
  falsePositiveRate: number;
  /** Share of the positives that get a yes, 0..1. */
  recall: number;
}

/**
 * The ROC curve from (0, 0) to (1, 1), one point for each distinct score, so that ties are one step.
 * @param scores one for each frame, none of them NaN
 * @param labels 1 where the frame is positive, as long as `scores`
 * @throws Error when the lengths differ or a class is empty
 */
export function rocCurve(scores: ArrayLike<number>, labels: ArrayLike<number>): RocPoint[] {
  if (scores.length !== labels.length)
    throw new Error(`${scores.length} scores for ${labels.length} labels: give one for each.`);
  const order = Uint32Array.from({ length: scores.length }, (_, i) => i).sort(
    (a, b) => scores[b] - scores[a],
  );
  let positives = 0;
  for (let i = 0; i < labels.length; i++) positives += labels[i];
  const negatives = labels.length - positives;
  if (positives === 0 || negatives === 0)
    throw new Error(`${positives} positive and ${negatives} negative frames: a ROC curve needs both.`);
  const points: RocPoint[] = [{ threshold: Number.POSITIVE_INFINITY, falsePositiveRate: 0, recall: 0 }];
  let hits = 0;
  for (let i = 0; i < order.length; i++) {
    hits += labels[order[i]];
    const threshold = scores[order[i]];
    if (i + 1 < order.length && scores[order[i + 1]] === threshold) continue;
    points.push({ threshold, falsePositiveRate: (i + 1 - hits) / negatives, recall: hits / positives });
  }
  return points;
}

/** @returns the area under a ROC curve, 0..1; a tie counts half */
export function areaUnder(curve: RocPoint[]): number {
  let area = 0;
  for (let i = 1; i < curve.length; i++) {
    const { falsePositiveRate, recall } = curve[i];
    area += ((falsePositiveRate - curve[i - 1].falsePositiveRate) * (recall + curve[i - 1].recall)) / 2;
  }
  return area;
}

/** @returns the curve's recall at a false positive rate, between two points on the straight line */
export function recallAt(curve: RocPoint[], falsePositiveRate: number): number {
  const after = curve.findIndex((point) => point.falsePositiveRate > falsePositiveRate);
  if (after < 0) return 1;
  const [low, high] = [curve[after - 1], curve[after]];
  const share =
    (falsePositiveRate - low.falsePositiveRate) / (high.falsePositiveRate - low.falsePositiveRate);
  return low.recall + share * (high.recall - low.recall);
}

/** @returns the lowest threshold whose false positive rate is at most `falsePositiveRate` */
export function thresholdAt(curve: RocPoint[], falsePositiveRate: number): number {
  const after = curve.findIndex((point) => point.falsePositiveRate > falsePositiveRate);
  return curve[after < 0 ? curve.length - 1 : after - 1].threshold;
}

/** How long a detector takes to notice that speech has begun. */
export interface OnsetLatency {
  /** Of the onsets that were noticed, ms. */
  latenciesMs: number[];
  /** Onsets whose speech was over, or went on for a second, without a yes. */
  missed: number;
}

/** An onset counts after this much without speech. */
const QUIET_BEFORE_MS = 300;
const NOTICE_WITHIN_MS = 1000;

/**
 * Latency from each onset of speech to the first frame with a yes, 0 if the yes was there already.
 * @param decisions 1 for yes, on the same grid as `labels`
 */
export function onsetLatency(
  decisions: ArrayLike<number>,
  labels: ArrayLike<number>,
  frameMs: number,
): OnsetLatency {
  const result: OnsetLatency = { latenciesMs: [], missed: 0 };
  let quiet = 0;
  for (let i = 0; i < labels.length; i++) {
    if (!labels[i]) {
      quiet++;
      continue;
    }
    const isOnset = quiet * frameMs >= QUIET_BEFORE_MS;
    quiet = 0;
    if (!isOnset) continue;
    let at = i;
    while (at < labels.length && !decisions[at] && labels[at] && (at - i) * frameMs < NOTICE_WITHIN_MS) at++;
    if (decisions[at]) result.latenciesMs.push((at - i) * frameMs);
    else result.missed++;
  }
  return result;
}

/** @returns the value below which `share` (0..1) of the values lie, nearest rank; NaN if there are none */
export function quantile(values: number[], share: number): number {
  if (values.length === 0) return Number.NaN;
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(share * sorted.length) - 1))];
}

/** A detector's hearing of one phrase. */
export interface Detection {
  /** When the phrase was over, ms from the stream's start. */
  endMs: number;
  /** The higher the surer. */
  score: number;
}

/** Where a phrase is spoken. */
export interface Span {
  startMs: number;
  endMs: number;
}

/** A phrase's detections held against where it was spoken. */
export interface PhraseScores {
  /** The best score in each span, -Infinity where nothing was heard. */
  spoken: number[];
  /** Scores outside all spans, highest first. */
  falseAlarms: number[];
  /** Hours of the stream without the spans. */
  otherHours: number;
}

/** A detection may end this long after the span: the span ends with the sound, a detector with the next frame. */
const SPAN_SLACK_MS = 300;

/** @param spans where the phrase is spoken, in order, not overlapping */
export function scorePhrase(detections: Detection[], spans: Span[], streamMs: number): PhraseScores {
  const spoken = spans.map(() => Number.NEGATIVE_INFINITY);
  const falseAlarms: number[] = [];
  let span = 0;
  for (const { endMs, score } of [...detections].sort((a, b) => a.endMs - b.endMs)) {
    while (span < spans.length && spans[span].endMs + SPAN_SLACK_MS < endMs) span++;
    if (span < spans.length && spans[span].startMs <= endMs) spoken[span] = Math.max(spoken[span], score);
    else falseAlarms.push(score);
  }
  const spokenMs = spans.reduce((sum, { startMs, endMs }) => sum + endMs - startMs, 0);
  falseAlarms.sort((a, b) => b - a);
  return { spoken, falseAlarms, otherHours: (streamMs - spokenMs) / 3_600_000 };
}

/** @returns the score that must be exceeded so that at most `allowed` false alarms remain */
export function thresholdForFalseAlarms({ falseAlarms }: PhraseScores, allowed: number): number {
  return falseAlarms.length > allowed ? falseAlarms[allowed] : Number.NEGATIVE_INFINITY;
}

/** @returns share of the spoken phrases that are missed with at most `allowed` false alarms, 0..1 */
export function missWithFalseAlarms(scores: PhraseScores, allowed: number): number {
  const threshold = thresholdForFalseAlarms(scores, allowed);
  return scores.spoken.filter((score) => score <= threshold).length / scores.spoken.length;
}

/** @returns false alarms allowed at a rate: the nearest whole number, at least 1 */
export function allowedFalseAlarms({ otherHours }: PhraseScores, perHour: number): number {
  return Math.max(1, Math.round(perHour * otherHours));
}
