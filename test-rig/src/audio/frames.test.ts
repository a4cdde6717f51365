// Frames from samples: layout, features and packets as the front end and the encoder give them, silence after the
// end, the cache's hits, misses and repairs.

import assert from "node:assert/strict";
import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { Decoder } from "@evan/opus";
import { compileFrontEnd } from "../../../firmware/voice-front-end/build";
import { readNetwork } from "../../../firmware/voice-front-end/built";
import { FrontEnd } from "../../../firmware/voice-front-end/front-end";
import { cachedFrames } from "./cache";
import { parseFrame } from "./frame";
import { encodeFrames, type FrameOptions, FrameSource, REPEATED_FRAMES, SILENCE_FRAMES } from "./frames";
import { OpusEncoder } from "./opus";

/** A buzz of 120 Hz that fades in and out four times a second. */
const samples = Int16Array.from({ length: 16000 + 1 }, (_, n) => {
  const phase = (n * 120) / 16000;
  return Math.round(
    12000 * Math.sin((2 * Math.PI * 2 * n) / 16000) ** 2 * (2 * (phase - Math.floor(phase)) - 1),
  );
});

describe("frames", () => {
  let options: FrameOptions;
  let source: FrameSource;

  before(async () => {
    options = { frontEnd: { wasm: await compileFrontEnd(), network: readNetwork() } };
    source = new FrameSource((await encodeFrames(samples, options)).bytes);
  });

  it("layout: frames carry number, features and packet of their hop", () => {
    const frontEnd = FrontEnd.load(options.frontEnd);
    const encoder = new OpusEncoder();
    assert.equal(source.recordedFrames, 51);
    for (let seq = 0; seq < 50; seq++) {
      const hop = samples.subarray(seq * 320, (seq + 1) * 320);
      const features = frontEnd.process(hop);
      const packet = encoder.encode(hop);
      const bytes = source.frame(seq);
      assert.equal(bytes.readUInt32LE(0), seq);
      assert.deepEqual([...bytes.subarray(4, 7)], [...features.subarray(0, 3)]);
      assert.equal(bytes[7], packet.length);
      assert.deepEqual([...bytes.subarray(8, 4 + features.length)], [...features.subarray(4)]);
      assert.deepEqual([...bytes.subarray(4 + features.length)], [...packet]);
    }
  });

  const bands = Array.from({ length: 24 }, (_, i) => i);
  const posteriors = Array.from({ length: 40 }, (_, i) => i % 32);
  const fields = {
    seq: 263,
    muted: true,
    clipped: true,
    levelDbfs: -20.5,
    harmonicity: 0.2,
    bands: Uint8Array.from(bands),
    tilt: 120,
    contrastDb: 15,
    opus: Uint8Array.of(0xaa, 0xbb),
  };

  it("layout: parseFrame reads the fields of the service's table", () => {
    const bytes = [7, 1, 0, 0, 0x23, 41, 51, 2, ...bands, 0, 120, 30, 0, 0xaa, 0xbb];
    assert.deepEqual(parseFrame(Buffer.from(bytes)), {
      ...fields,
      speechLogOdds: undefined,
      posteriors: undefined,
    });
  });

  it("layout: parseFrame reads the fields of the service's table (with posteriors)", () => {
    const bytes = [7, 1, 0, 0, 0x27, 41, 51, 2, ...bands, 120, 120, 30, 0, ...posteriors, 0xaa, 0xbb];
    assert.deepEqual(parseFrame(Buffer.from(bytes)), {
      ...fields,
      speechLogOdds: -0.5,
      posteriors: Uint8Array.from(posteriors),
    });
  });

  const header = (flags: number, opusLength: number, bytes: number) => {
    const frame = Buffer.alloc(bytes);
    frame[4] = flags;
    frame[7] = opusLength;
    return frame;
  };
  const badFrames: [string, Buffer][] = [
    ["35 bytes", Buffer.alloc(35, 0x20)],
    ["layout 0", header(0x00, 0, 36)],
    ["layout 1", header(0x10, 0, 36)],
    ["layout 3", header(0x30, 0, 36)],
    ["a byte too few", header(0x20, 2, 37)],
    ["a byte too many", header(0x20, 0, 37)],
    ["a packet of 161", header(0x20, 161, 197)],
    ["posteriors cut off", header(0x24, 0, 75)],
  ];
  for (const [name, bytes] of badFrames) {
    it(`layout: parseFrame refuses ${name}`, () => assert.throws(() => parseFrame(bytes), RangeError));
  }

  it("layout: parseFrame takes the shortest and the longest frame", () => {
    assert.equal(parseFrame(header(0x20, 0, 36)).opus.length, 0);
    assert.equal(parseFrame(header(0x24, 160, 236)).opus.length, 160);
  });

  it("packets: decode to the recording (correlation above 0.7)", () => {
    const decoder = new Decoder({ channels: 1, sample_rate: 16000 });
    const decoded: number[] = [];
    for (let seq = 0; seq < 60; seq++) {
      const pcm = decoder.decode(parseFrame(source.frame(seq)).opus);
      assert.equal(pcm.length, 640);
      decoded.push(...new Int16Array(pcm.buffer.slice(pcm.byteOffset, pcm.byteOffset + 640)));
    }
    const correlationAt = (delay: number) => {
      let [product, a, b] = [0, 0, 0];
      for (let n = 0; n < 15000; n++) {
        product += samples[n] * decoded[n + delay];
        a += samples[n] ** 2;
        b += decoded[n + delay] ** 2;
      }
      return product / Math.sqrt(a * b);
    };
    const best = Math.max(...Array.from({ length: 200 }, (_, delay) => correlationAt(delay)));
    assert.ok(best > 0.7, `correlation ${best.toFixed(3)}`);
  });

  const lengths: [number, number][] = [
    [0, 0],
    [1, 1],
    [319, 1],
    [320, 1],
    [321, 2],
  ];
  for (const [length, frames] of lengths) {
    it(`silence: the last hop is filled with zeros (${length} samples are ${frames} frames)`, async () => {
      const short = new FrameSource((await encodeFrames(samples.subarray(0, length), options)).bytes);
      const padded = new Int16Array(frames * 320);
      padded.set(samples.subarray(0, length));
      const long = new FrameSource((await encodeFrames(padded, options)).bytes);
      assert.equal(short.recordedFrames, frames);
      for (let seq = 0; seq < frames + 3; seq++) assert.deepEqual(short.frame(seq), long.frame(seq));
    });
  }

  it("silence: goes on without end, level down to nothing, numbers running", () => {
    const encoded = source.recordedFrames + SILENCE_FRAMES;
    for (const seq of [encoded - 1, encoded, encoded + REPEATED_FRAMES, 1_000_000, 0xffffffff]) {
      const frame = parseFrame(source.frame(seq));
      assert.equal(frame.seq, seq);
      assert.equal(frame.levelDbfs, -127.5);
      assert.ok(frame.opus.length > 0);
    }
    const [once, again] = [encoded - REPEATED_FRAMES, encoded].map((seq) => source.frame(seq).subarray(4));
    assert.deepEqual(again, once);
  });

  for (const seq of [-1, 0.5, 2 ** 32, Number.NaN]) {
    it(`numbers: there is no frame ${seq}`, () => assert.throws(() => source.frame(seq), RangeError));
  }

  it("frames: a copy is handed out, the source stays as it is", () => {
    const before = source.frame(3);
    source.frame(3).fill(0);
    assert.deepEqual(source.frame(3), before);
  });

  it("progress: reported on the way and at the end", async () => {
    const reports: number[][] = [];
    await encodeFrames(samples, { ...options, onProgress: (done, total) => reports.push([done, total]) });
    assert.deepEqual(reports, [
      [500, 551],
      [551, 551],
    ]);
  });

  it("timing: front end and Opus are told apart by the given clock", async () => {
    let calls = 0;
    // Each hop reads the clock three times: the front end lasts 1 ms, Opus 3 ms.
    const nowMs = () => [0, 1, 4][calls++ % 3];
    const { frontEndMs, opusMs } = await encodeFrames(samples, { ...options, nowMs });
    assert.deepEqual([frontEndMs, opusMs], [551, 3 * 551]);
  });

  const badOptions: [number, number][] = [
    [5999, 0],
    [40_001, 0],
    [Number.NaN, 0],
    [16_000, -1],
    [16_000, 11],
    [16_000, 0.5],
  ];
  for (const [bitrateBps, complexity] of badOptions) {
    it(`Opus: refuses ${bitrateBps} bit/s at complexity ${complexity}`, () => {
      assert.throws(() => new OpusEncoder({ bitrateBps, complexity }), RangeError);
    });
  }

  it("Opus: more bits make longer packets, and packets are the same each time", async () => {
    const total = async (bitrateBps: number, complexity: number) => {
      const { bytes } = await encodeFrames(samples, { ...options, opus: { bitrateBps, complexity } });
      const { bytes: again } = await encodeFrames(samples, { ...options, opus: { bitrateBps, complexity } });
      assert.deepEqual(again, bytes);
      return bytes.length;
    };
    assert.ok((await total(6000, 0)) < (await total(16_000, 0)));
    assert.ok((await total(16_000, 0)) < (await total(24_000, 0)));
  });
});

describe("frame cache", () => {
  let options: FrameOptions;
  let folder: string;

  before(async () => {
    options = { frontEnd: { wasm: await compileFrontEnd(), network: readNetwork() } };
  });

  beforeEach(() => {
    folder = join(mkdtempSync(join(tmpdir(), "frame-cache-")), "made");
  });

  afterEach(() => rmSync(join(folder, ".."), { recursive: true }));

  const onlyFile = () => {
    const names = readdirSync(folder);
    assert.equal(names.length, 1, names.join(" "));
    return join(folder, names[0]);
  };

  it("hit: the second time nothing is computed and the frames are the same", async () => {
    const first = await cachedFrames(samples, folder, options);
    const second = await cachedFrames(samples, folder, options);
    assert.equal(first.hit, false);
    assert.ok(first.opusMs > 0 && first.frontEndMs > 0);
    assert.deepEqual([second.hit, second.frontEndMs, second.opusMs], [true, 0, 0]);
    for (const seq of [0, 25, 50, 51, 550, 551, 9999]) {
      assert.deepEqual(second.source.frame(seq), first.source.frame(seq));
    }
  });

  it("privacy: only the owner may read a cached recording", async () => {
    await cachedFrames(samples, folder, options);
    assert.equal(statSync(folder).mode & 0o077, 0);
    assert.equal(statSync(onlyFile()).mode & 0o077, 0);
  });

  const changes: [string, () => [Int16Array, FrameOptions]][] = [
    [
      "a sample",
      () => [Int16Array.from(samples, (sample, i) => (i === 9000 ? sample ^ 1 : sample)), options],
    ],
    ["the length by a zero sample", () => [Int16Array.of(...samples, 0), options]],
    ["the bit rate", () => [samples, { ...options, opus: { bitrateBps: 16_001, complexity: 0 } }]],
    ["the complexity", () => [samples, { ...options, opus: { bitrateBps: 16_000, complexity: 1 } }]],
    [
      "the front end",
      // An empty custom section changes the module's bytes, not what it does.
      () => {
        const { wasm, network } = options.frontEnd;
        return [samples, { ...options, frontEnd: { wasm: Uint8Array.of(...wasm, 0, 2, 1, 0x78), network } }];
      },
    ],
    [
      "the network",
      // A changed start-up mean, with the checksum that belongs to it.
      () => {
        const { wasm, network } = options.frontEnd;
        const changed = Buffer.from(network);
        changed[16] ^= 1;
        changed.writeUInt32LE(crc32(changed.subarray(16)), 12);
        return [samples, { ...options, frontEnd: { wasm, network: changed } }];
      },
    ],
  ];
  for (const [name, change] of changes) {
    it(`miss: after a change of ${name}`, async () => {
      await cachedFrames(samples, folder, options);
      assert.equal((await cachedFrames(...([change()[0], folder, change()[1]] as const))).hit, false);
      assert.equal(readdirSync(folder).length, 2);
    });
  }

  const damages: [string, (file: string) => void][] = [
    ["emptied", (file) => truncateSync(file, 0)],
    ["cut by a byte", (file) => truncateSync(file, statSync(file).size - 1)],
    ["cut to its digest", (file) => truncateSync(file, 32)],
    [
      "a bit turned in its digest",
      (file) =>
        writeFileSync(
          file,
          readFileSync(file).map((byte, i) => (i === 5 ? byte ^ 1 : byte)),
        ),
    ],
    [
      "a bit turned in a frame",
      (file) =>
        writeFileSync(
          file,
          readFileSync(file).map((byte, i) => (i === 500 ? byte ^ 1 : byte)),
        ),
    ],
  ];
  for (const [name, damage] of damages) {
    it(`repair: a file is made again (${name})`, async () => {
      const first = await cachedFrames(samples, folder, options);
      const good = readFileSync(onlyFile());
      damage(onlyFile());
      const second = await cachedFrames(samples, folder, options);
      assert.equal(second.hit, false);
      assert.deepEqual(second.source.frame(20), first.source.frame(20));
      assert.deepEqual(readFileSync(onlyFile()), good);
    });
  }

  it("concurrency: two that make the same frames at once both succeed and leave one file", async () => {
    const [first, second] = await Promise.all([
      cachedFrames(samples, folder, options),
      cachedFrames(samples, folder, options),
    ]);
    assert.deepEqual(first.source.frame(10), second.source.frame(10));
    assert.equal((await cachedFrames(samples, folder, options)).hit, true);
    onlyFile();
  });

  it("folder: a file in its place is an error, not a silent miss", async () => {
    writeFileSync(folder, "");
    await assert.rejects(cachedFrames(samples, folder, options), { code: "EEXIST" });
  });
});
