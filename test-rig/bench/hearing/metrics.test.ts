// The benchmark's arithmetic on cases whose answer is known by hand.
import assert from "node:assert/strict";
import {
  allowedFalseAlarms,
  areaUnder,
  missWithFalseAlarms,
  onsetLatency,
  quantile,
  recallAt,
  rocCurve,
  scorePhrase,
  thresholdAt,
} from "./metrics";

describe("hearing benchmark: ROC", () => {
  const cases: [string, number[], number[], number][] = [
    ["perfect order", [4, 3, 2, 1], [1, 1, 0, 0], 1],
    ["reversed order", [1, 2, 3, 4], [1, 1, 0, 0], 0],
    ["one pair of four wrong", [4, 2, 3, 1], [1, 1, 0, 0], 0.75],
    ["all tied", [5, 5, 5, 5], [1, 0, 1, 0], 0.5],
    ["a tie counts half", [3, 2, 2, 1], [1, 1, 0, 0], 0.875],
  ];
  for (const [name, scores, labels, area] of cases)
    it(`area: ${name} (${area})`, () => assert.equal(areaUnder(rocCurve(scores, labels)), area));

  it("recall at a false positive rate lies on the line between two points", () => {
    const curve = rocCurve([3, 2, 2, 1], [1, 1, 0, 0]);
    assert.equal(recallAt(curve, 0), 0.5);
    assert.equal(recallAt(curve, 0.25), 0.75);
    assert.equal(recallAt(curve, 1), 1);
  });

  it("threshold: the lowest that keeps the false positive rate", () => {
    const curve = rocCurve([5, 4, 3, 2, 1], [1, 0, 1, 0, 1]);
    assert.equal(thresholdAt(curve, 0.49), 5);
    assert.equal(thresholdAt(curve, 0.5), 3);
    assert.equal(thresholdAt(curve, 1), 1);
  });

  it("refused: one class only, lengths that differ", () => {
    assert.throws(() => rocCurve([1, 2], [1, 1]), /2 positive and 0 negative/);
    assert.throws(() => rocCurve([1, 2], [1]), /2 scores for 1 labels/);
  });
});

describe("hearing benchmark: onset latency", () => {
  const stretch = (...parts: [number, number][]) =>
    parts.flatMap(([value, count]) => Array(count).fill(value));

  it("counts from the onset, 0 when the yes was there already", () => {
    const labels = stretch([0, 30], [1, 20], [0, 30], [1, 20]);
    const decisions = stretch([0, 34], [1, 16], [0, 28], [1, 22]);
    assert.deepEqual(onsetLatency(decisions, labels, 10), { latenciesMs: [40, 0], missed: 0 });
  });

  for (const [quiet, onsets] of [
    [29, 0],
    [30, 1],
    [31, 1],
  ])
    it(`an onset needs 300 ms of quiet (${quiet} steps of 10 ms)`, () => {
      const labels = stretch([0, quiet], [1, 5]);
      assert.equal(onsetLatency(labels, labels, 10).latenciesMs.length, onsets);
    });

  it("missed: speech that ends, or lasts a second, without a yes", () => {
    const labels = stretch([0, 30], [1, 5], [0, 30], [1, 150]);
    const late = stretch([0, 35], [0, 30], [0, 101], [1, 49]);
    assert.deepEqual(onsetLatency(late, labels, 10), { latenciesMs: [], missed: 2 });
  });
});

describe("hearing benchmark: key phrases", () => {
  const spans = [
    { startMs: 1000, endMs: 2000 },
    { startMs: 5000, endMs: 6000 },
  ];
  const detections = [
    { endMs: 500, score: 3 },
    { endMs: 1500, score: 2 },
    { endMs: 1900, score: 4 },
    { endMs: 4000, score: 1 },
    { endMs: 6300, score: 2 },
    { endMs: 6301, score: 5 },
  ];

  it("the best score of a span counts, everything else is a false alarm", () => {
    const scores = scorePhrase(detections, spans, 3_602_000);
    assert.deepEqual(scores, { spoken: [4, 2], falseAlarms: [5, 3, 1], otherHours: 1 });
  });

  for (const [allowed, miss] of [
    [0, 1],
    [1, 0.5],
    [2, 0],
    [3, 0],
  ])
    it(`miss with ${allowed} false alarms allowed is ${miss}`, () =>
      assert.equal(missWithFalseAlarms(scorePhrase(detections, spans, 10_000), allowed), miss));

  it("a span without any detection is missed even when every false alarm is allowed", () => {
    assert.equal(missWithFalseAlarms(scorePhrase([], spans, 10_000), 5), 1);
  });

  for (const [hours, perHour, allowed] of [
    [0.2, 1, 1],
    [2.4, 1, 2],
    [2.4, 5, 12],
  ])
    it(`allowed false alarms: ${perHour} an hour in ${hours} hours are ${allowed}`, () =>
      assert.equal(allowedFalseAlarms({ spoken: [], falseAlarms: [], otherHours: hours }, perHour), allowed));

  it("quantile: nearest rank", () => {
    assert.deepEqual(
      [0, 0.5, 0.9, 1].map((share) => quantile([40, 10, 30, 20], share)),
      [10, 20, 40, 40],
    );
    assert.ok(Number.isNaN(quantile([], 0.5)));
  });
});
