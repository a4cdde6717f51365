// Reading of audio files: exactness, every format, resampling quality, and one refusal for each thing wrong.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AudioFileError } from "./audio-file-error";
import { chunk, flac, pcm16, type WavSpec, wav } from "./audio-files.fixture";
import { FLAC_VECTORS } from "./flac-vectors.fixture";
import { readAudio } from "./read-audio";

const EDGE_SAMPLES = [0, 1, -1, 2, 255, 256, 32766, 32767, -32767, -32768, 12345, -12345];

function sine(hz: number, rateHz: number, samples: number, amplitude: number): number[] {
  return Array.from({ length: samples }, (_, n) =>
    Math.round(amplitude * Math.sin((2 * Math.PI * hz * n) / rateHz)),
  );
}

describe("audio files", () => {
  let folder: string;

  before(() => {
    folder = mkdtempSync(join(tmpdir(), "audio-files-"));
  });

  after(() => rmSync(folder, { recursive: true }));

  function save(bytes: Buffer): string {
    const file = join(folder, "file");
    writeFileSync(file, bytes);
    return file;
  }

  async function refused(bytes: Buffer, code: string, message: RegExp): Promise<void> {
    const file = save(bytes);
    await assert.rejects(readAudio(file), (error) => {
      assert.ok(error instanceof AudioFileError, String(error));
      assert.equal(error.code, code);
      assert.ok(error.message.startsWith(`${file}: `), error.message);
      assert.match(error.message, message);
      return true;
    });
  }

  it("WAV: 16 kHz mono 16-bit comes through sample for sample", async () => {
    const recording = await readAudio(save(wav(pcm16(EDGE_SAMPLES))));
    assert.deepEqual(Array.from(recording.samples), EDGE_SAMPLES);
    assert.equal(recording.durationMs, EDGE_SAMPLES.length / 16);
    assert.equal(recording.container, "wav");
    assert.deepEqual(recording.source, { rateHz: 16000, channels: 1, bitsPerSample: 16 });
  });

  it("WAV: all 65536 codes come through, across read blocks", async () => {
    const samples = Int16Array.from({ length: 600_000 }, (_, i) => i & 0xffff);
    assert.deepEqual((await readAudio(save(wav(pcm16(samples))))).samples, samples);
  });

  const halves = [0, 0.5, -0.5, 0.25, -1];
  const encodings: [string, WavSpec, (value: number) => Buffer][] = [
    ["PCM 8-bit", { bits: 8 }, (v) => Buffer.from([128 + v * 128])],
    ["PCM 16-bit", { bits: 16 }, (v) => pcm16([v * 32768])],
    ["PCM 24-bit", { bits: 24 }, (v) => Buffer.from(new Int32Array([v * 2 ** 31]).buffer, 1, 3)],
    ["PCM 32-bit", { bits: 32 }, (v) => Buffer.from(new Int32Array([v * 2 ** 31]).buffer)],
    ["float 32-bit", { tag: 3, bits: 32 }, (v) => Buffer.from(new Float32Array([v]).buffer)],
    ["float 64-bit", { tag: 3, bits: 64 }, (v) => Buffer.from(new Float64Array([v]).buffer)],
    [
      "extensible PCM 24-bit",
      { subformat: 1, bits: 24 },
      (v) => Buffer.from(new Int32Array([v * 2 ** 31]).buffer, 1, 3),
    ],
    ["extensible float", { subformat: 3, bits: 32 }, (v) => Buffer.from(new Float32Array([v]).buffer)],
  ];
  for (const [name, spec, encode] of encodings) {
    it(`WAV: reads ${name}`, async () => {
      const recording = await readAudio(save(wav(Buffer.concat(halves.map(encode)), spec)));
      assert.deepEqual(Array.from(recording.samples), [0, 16384, -16384, 8192, -32768]);
    });
  }

  it("WAV: float samples beyond full scale saturate", async () => {
    const data = Buffer.from(new Float32Array([1, 1.5, -1.5]).buffer);
    assert.deepEqual(
      Array.from((await readAudio(save(wav(data, { tag: 3, bits: 32 })))).samples),
      [32767, 32767, -32768],
    );
  });

  for (const channels of [2, 3, 6]) {
    it(`WAV: channels are averaged (${channels})`, async () => {
      const frames = [0, 300, -3000, 32767, -32768];
      const data = pcm16(frames.flatMap((value) => new Array(channels).fill(value)));
      const oneSided = pcm16([600, ...new Array(channels - 1).fill(0)]);
      const recording = await readAudio(save(wav(Buffer.concat([data, oneSided]), { channels })));
      assert.deepEqual(Array.from(recording.samples), [...frames, 600 / channels]);
    });
  }

  it("WAV: other chunks around format and data are skipped, odd ones with their padding", async () => {
    const junk = chunk("LIST", Buffer.from("odd"));
    const recording = await readAudio(save(wav(pcm16(EDGE_SAMPLES), { before: junk, after: junk })));
    assert.deepEqual(Array.from(recording.samples), EDGE_SAMPLES);
  });

  for (const size of [0xffffffff, 0x80000000, 0x7ffff000, 0]) {
    it(`WAV: a size that a pipe left open means the end of the file (0x${size.toString(16)})`, async () => {
      const bytes = wav(pcm16(EDGE_SAMPLES), { dataSize: size, riffSize: size });
      assert.deepEqual(Array.from((await readAudio(save(bytes))).samples), EDGE_SAMPLES);
    });
  }

  for (const rateHz of [8000, 11025, 22050, 32000, 44100, 48000, 96000, 192000, 384000, 768000]) {
    it(`resampling: a tone keeps level, phase and length, error below -85 dB (${rateHz} Hz)`, async () => {
      const amplitude = 16384;
      const bytes = wav(pcm16(sine(1000, rateHz, rateHz, amplitude)), { rateHz });
      const { samples } = await readAudio(save(bytes));
      assert.equal(samples.length, 16000);
      const expected = sine(1000, 16000, 16000, amplitude);
      let error = 0;
      for (let i = 200; i < 15800; i++) error += (samples[i] - expected[i]) ** 2;
      const errorDb = 10 * Math.log10(error / 15600 / (amplitude ** 2 / 2));
      assert.ok(errorDb < -85, `error ${errorDb.toFixed(1)} dB`);
    });
  }

  it("resampling: a tone above 8 kHz does not fold down (12 kHz at 48 kHz)", async () => {
    const { samples } = await readAudio(
      save(wav(pcm16(sine(12000, 48000, 48000, 20000)), { rateHz: 48000 })),
    );
    assert.ok(samples.subarray(200, 15800).every((sample) => Math.abs(sample) <= 1));
  });

  it("FLAC: 16 kHz mono 16-bit comes through sample for sample", async () => {
    const samples = Array.from({ length: 1024 }, (_, i) => EDGE_SAMPLES[i % EDGE_SAMPLES.length]);
    const recording = await readAudio(save(flac([samples])));
    assert.deepEqual(Array.from(recording.samples), samples);
    assert.equal(recording.container, "flac");
  });

  it("FLAC: codes from the lowest to the highest come through", async () => {
    const samples = Array.from(
      { length: 127 * 256 },
      (_, i) => Math.round((i * 65535) / (127 * 256 - 1)) - 32768,
    );
    assert.deepEqual(Array.from((await readAudio(save(flac([samples])))).samples), samples);
  });

  for (const { name, file, channels, bitsPerSample, frames, sample } of FLAC_VECTORS) {
    it(`FLAC: the reference encoder's file decodes exactly (${name})`, async () => {
      const recording = await readAudio(save(file));
      assert.deepEqual(recording.source, { rateHz: 16000, channels, bitsPerSample });
      const expected = Array.from({ length: frames }, (_, i) => {
        const sum = Array.from({ length: channels }, (__, channel) => sample(i, channel)).reduce(
          (a, b) => a + b,
        );
        return Math.round(sum / channels / 2 ** (bitsPerSample - 16)) + 0;
      });
      assert.deepEqual(Array.from(recording.samples), expected);
    });

    it(`FLAC: no byte of a frame may be wrong (${name})`, async () => {
      for (let i = 42; i < file.length; i++) {
        const bad = Buffer.from(file);
        bad[i] ^= 0x10;
        await assert.rejects(readAudio(save(bad)), { name: "AudioFileError" }, `byte ${i}`);
      }
    });
  }

  it("FLAC: stereo at 48 kHz is averaged and resampled", async () => {
    const tone = sine(1000, 48000, 12288, 16384);
    const { samples } = await readAudio(save(flac([tone, tone.map(() => 0)], 48000)));
    assert.equal(samples.length, 4096);
    const expected = sine(1000, 16000, 4096, 8192);
    for (let i = 200; i < 3900; i++) assert.ok(Math.abs(samples[i] - expected[i]) <= 2, `sample ${i}`);
  });

  it("refusal: missing file", async () => {
    await assert.rejects(readAudio(join(folder, "none.wav")), { name: "AudioFileError", code: "missing" });
  });

  it("refusal: directory", async () => {
    await assert.rejects(readAudio(folder), { name: "AudioFileError", code: "not-a-file" });
  });

  const good = wav(pcm16(EDGE_SAMPLES));
  const goodFlac = flac([sine(1000, 16000, 1024, 9000)]);
  const badFlac = Buffer.from(goodFlac);
  badFlac[1000] ^= 1;
  const float = (value: number) =>
    wav(Buffer.from(new Float32Array([0, value]).buffer), { tag: 3, bits: 32 });
  const refusals: [string, Buffer, string, RegExp][] = [
    ["empty file", Buffer.alloc(0), "empty", /empty/],
    ["MP3", Buffer.from("fffb9064", "hex"), "not-audio", /an MP3 file; convert it, .*ffmpeg .*sox/],
    ["AAC", Buffer.from("fff15080", "hex"), "not-audio", /an AAC file/],
    ["Ogg", Buffer.from("OggS and more"), "not-audio", /an Ogg file/],
    ["M4A", Buffer.from("\0\0\0\x20ftypM4A "), "not-audio", /an MP4 or M4A file/],
    ["text", Buffer.from("hello there"), "not-audio", /a text file/],
    ["raw bytes", Buffer.from([1, 2, 3, 4]), "not-audio", /raw samples/],
    ["RIFF without WAVE", Buffer.from("RIFF\x04\0\0\0AVI LIST"), "not-audio", /not WAV/],
    ["WAV cut by 1 byte", good.subarray(0, -1), "truncated", / 1 of 24 bytes/],
    ["WAV cut to no samples", good.subarray(0, 44), "truncated", / 24 of 24 bytes/],
    ["WAV cut in its format", good.subarray(0, 30), "bad-header", /format chunk is 10 bytes/],
    ["WAV cut before its format", good.subarray(0, 12), "no-samples", /no data chunk/],
    ["WAV without samples", wav(Buffer.alloc(0)), "no-samples", /no samples/],
    [
      "WAV with empty data and a tag",
      wav(Buffer.alloc(0), { after: chunk("LIST", good) }),
      "no-samples",
      /no samples/,
    ],
    ["A-law", wav(Buffer.alloc(8), { tag: 6, bits: 8 }), "unsupported", /compressed with A-law.*ffmpeg/],
    ["mu-law", wav(Buffer.alloc(8), { tag: 7, bits: 8 }), "unsupported", /mu-law/],
    ["extensible A-law", wav(Buffer.alloc(8), { subformat: 6, bits: 8 }), "unsupported", /A-law/],
    [
      "MS ADPCM",
      wav(Buffer.alloc(8), { tag: 2, bits: 4, blockAlign: 256 }),
      "unsupported",
      /Microsoft ADPCM/,
    ],
    ["IMA ADPCM", wav(Buffer.alloc(8), { tag: 17, bits: 4, blockAlign: 256 }), "unsupported", /IMA ADPCM/],
    ["unnamed codec", wav(Buffer.alloc(8), { tag: 0x1234 }), "unsupported", /codec 0x1234/],
    ["PCM of 12 bits", wav(Buffer.alloc(8), { bits: 12, blockAlign: 2 }), "unsupported", /12 bits/],
    ["0 channels", wav(Buffer.alloc(8), { channels: 0 }), "bad-header", /0 channels/],
    ["65 channels", wav(Buffer.alloc(260), { channels: 65 }), "bad-header", /65 channels/],
    ["0 Hz", wav(Buffer.alloc(8), { rateHz: 0 }), "bad-header", / 0 Hz/],
    ["999 Hz", wav(Buffer.alloc(8), { rateHz: 999 }), "bad-header", / 999 Hz/],
    ["768001 Hz", wav(Buffer.alloc(8), { rateHz: 768001 }), "bad-header", / 768001 Hz/],
    [
      "wrong block size",
      wav(Buffer.alloc(8), { blockAlign: 3 }),
      "bad-header",
      /3 bytes for 1 samples of 16 bits/,
    ],
    [
      "4 hours and a sample",
      wav(Buffer.alloc(14_400_001), { rateHz: 1000, bits: 8 }),
      "too-long",
      /4\.0 hours/,
    ],
    ["infinite sample", float(Number.POSITIVE_INFINITY), "bad-samples", /not finite/],
    ["NaN sample", float(Number.NaN), "bad-samples", /not finite/],
    ["FLAC cut by 1 byte", goodFlac.subarray(0, -1), "truncated", /after 768 of its 1024/],
    ["FLAC cut after its header", goodFlac.subarray(0, 42), "truncated", /after 0 of its 1024/],
    ["FLAC cut in its header", goodFlac.subarray(0, 41), "truncated", /in its header/],
    ["FLAC with a wrong bit", badFlac, "damaged", /after 256 of its 1024 samples: a wrong checksum/],
    [
      "FLAC with more than its header says",
      flac([sine(1, 16000, 512, 9)], 16000, 300),
      "damaged",
      /more samples than the 300/,
    ],
    [
      "FLAC of unknown length",
      flac([sine(1, 16000, 256, 9)], 16000, 0),
      "unknown-length",
      /does not say how long/,
    ],
    ["FLAC of 5 hours", flac([sine(1, 16000, 256, 9)], 16000, 5 * 3600 * 16000), "too-long", /5\.0 hours/],
  ];
  for (const [name, bytes, code, message] of refusals) {
    it(`refusal: ${name} (${code})`, () => refused(bytes, code, message));
  }
});
