// The benchmark's own arithmetic, on cases whose answers are known.
import assert from "node:assert/strict";
import fc from "fast-check";
import { areaUnder, highestPeaks, missedAtRate, onsetDelays, pointAt, quantile, rocCurve } from "./metrics";
import { plotSvg } from "./plot";
import { Seeded } from "./random";
import { labelBlocks } from "./vad";

describe("hearing benchmark", () => {
  const areas: [name: string, scores: number[], labels: number[], area: number][] = [
    ["apart", [1, 2, 3, 4], [0, 0, 1, 1], 1],
    ["the wrong way round", [4, 3, 2, 1], [0, 0, 1, 1], 0],
    ["all equal", [1, 1, 1, 1], [0, 1, 0, 1], 0.5],
    ["one pair of four wrong", [1, 3, 2, 4], [0, 0, 1, 1], 0.75],
  ];
  for (const [name, scores, labels, area] of areas)
    it(`ROC: area of scores that are ${name} is ${area}`, () => {
      assert.equal(areaUnder(rocCurve(scores, labels)), area);
    });

  it("ROC: area is the share of pairs in the right order, ties half (any scores)", () => {
    const any = fc.array(fc.tuple(fc.nat(6), fc.boolean()), { minLength: 2, maxLength: 40 });
    fc.assert(
      fc.property(any, (list) => {
        const yes = list.filter(([, label]) => label).map(([score]) => score);
        const no = list.filter(([, label]) => !label).map(([score]) => score);
        fc.pre(yes.length > 0 && no.length > 0);
        const pairs = yes.flatMap((a) => no.map((b) => (a > b ? 1 : a === b ? 0.5 : 0)));
        const wanted = pairs.reduce<number>((sum, pair) => sum + pair, 0) / pairs.length;
        const curve = rocCurve(
          list.map(([score]) => score),
          list.map(([, label]) => (label ? 1 : 0)),
        );
        assert.ok(Math.abs(areaUnder(curve) - wanted) < 1e-9);
      }),
    );
  });

  it("recall at a share of false positives never exceeds the share", () => {
    const curve = rocCurve([9, 8, 7, 6, 5, 4, 3, 2, 1, 0], [1, 1, 0, 1, 0, 1, 0, 0, 0, 0]);
    assert.deepEqual(pointAt(curve, 0.1), { falsePositives: 0, recall: 0.5, threshold: 8 });
    assert.equal(pointAt(curve, 0.2).recall, 0.75);
  });

  it("onsets: late by frames below the threshold; a missed one counts whole; a short pause makes none", () => {
    const labels = [0, 0, 0, 1, 1, 1, 0, 1, 1, 0, 0, 0, 1, 1];
    const scores = [0, 0, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 1, 1];
    assert.deepEqual(onsetDelays(scores, labels, 5, 3), [2, 2]);
  });

  it("false alarms: peaks lie apart, a plateau is one", () => {
    assert.deepEqual(
      highestPeaks([0, 5, 5, 0, 4, 0, 0, 3, 0], 3, 9),
      [5, 4, 3].filter((p) => p !== 4),
    );
    assert.deepEqual(highestPeaks([0, 5, 0, 4, 0, 3, 0], 2, 2), [5, 4]);
  });

  it("misses: the threshold is the first false alarm that is not allowed", () => {
    const positives = [1, 2, 3, Number.NEGATIVE_INFINITY];
    assert.deepEqual(missedAtRate(positives, [9, 2.5, 1.5], 1, 1), { missed: 0.75, threshold: 2.5 });
    assert.equal(missedAtRate(positives, [9, 2.5, 1.5], 1, 2).missed, 0.5);
    assert.equal(
      missedAtRate(positives, [9], 1, 5).missed,
      0.25,
      "found at any score, but for the one never found",
    );
  });

  it("quantiles of a list in any order", () => {
    assert.equal(quantile([3, 1, 2], 0.5), 2);
    assert.equal(quantile([3, 1, 2], 1), 3);
  });

  it("labels: quiet ends are no speech, holes of 80 ms are bridged, longer ones are not", () => {
    const block = (level: number, count: number) => new Array<number>(160 * count).fill(level);
    const clean = Float32Array.from([
      ...block(0.001, 3),
      ...block(0.5, 4),
      ...block(0, 7),
      ...block(0.5, 2),
      ...block(0, 9),
      ...block(0.4, 1),
    ]);
    const labels = [...labelBlocks(clean)];
    assert.deepEqual(labels, [...Array(3).fill(0), ...Array(13).fill(1), ...Array(9).fill(0), 1]);
  });

  it("chance: the same seed gives the same numbers, from 0 up to 1", () => {
    const [a, b] = [new Seeded(3), new Seeded(3)];
    const draws = Array.from({ length: 500 }, () => a.next());
    assert.deepEqual(
      draws,
      Array.from({ length: 500 }, () => b.next()),
    );
    assert.ok(draws.every((draw) => draw >= 0 && draw < 1));
    assert.ok(Math.abs(draws.reduce((sum, draw) => sum + draw, 0) / 500 - 0.5) < 0.05);
  });

  it("picture: names are escaped, points beyond the axes are cut to them", () => {
    const svg = plotSvg({
      title: "a < b & c",
      xLabel: "x",
      yLabel: "y",
      xMax: 1,
      yMax: 1,
      curves: [
        {
          name: 'say "hi"',
          points: [
            [0, 0],
            [5, 9],
          ],
        },
      ],
    });
    assert.ok(svg.includes("a &lt; b &amp; c") && svg.includes("say &quot;hi&quot;"));
    assert.ok(svg.includes("M64.0,368.0L624.0,40.0"));
  });
});
