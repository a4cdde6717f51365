// The network in the compiled front end against a double-precision model (network.reference.ts), with seeded weights and with the
// trained ones. Tolerances: inputs, activations and logits exact (seen through the speech bytes); posterior bytes exact but where the
// unrounded value lies within 3/256 nat of a rounding edge, then 1; tilt 1, contrast exact.

import assert from "node:assert/strict";
import { compileFrontEnd } from "./build";
import { readNetwork } from "./built";
import { FLAG_POSTERIORS, FrontEnd, HOP_SAMPLES, LOOK_AHEAD_HOPS } from "./front-end";
import { seededNetwork, withHead } from "./network.fixture";
import { cuesOf, inputsOf, logitsOf, readNumbers, relativeLogPosteriors } from "./network.reference";

const EDGE_NATS = 3 / 256;

/** Bursts of buzz and noise at changing level: speech-like enough to open the mean's gate, and quiet between. */
function syllables(hops: number, gain = 1): Int16Array {
  let state = 9;
  return Int16Array.from({ length: hops * HOP_SAMPLES }, (_, n) => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    const loud = Math.max(0, Math.sin((2 * Math.PI * n) / 5200)) * (n % 16000 < 11000 ? 1 : 0.01);
    const phase = (n * (110 + 40 * Math.sin(n / 9000))) / 16000;
    const buzz = 2 * (phase - Math.floor(phase)) - 1;
    return Math.round(
      gain * (9000 * loud * buzz + (n % 3700 < 600 ? 0.3 : 0.002) * (state / 2 ** 31) * 9000),
    );
  });
}

interface Hop {
  flags: number;
  level: number;
  bands: number[];
  speech: number;
  tilt: number;
  contrast: number;
  posteriors: number[];
}

function run(frontEnd: FrontEnd, samples: Int16Array): Hop[] {
  return Array.from({ length: samples.length / HOP_SAMPLES }, (_, hop) => {
    const bytes = [...frontEnd.process(samples.subarray(hop * HOP_SAMPLES, (hop + 1) * HOP_SAMPLES))];
    const [speech, tilt, contrast] = bytes.slice(28, 31);
    const posteriors = bytes.slice(32);
    return {
      flags: bytes[0],
      level: bytes[1],
      bands: bytes.slice(4, 28),
      speech,
      tilt,
      contrast,
      posteriors,
    };
  });
}

const clamp = (low: number, value: number, high: number) => Math.max(low, Math.min(value, high));

function assertLikeModel(network: Uint8Array, hops: Hop[]): { edges: number; spread: Set<number> } {
  const numbers = readNumbers(network);
  const logits = logitsOf(
    inputsOf(
      hops.map(({ bands }) => bands),
      numbers.startMean,
    ),
    numbers,
  );
  let edges = 0;
  const spread = new Set<number>();
  logits.forEach((pair, k) => {
    const at = 2 * k + LOOK_AHEAD_HOPS;
    for (const second of [0, 1]) {
      const wanted = clamp(1, 128 + Math.floor((pair[40 + second] + 8) / 16), 255);
      const got = hops[at + second]?.speech ?? wanted;
      assert.equal(got, wanted, `speech of hop ${2 * k + second}`);
    }
    relativeLogPosteriors(pair, numbers).forEach((nats, c) => {
      const got = hops[at].posteriors[c];
      spread.add(got);
      const wanted = clamp(0, Math.floor(4 * (2 - nats) + 0.5), 31);
      if (got === wanted) return;
      edges++;
      const fromEdge = Math.abs(4 * (2 - nats) - (Math.min(got, wanted) + 0.5)) / 4;
      assert.ok(
        Math.abs(got - wanted) === 1 && fromEdge <= EDGE_NATS,
        `class ${c} of pair ${k}: ${got}, not ${wanted}`,
      );
    });
  });
  return { edges, spread };
}

describe("front end: network", () => {
  let wasm: Uint8Array<ArrayBuffer>;

  before(async () => {
    wasm = await compileFrontEnd();
  });

  const networks: [string, () => Uint8Array][] = [
    ["seed 1", () => seededNetwork(1)],
    ["seed 2", () => seededNetwork(2)],
    ["seed 3, everything saturates", () => seededNetwork(3, 60)],
    ["the trained one", readNetwork],
  ];
  for (const [name, make] of networks) {
    it(`network: agrees with double precision over 4 s (${name})`, () => {
      const network = make();
      const hops = run(FrontEnd.load({ wasm, network }), syllables(200));
      const { edges } = assertLikeModel(network, hops);
      assert.ok(edges < 0.005 * 95 * 40, `${edges} bytes lay at a rounding edge`);
    });
  }

  it("network: the trained one's bytes use their range", () => {
    const network = readNetwork();
    const { spread } = assertLikeModel(network, run(FrontEnd.load({ wasm, network }), syllables(120)));
    assert.ok(spread.size > 15, `${spread.size} different posterior bytes`);
  });

  it("network: the loudest and the quietest input agree with double precision", () => {
    const network = seededNetwork(4);
    const frontEnd = FrontEnd.load({ wasm, network });
    assertLikeModel(network, run(frontEnd, syllables(60, 3.6)));
    frontEnd.reset();
    assertLikeModel(network, run(frontEnd, new Int16Array(60 * HOP_SAMPLES)));
  });

  it("frame: posteriors in even frames from 10 on, speech in all from 10 on", () => {
    const hops = run(FrontEnd.load({ wasm, network: readNetwork() }), syllables(40));
    hops.forEach(({ flags, posteriors, speech }, hop) => {
      const wanted = hop >= LOOK_AHEAD_HOPS && hop % 2 === 0;
      assert.equal((flags & FLAG_POSTERIORS) !== 0, wanted, `flag of hop ${hop}`);
      assert.equal(posteriors.length, wanted ? 40 : 0, `posteriors of hop ${hop}`);
      assert.equal(speech > 0, hop >= LOOK_AHEAD_HOPS, `speech of hop ${hop}`);
      assert.ok(posteriors.every((byte) => byte <= 31));
    });
  });

  it("cues: agree with double precision (tilt 1 unit, contrast exact)", () => {
    const hops = run(FrontEnd.load({ wasm, network: readNetwork() }), syllables(150));
    const levels = hops.map(({ level }) => level);
    const bands = hops.map((hop) => hop.bands);
    hops.forEach(({ tilt, contrast }, hop) => {
      const model = cuesOf(levels, bands, hop);
      assert.ok(Math.abs(tilt - clamp(0, model.tilt, 255)) <= 1, `tilt of hop ${hop}`);
      assert.equal(contrast, model.contrast, `contrast of hop ${hop}`);
    });
  });

  it("module: runs, instances and resets agree bit for bit", () => {
    const files = { wasm, network: readNetwork() };
    const samples = syllables(120);
    const frontEnd = FrontEnd.load(files);
    const first = run(frontEnd, samples);
    assert.deepEqual(run(FrontEnd.load(files), samples), first);
    frontEnd.reset();
    assert.deepEqual(run(frontEnd, samples), first);
  });
});

describe("front end: network file", () => {
  let wasm: Uint8Array<ArrayBuffer>;
  const good = seededNetwork(5);

  before(async () => {
    wasm = await compileFrontEnd();
  });

  const damages: [string, () => Uint8Array, RegExp][] = [
    ["empty", () => new Uint8Array(0), /at least 16 bytes, not 0/],
    ["15 bytes", () => good.subarray(0, 15), /at least 16 bytes, not 15/],
    [
      "another magic",
      () => Buffer.concat([Buffer.from("STNX"), good.subarray(4)]),
      /does not begin with STNN/,
    ],
    ["a later version", () => good.map((byte, i) => (i === 4 ? 2 : byte)), /version 2; .* reads version 1/],
    ["a byte too few", () => good.subarray(0, good.length - 1), /holds 198363/],
    ["a byte too many", () => Buffer.concat([good, Buffer.alloc(1)]), /holds 198365/],
    ["a smaller network", () => withHead(good.subarray(16, 1000)), /takes 198364/],
    ["another checksum", () => good.map((byte, i) => (i === 12 ? byte ^ 1 : byte)), /damaged/],
    ["a turned bit at the start", () => good.map((byte, i) => (i === 16 ? byte ^ 1 : byte)), /damaged/],
    [
      "a turned bit at the end",
      () => good.map((byte, i) => (i === good.length - 1 ? byte ^ 128 : byte)),
      /damaged/,
    ],
  ];
  for (const [name, make, message] of damages) {
    it(`refused: ${name}`, () => {
      assert.throws(() => FrontEnd.load({ wasm, network: make() }), { name: "RangeError", message });
    });
  }
});
