// The compiled front end against a double-precision model and against its contract's limits.
// Tolerances: bands 1 unit (0.38 dB), level 1 unit (0.5 dB), harmonicity 2 of 255 above 1 LSB of signal.

import assert from "node:assert/strict";
import { compileFrontEnd } from "./build";
import { readNetwork } from "./built";
import { FrontEnd, type FrontEndFiles, HOP_SAMPLES } from "./front-end";
import { referenceFeatures } from "./front-end.reference";

const BAND_TOLERANCE = 1;
const LEVEL_TOLERANCE = 1;
const HARMONICITY_TOLERANCE = 2;
const HOPS = 6;

interface Features {
  flags: number;
  level: number;
  harmonicity: number;
  opusLength: number;
  bands: number[];
}

const clamp16 = (value: number) => Math.max(-32768, Math.min(32767, Math.round(value)));

function signal(at: (n: number) => number, hops = HOPS): Int16Array {
  return Int16Array.from({ length: hops * HOP_SAMPLES }, (_, n) => clamp16(at(n)));
}

function tone(hz: number, amplitude: number, offset = 0): (n: number) => number {
  return (n) => offset + amplitude * Math.sin((2 * Math.PI * hz * n) / 16000 + 0.3);
}

/** Uniform noise of a fixed seed, -amplitude..amplitude. */
function noise(amplitude: number, seed = 1): (n: number) => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return (state / 2 ** 31) * amplitude;
  };
}

/** A buzz like a voice's: harmonics of a pitch, falling by 6 dB an octave. */
function buzz(pitchHz: number, amplitude: number): (n: number) => number {
  const harmonics = Array.from({ length: Math.floor(3000 / pitchHz) }, (_, i) => i + 1);
  return (n) => harmonics.reduce((sum, h) => sum + tone(h * pitchHz, amplitude / h)(n), 0);
}

function run(frontEnd: FrontEnd, samples: Int16Array): Features[] {
  const features: Features[] = [];
  for (let start = 0; start + HOP_SAMPLES <= samples.length; start += HOP_SAMPLES) {
    const bytes = frontEnd.process(samples.subarray(start, start + HOP_SAMPLES));
    const [flags, level, harmonicity, opusLength, ...bands] = bytes.subarray(0, 28);
    features.push({ flags, level, harmonicity, opusLength, bands });
  }
  return features;
}

function assertNear(actual: number, expected: number, tolerance: number, what: string): void {
  assert.ok(
    Math.abs(actual - expected) <= tolerance,
    `${what}: ${actual}, model says ${expected.toFixed(2)}`,
  );
}

const clampByte = (value: number) => Math.max(0, Math.min(255, value));

describe("front end", () => {
  let files: FrontEndFiles;
  let frontEnd: FrontEnd;

  before(async () => {
    files = { wasm: await compileFrontEnd(), network: readNetwork() };
  });

  beforeEach(() => {
    frontEnd = FrontEnd.load(files);
  });

  function assertLikeModel(samples: Int16Array): void {
    const expected = referenceFeatures(samples);
    run(frontEnd, samples).forEach((features, hop) => {
      const model = expected[hop];
      assertNear(features.level, clampByte(model.levelHalfDb), LEVEL_TOLERANCE, `level of hop ${hop}`);
      assertNear(
        features.harmonicity,
        255 * model.harmonicity,
        HARMONICITY_TOLERANCE,
        `harmonicity of hop ${hop}`,
      );
      features.bands.forEach((value, band) => {
        assertNear(value, clampByte(model.bands[band]), BAND_TOLERANCE, `band ${band} of hop ${hop}`);
      });
    });
  }

  const signals: [string, (n: number) => number][] = [
    ["white noise, full scale", noise(32767)],
    ["white noise, -40 dBFS", noise(567)],
    ["white noise, 2 LSB", noise(2)],
    ["buzz of 80 Hz", buzz(80, 6000)],
    ["buzz of 123 Hz", buzz(123, 6000)],
    ["buzz of 311 Hz", buzz(311, 600)],
    ["tone on an offset of half full scale", tone(440, 8000, 16384)],
    ["full-scale square wave of 250 Hz", (n) => (n % 64 < 32 ? 32767 : -32768)],
    ["step from the lowest to the highest code", (n) => (n < 700 ? -32768 : 32767)],
    ["single full-scale sample", (n) => (n === 400 ? 32767 : 0)],
    [
      "sweep from 50 Hz to 8 kHz",
      (n) => 20000 * Math.sin((2 * Math.PI * (50 + (7950 * n) / 3840) * n) / 16000),
    ],
  ];
  for (const [name, at] of signals) {
    it(`all stages: agree with double precision (${name})`, () => assertLikeModel(signal(at)));
  }

  for (const hz of [60, 99, 100, 150, 400, 401, 1000, 2500, 5333, 7600, 7900]) {
    it(`all stages: agree with double precision (tone of ${hz} Hz)`, () =>
      assertLikeModel(signal(tone(hz, 20000))));
  }

  for (let dbfs = -90; dbfs <= 0; dbfs += 10) {
    it(`level: a square wave reads its own level (${dbfs} dBFS)`, () => {
      // Half a period is 16 samples; an amplitude is a whole number of LSB, so the level is that of the rounded one.
      const amplitude = Math.max(1, Math.min(32767, Math.round(32768 * 10 ** (dbfs / 20))));
      const features = run(
        frontEnd,
        signal((n) => (n % 32 < 16 ? amplitude : -amplitude)),
      );
      assertNear(-features[HOPS - 1].level / 2, 20 * Math.log10(amplitude / 32768), 0.5, "level in dBFS");
    });
  }

  it("level: 1 LSB of tone in silence is measured, not lost (-93 dBFS)", () => {
    const features = run(frontEnd, signal(tone(1000, 1)));
    assertNear(-features[HOPS - 1].level / 2, -92, 2, "level in dBFS");
  });

  it("silence: level 255, no harmonicity, bands at 0", () => {
    for (const features of run(
      frontEnd,
      signal(() => 0),
    )) {
      assert.deepEqual(features, {
        flags: 0x20,
        level: 255,
        harmonicity: 0,
        opusLength: 0,
        bands: Array(24).fill(0),
      });
    }
  });

  for (const offset of [-32767, -1, 1, 32766]) {
    it(`DC block: a constant decays to silence (${offset} LSB)`, () => {
      const features = run(
        frontEnd,
        signal(() => offset, 10),
      );
      assert.equal(features[9].level, 255);
      assert.deepEqual(features[9].bands, Array(24).fill(0));
    });
  }

  const clips: [number, boolean][] = [
    [32767, true],
    [32766, false],
    [-32768, true],
    [-32767, false],
  ];
  for (const [code, isClipped] of clips) {
    for (const position of [0, 319]) {
      it(`clip flag: ${isClipped ? "set" : "clear"} (sample ${position} at ${code})`, () => {
        const features = run(
          frontEnd,
          signal((n) => (n === HOP_SAMPLES + position ? code : 0), 3),
        );
        assert.deepEqual(
          features.map(({ flags }) => flags),
          [0x20, isClipped ? 0x22 : 0x20, 0x20],
        );
      });
    }
  }

  it("bands: a tone at a band's centre is highest in that band", () => {
    const mel = (hz: number) => 2595 * Math.log10(1 + hz / 700);
    for (let band = 0; band < 24; band++) {
      frontEnd.reset();
      const centre = 700 * (10 ** ((mel(100) + ((mel(7600) - mel(100)) * (band + 1)) / 25) / 2595) - 1);
      const { bands } = run(frontEnd, signal(tone(centre, 20000)))[HOPS - 1];
      assert.equal(bands.indexOf(Math.max(...bands)), band, `tone of ${centre.toFixed(0)} Hz`);
    }
  });

  for (const pitchHz of [70, 100, 150, 220, 330, 400]) {
    it(`harmonicity: above 0.9 for a buzz (pitch ${pitchHz} Hz)`, () => {
      assert.ok(run(frontEnd, signal(buzz(pitchHz, 4000)))[HOPS - 1].harmonicity > 0.9 * 255);
    });
  }

  it("harmonicity: below 0.5 for white noise, on every hop", () => {
    for (const { harmonicity } of run(frontEnd, signal(noise(8000), 200)).slice(1)) {
      assert.ok(harmonicity < 0.5 * 255, `harmonicity ${harmonicity}`);
    }
  });

  it("harmonicity: rumble has no peak in the range (30 Hz)", () => {
    assert.ok(run(frontEnd, signal(tone(30, 20000)))[HOPS - 1].harmonicity < 0.1 * 255);
  });

  it("module: two instances and a reset one agree bit for bit", () => {
    const samples = signal(noise(20000, 7), 100);
    const first = run(frontEnd, samples);
    assert.deepEqual(run(FrontEnd.load(files), samples), first);
    frontEnd.reset();
    assert.deepEqual(run(frontEnd, samples), first);
  });

  it("module: no imports, four pages of memory that cannot grow", () => {
    const api = (globalThis as unknown as { WebAssembly: WasmApi }).WebAssembly;
    const module = new api.Module(files.wasm);
    assert.deepEqual(api.Module.imports(module), []);
    const { memory } = new api.Instance(module).exports;
    assert.equal(memory.buffer.byteLength, 4 * 65536);
    assert.throws(() => memory.grow(1), RangeError);
  });

  for (const length of [0, 319, 321]) {
    it(`host: refuses a hop of the wrong length (${length} samples)`, () => {
      assert.throws(
        () => frontEnd.process(new Int16Array(length)),
        new RegExp(`320 samples, not ${length};`),
      );
    });
  }
});

interface WasmApi {
  Module: { new (bytes: Uint8Array<ArrayBuffer>): object; imports(module: object): unknown[] };
  Instance: new (
    module: object,
  ) => { exports: { memory: { buffer: ArrayBuffer; grow(pages: number): number } } };
}
