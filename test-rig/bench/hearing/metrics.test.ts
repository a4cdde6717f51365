// The benchmark's own arithmetic, on cases whose answers are known.
import assert from "node:assert/strict";
import fc from "fast-check";
import { labelBlocks, speechEnd } from "./labels";
import {
  areaUnder,
  highestPeaks,
  missedAtRate,
  onsetDelays,
  pointAt,
  quantile,
  recallAt,
  rocCurve,
} from "./metrics";
import { CONDITIONS, LONG_PHRASES, makeStream } from "./phrases";
import { type Chart, escapeXml, lineChart } from "./plot";
import { Seeded } from "./random";
import { sentence } from "./sentences";
import { rms } from "./sound";

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

  for (const [share, recall] of [
    [0, 0.5],
    [0.25, 0.75],
    [1, 1],
  ])
    it(`recall between two steps is on the straight line (${share})`, () => {
      assert.equal(recallAt(rocCurve([3, 2, 2, 1], [1, 1, 0, 0]), share), recall);
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

  const block = (level: number, count: number) => new Array<number>(160 * count).fill(level);
  const labelsOf = (...parts: number[][]) => [...labelBlocks(Float32Array.from(parts.flat()))];

  for (const [level, label] of [
    [0.0099, 0],
    [0.0101, 1],
  ])
    it(`labels: 40 dB below the loudest block is the border (${level} of 1)`, () => {
      assert.equal(labelsOf(block(1, 1), block(0, 9), block(level, 1)).at(-1), label);
    });

  for (const hole of [7, 8, 9])
    it(`labels: a hole of ${10 * hole} ms is ${hole <= 8 ? "bridged" : "left"}, quiet ends stay`, () => {
      const labels = labelsOf(block(0, 1), block(1, 1), block(0, hole), block(1, 1), block(0, 2));
      assert.deepEqual(labels, [0, 1, ...Array(hole).fill(hole <= 8 ? 1 : 0), 1, 0, 0]);
    });

  it("labels: speech ends with its last block, silence has none", () => {
    assert.equal(speechEnd(Float32Array.from([...block(0, 2), ...block(1, 3), ...block(0, 4)])), 5 * 160);
    assert.equal(speechEnd(new Float32Array(800)), 0);
  });

  it("sentences: the same from the same seed, without an open slot, of many kinds, and none holds a key phrase", () => {
    const spoken = (seed: number) => {
      const random = new Seeded(seed);
      return Array.from({ length: 500 }, () => sentence(random));
    };
    assert.deepEqual(spoken(3), spoken(3));
    assert.notDeepEqual(spoken(3), spoken(4));
    assert.ok(new Set(spoken(3)).size > 300);
    for (const text of spoken(3)) {
      assert.match(text, /^[A-Za-z', ]+$/);
      for (const phrase of [...LONG_PHRASES, "alexa", "computer", "jarvis"])
        assert.ok(!text.includes(phrase), text);
    }
  });

  it("clips: the same seed gives the same stream in the same order, noise is added and nothing moved", () => {
    const tone = (hz: number) =>
      Float32Array.from({ length: 8000 }, (_, i) => 0.1 * Math.sin((2 * Math.PI * hz * i) / 16000));
    const sounds = {
      words: ["a"],
      sounds: [200, 300, 400].map((hz) => ({ phrase: hz === 300 ? "a" : undefined, samples: tone(hz) })),
      voices: [tone(500), tone(600)],
      unreadable: 0,
    };
    for (const condition of CONDITIONS) {
      const stream = makeStream(sounds, condition, 9);
      assert.deepEqual(stream, makeStream(sounds, condition, 9));
      assert.notDeepEqual(stream.pcm, makeStream(sounds, condition, 10).pcm);
      assert.deepEqual(
        stream.clips.map(({ phrase, samples, speechSamples }) => [phrase, samples, speechSamples]),
        [
          [undefined, 8000, 8000],
          ["a", 8000, 8000],
          [undefined, 8000, 8000],
        ],
      );
    }
    const [clean, babble, pink] = CONDITIONS.map((condition) => makeStream(sounds, condition, 9));
    for (const noisy of [babble, pink]) {
      assert.deepEqual(noisy.clips, clean.clips);
      const noise = Float32Array.from(noisy.pcm, (sample, i) => (sample - clean.pcm[i]) / 32768);
      const levelDb = 20 * Math.log10(rms(noise) / (0.1 / Math.SQRT2));
      assert.ok(Math.abs(levelDb + 10) < 0.5, `${levelDb} dB`);
    }
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

  const axis = { label: "x", from: 0, to: 1, ticks: [0, 1] };
  const chart = (name: string, y: Chart["y"], points: [number, number][]): string =>
    lineChart({ title: name, x: { ...axis, label: name }, y, series: [{ name, points }] });

  it("picture: escapes every character that means something in SVG", () => {
    assert.equal(escapeXml(`a<b>&"c"'`), "a&lt;b&gt;&amp;&quot;c&quot;&#39;");
  });

  it("picture: names that look like markup stay words", () => {
    const svg = chart("</text><script>&", axis, [[0, 0]]);
    assert.ok(!svg.includes("<script>"));
    assert.equal(
      svg.split("&lt;/text&gt;&lt;script&gt;&amp;").length - 1,
      4,
      "title, heading, axis and legend",
    );
  });

  it("picture: points lie where the axes say, linear and logarithmic", () => {
    const log = { label: "y", from: 1, to: 100, ticks: [1, 10, 100], log: true };
    const points: [number, number][] = [
      [0, 1],
      [0.5, 10],
      [1, 100],
    ];
    assert.match(chart("s", log, points), /d="M70\.0 394\.0L295\.0 219\.0L520\.0 44\.0"/);
  });

  it("picture: a dashed line has the colour of the line before it", () => {
    const series = [
      { name: "a", points: [] },
      { name: "b", points: [], isDashed: true },
      { name: "c", points: [] },
    ];
    const colours = [...lineChart({ title: "t", x: axis, y: axis, series }).matchAll(/clip-path/g)];
    assert.equal(colours.length, 3);
    const strokes = [
      ...lineChart({ title: "t", x: axis, y: axis, series }).matchAll(/stroke="(#\w{6})" stroke-width="2"/g),
    ].map(([, colour]) => colour);
    assert.equal(strokes[0], strokes[2]);
    assert.notEqual(strokes[0], strokes[4]);
  });
});
