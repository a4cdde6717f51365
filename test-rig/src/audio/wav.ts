// Reader of RIFF/WAVE files (Microsoft "Multimedia Programming Interface 1.0", WAVEFORMATEXTENSIBLE): PCM of 8, 16,
// 24 and 32 bits, float of 32 and 64 bits. Reads in blocks and averages the channels. Checks what header libraries
// let pass: truncation, sizes that a pipe could not fill in, block sizes that do not add up.

import type { FileHandle } from "node:fs/promises";
import { AudioFileError, type AudioFormat, checkDuration, checkFormat } from "./audio-file-error";

const CHUNK_HEADER_BYTES = 8;
const RIFF_HEADER_BYTES = 12;
const FORMAT_BYTES_MIN = 16;
const FORMAT_BYTES_MAX = 40;
const CHUNKS_MAX = 1000;
const BLOCK_BYTES = 1 << 20;
/**
 * A program that writes to a pipe cannot know the size: FFmpeg leaves 0xffffffff, SoX 0x7ffff000, arecord about
 * 0x80000000. A size from here on that the file does not reach means "to the end of the file".
 */
const STREAM_BYTES_MIN = 0x7ffff000;

const TAG_PCM = 1;
const TAG_FLOAT = 3;
const TAG_EXTENSIBLE = 0xfffe;
/** Bytes 2..15 of a subformat GUID that stands for a plain format tag. */
const SUBFORMAT_TAIL = "000000001000800000aa00389b71";

const CODEC_NAMES: Record<number, string> = {
  2: "Microsoft ADPCM",
  6: "A-law",
  7: "mu-law",
  17: "IMA ADPCM",
  49: "GSM 6.10",
  64: "G.721 ADPCM",
  69: "G.726 ADPCM",
  80: "MPEG layer 1 or 2",
  85: "MP3",
  255: "AAC",
  353: "Windows Media Audio",
};

type Decode = (bytes: Buffer, offset: number) => number;

/** Decoders to -1..1, by kind and container bits. 8-bit PCM is unsigned. */
const DECODERS: Record<string, Decode> = {
  pcm8: (bytes, offset) => (bytes[offset] - 128) / 2 ** 7,
  pcm16: (bytes, offset) => bytes.readInt16LE(offset) / 2 ** 15,
  pcm24: (bytes, offset) => bytes.readIntLE(offset, 3) / 2 ** 23,
  pcm32: (bytes, offset) => bytes.readInt32LE(offset) / 2 ** 31,
  float32: (bytes, offset) => bytes.readFloatLE(offset),
  float64: (bytes, offset) => bytes.readDoubleLE(offset),
};

/** Where a WAV file's samples lie and how to read them. */
export interface WavLayout extends AudioFormat {
  dataOffset: number;
  /** Whole samples of each channel. */
  frames: number;
  decode: Decode;
}

/** Whether a file that starts with these 12 bytes is RIFF/WAVE. */
export function isWav(head: Buffer): boolean {
  return head.toString("latin1", 0, 4) === "RIFF" && head.toString("latin1", 8, 12) === "WAVE";
}

async function readAt(handle: FileHandle, offset: number, length: number): Promise<Buffer> {
  const bytes = Buffer.alloc(length);
  const { bytesRead } = await handle.read(bytes, 0, length, offset);
  return bytes.subarray(0, bytesRead);
}

function parseFormat(file: string, chunk: Buffer): Omit<WavLayout, "dataOffset" | "frames"> {
  if (chunk.length < FORMAT_BYTES_MIN) {
    throw new AudioFileError(
      "bad-header",
      `${file}: the WAV format chunk is ${chunk.length} bytes, too short.`,
    );
  }
  let tag = chunk.readUInt16LE(0);
  const isExtensible = tag === TAG_EXTENSIBLE && chunk.length >= FORMAT_BYTES_MAX;
  if (isExtensible && chunk.toString("hex", 26, 40) === SUBFORMAT_TAIL) tag = chunk.readUInt16LE(24);
  const format = {
    channels: chunk.readUInt16LE(2),
    rateHz: chunk.readUInt32LE(4),
    bitsPerSample: chunk.readUInt16LE(14),
  };
  if (tag !== TAG_PCM && tag !== TAG_FLOAT) {
    const codec = CODEC_NAMES[tag] ?? `codec 0x${tag.toString(16).padStart(4, "0")}`;
    throw new AudioFileError(
      "unsupported",
      `${file}: the WAV file is compressed with ${codec}; convert it, for example: ffmpeg -i IN -c:a pcm_s16le OUT.wav`,
    );
  }
  checkFormat(file, format);
  const kind = `${tag === TAG_FLOAT ? "float" : "pcm"}${format.bitsPerSample}`;
  const decode = DECODERS[kind];
  if (!decode) {
    throw new AudioFileError(
      "unsupported",
      `${file}: WAV samples of ${format.bitsPerSample} bits (format ${tag}) cannot be read; convert it, for example: ffmpeg -i IN -c:a pcm_s16le OUT.wav`,
    );
  }
  const blockAlign = chunk.readUInt16LE(12);
  if (blockAlign !== (format.channels * format.bitsPerSample) / 8) {
    throw new AudioFileError(
      "bad-header",
      `${file}: the WAV header says ${blockAlign} bytes for ${format.channels} samples of ${format.bitsPerSample} bits.`,
    );
  }
  return { ...format, decode };
}

/** Bytes of samples in the data chunk; throws if the file ends before them. */
function dataBytes(file: string, declared: number, available: number, riffEndsWithFile: boolean): number {
  const isStream =
    (declared >= STREAM_BYTES_MIN && declared > available) || (declared === 0 && !riffEndsWithFile);
  if (isStream) return available;
  if (declared > available) {
    throw new AudioFileError(
      "truncated",
      `${file}: the file is cut off: ${declared - available} of ${declared} bytes of samples are missing.`,
    );
  }
  return declared;
}

/** Walks a WAV file's chunks to its samples. Throws AudioFileError. */
export async function readWavLayout(file: string, handle: FileHandle, fileBytes: number): Promise<WavLayout> {
  const riffBytes = (await readAt(handle, 0, RIFF_HEADER_BYTES)).readUInt32LE(4);
  let format: ReturnType<typeof parseFormat> | undefined;
  let offset = RIFF_HEADER_BYTES;
  for (let count = 0; count < CHUNKS_MAX && offset + CHUNK_HEADER_BYTES <= fileBytes; count++) {
    const header = await readAt(handle, offset, CHUNK_HEADER_BYTES);
    const id = header.toString("latin1", 0, 4);
    const declared = header.readUInt32LE(4);
    const start = offset + CHUNK_HEADER_BYTES;
    if (id === "fmt ") {
      format = parseFormat(file, await readAt(handle, start, Math.min(declared, FORMAT_BYTES_MAX)));
    } else if (id === "data") {
      if (!format)
        throw new AudioFileError("bad-header", `${file}: the WAV file's samples come before its format.`);
      const bytes = dataBytes(
        file,
        declared,
        fileBytes - start,
        riffBytes + CHUNK_HEADER_BYTES === fileBytes,
      );
      const frames = Math.floor((bytes * 8) / (format.channels * format.bitsPerSample));
      checkDuration(file, frames, format.rateHz);
      return { ...format, dataOffset: start, frames };
    }
    offset = start + declared + (declared & 1);
  }
  if (offset > fileBytes) {
    throw new AudioFileError("truncated", `${file}: the file is cut off in its header, before any samples.`);
  }
  throw new AudioFileError("no-samples", `${file}: the WAV file has no data chunk.`);
}

/** Mean of the channels, -1..1. Throws AudioFileError for a sample that is not a number. */
function downmix(file: string, bytes: Buffer, { channels, bitsPerSample, decode }: WavLayout): Float32Array {
  const sampleBytes = bitsPerSample / 8;
  const mono = new Float32Array(bytes.length / (channels * sampleBytes));
  for (let i = 0, offset = 0; i < mono.length; i++) {
    let sum = 0;
    for (let channel = 0; channel < channels; channel++, offset += sampleBytes) sum += decode(bytes, offset);
    mono[i] = sum / channels;
    if (!Number.isFinite(mono[i])) {
      throw new AudioFileError(
        "bad-samples",
        `${file}: the WAV file holds samples that are not finite numbers.`,
      );
    }
  }
  return mono;
}

/** The file's samples as mono blocks, -1..1. Throws AudioFileError. */
export async function* readWavBlocks(
  file: string,
  handle: FileHandle,
  layout: WavLayout,
): AsyncGenerator<Float32Array> {
  const frameBytes = (layout.channels * layout.bitsPerSample) / 8;
  const blockFrames = Math.floor(BLOCK_BYTES / frameBytes);
  for (let frame = 0; frame < layout.frames; frame += blockFrames) {
    const length = Math.min(blockFrames, layout.frames - frame) * frameBytes;
    const bytes = await readAt(handle, layout.dataOffset + frame * frameBytes, length);
    if (bytes.length < length) {
      throw new AudioFileError("truncated", `${file}: the file became shorter while it was read.`);
    }
    yield downmix(file, bytes, layout);
  }
}
