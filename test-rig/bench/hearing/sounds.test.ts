// Labels, noises and charts of the hearing benchmark.
import assert from "node:assert/strict";
import { Random } from "../../src/emulator/random";
import { activeRms, LABEL_SAMPLES, speechLabels } from "./labels";
import { escapeXml, lineChart } from "./plot";
import { makeNoise, mixInto, rms, shuffled, toFloat, toInt16 } from "./signal";

/** Steps of 10 ms, each of one amplitude. */
const steps = (...amplitudes: number[]): Float32Array =>
  Float32Array.from(amplitudes.flatMap((amplitude) => Array(LABEL_SAMPLES).fill(amplitude)));

describe("hearing benchmark: speech labels", () => {
  for (const [amplitude, label] of [
    [0.0099, 0],
    [0.0101, 1],
  ])
    it(`40 dB below the utterance's peak is the border (${amplitude} of 1)`, () =>
      assert.deepEqual([...speechLabels(steps(1, ...Array(9).fill(0), amplitude))].at(-1), label));

  for (const gap of [7, 8, 9])
    it(`a gap of ${gap * 10} ms is ${gap <= 8 ? "closed" : "left open"}`, () => {
      const labels = [...speechLabels(steps(0, 1, ...Array(gap).fill(0), 1, 0))];
      assert.deepEqual(labels, [0, 1, ...Array(gap).fill(gap <= 8 ? 1 : 0), 1, 0]);
    });

  it("the active level leaves pauses out", () => {
    assert.equal(activeRms(steps(0.5, 0.5, ...Array(20).fill(0))), 0.5);
    assert.equal(activeRms(new Float32Array(100)), 0);
  });
});

describe("hearing benchmark: noises", () => {
  for (const kind of ["pink", "car", "street", "wind", "music"] as const)
    it(`${kind}: RMS 1, the same from the same seed, another from another`, () => {
      const noise = makeNoise(kind, 16_000, new Random(7));
      assert.ok(Math.abs(rms(noise) - 1) < 1e-5);
      assert.deepEqual(noise, makeNoise(kind, 16_000, new Random(7)));
      assert.notDeepEqual(noise, makeNoise(kind, 16_000, new Random(8)));
    });

  it("mixing leaves out what lies outside", () => {
    const target = new Float32Array(4);
    mixInto(target, Float32Array.of(1, 2, 3), 2, -1);
    mixInto(target, Float32Array.of(1, 2, 3), 1, 3);
    assert.deepEqual([...target], [4, 6, 0, 1]);
  });

  it("16 bits: saturates, and comes back unchanged", () => {
    assert.deepEqual([...toInt16(Float32Array.of(2, -2, 0.5))], [32767, -32768, 16384]);
    const samples = Int16Array.of(-32768, -1, 0, 1, 32767);
    assert.deepEqual(toInt16(toFloat(samples)), samples);
  });

  it("shuffling keeps every item", () => {
    const items = Array.from({ length: 50 }, (_, i) => i);
    const order = shuffled(new Random(3), items);
    assert.notDeepEqual(order, items);
    assert.deepEqual(
      [...order].sort((a, b) => a - b),
      items,
    );
  });
});

describe("hearing benchmark: charts", () => {
  const axis = { label: "x", from: 0, to: 1, ticks: [0, 1] };

  it("escapes every character that means something in SVG", () => {
    assert.equal(escapeXml(`a<b>&"c"'`), "a&lt;b&gt;&amp;&quot;c&quot;&#39;");
  });

  it("names that look like markup stay words", () => {
    const hostile = "</text><script>&";
    const svg = lineChart({
      title: hostile,
      x: { ...axis, label: hostile },
      y: axis,
      series: [{ name: hostile, points: [[0, 0]] }],
    });
    assert.ok(!svg.includes("<script>"));
    assert.equal(svg.split("&lt;/text&gt;&lt;script&gt;&amp;").length - 1, 4); // twice the title
  });

  it("points land where the axes say, linear and logarithmic", () => {
    const log = { label: "y", from: 1, to: 100, ticks: [1, 10, 100], log: true };
    const svg = lineChart({
      title: "t",
      x: axis,
      y: log,
      series: [
        {
          name: "s",
          points: [
            [0, 1],
            [0.5, 10],
            [1, 100],
          ],
        },
      ],
    });
    assert.match(svg, /d="M70\.0 394\.0L295\.0 219\.0L520\.0 44\.0"/);
  });
});
