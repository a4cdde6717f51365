// Reader of native FLAC files (RFC 9639), frame by frame, each checked by its CRC. Averages the channels.

import type { FileHandle } from "node:fs/promises";
import { AudioFileError, type AudioFormat, checkDuration, checkFormat } from "./audio-file-error";
import { EndOfBits } from "./bit-reader";
import { BadFrame, decodeFlacFrame, type FlacFrame, type FlacStream } from "./flac-frame";

const MARKER_BYTES = 4;
const BLOCK_HEADER_BYTES = 4;
const STREAMINFO_BYTES = 34;
const HEADER_BYTES = MARKER_BYTES + BLOCK_HEADER_BYTES + STREAMINFO_BYTES;
const METADATA_BLOCKS_MAX = 1000;
const READ_BYTES = 1 << 20;

/** What STREAMINFO says, and where the frames begin. */
export interface FlacLayout extends AudioFormat, FlacStream {
  /** Samples of each channel. */
  frames: number;
  dataOffset: number;
}

/** Whether a file that starts with these bytes is native FLAC. */
export function isFlac(head: Buffer): boolean {
  return head.toString("latin1", 0, MARKER_BYTES) === "fLaC";
}

async function readHeader(file: string, handle: FileHandle, offset: number, length: number): Promise<Buffer> {
  const bytes = Buffer.alloc(length);
  const { bytesRead } = await handle.read(bytes, 0, length, offset);
  if (bytesRead < length) {
    throw new AudioFileError("truncated", `${file}: the file is cut off in its header, before any samples.`);
  }
  return bytes;
}

/** Offset of the first frame, after all metadata blocks (section 8.1). */
async function skipMetadata(file: string, handle: FileHandle): Promise<number> {
  let offset = MARKER_BYTES;
  for (let count = 0; count < METADATA_BLOCKS_MAX; count++) {
    const header = await readHeader(file, handle, offset, BLOCK_HEADER_BYTES);
    offset += BLOCK_HEADER_BYTES + header.readUIntBE(1, 3);
    if (header[0] & 0x80) return offset;
  }
  throw new AudioFileError(
    "bad-header",
    `${file}: the FLAC file has over ${METADATA_BLOCKS_MAX} metadata blocks.`,
  );
}

/** Reads a FLAC file's STREAMINFO. Throws AudioFileError. */
export async function readFlacLayout(file: string, handle: FileHandle): Promise<FlacLayout> {
  const header = await readHeader(file, handle, 0, HEADER_BYTES);
  if ((header[MARKER_BYTES] & 0x7f) !== 0) {
    throw new AudioFileError(
      "bad-header",
      `${file}: the FLAC file does not begin with its stream information.`,
    );
  }
  const info = header.subarray(MARKER_BYTES + BLOCK_HEADER_BYTES);
  // 20 bits of rate, 3 of channels - 1, 5 of bits - 1, 36 of samples
  const packed = info.readBigUInt64BE(10);
  const layout = {
    blockSamplesMax: info.readUInt16BE(2),
    rateHz: Number(packed >> 44n),
    channels: Number((packed >> 41n) & 7n) + 1,
    bitsPerSample: Number((packed >> 36n) & 31n) + 1,
    frames: Number(packed & 0xfffffffffn),
  };
  checkFormat(file, layout);
  if (layout.frames === 0) {
    throw new AudioFileError(
      "unknown-length",
      `${file}: the FLAC file does not say how long it is, so a cut could not be noticed; write it anew, for example: flac -d IN -o OUT.wav`,
    );
  }
  checkDuration(file, layout.frames, layout.rateHz);
  return { ...layout, dataOffset: await skipMetadata(file, handle) };
}

/** Mean of the channels, -1..1. */
function downmix({ channels }: FlacFrame, bitsPerSample: number): Float32Array {
  const scale = 2 ** (1 - bitsPerSample) / channels.length;
  return Float32Array.from(
    channels[0],
    (_, i) => channels.reduce((sum, channel) => sum + channel[i], 0) * scale,
  );
}

function decodeAt(
  file: string,
  bytes: Buffer,
  offset: number,
  layout: FlacLayout,
  decoded: number,
): FlacFrame {
  try {
    return decodeFlacFrame(bytes, offset, layout);
  } catch (cause) {
    const place = `${decoded} of its ${layout.frames} samples`;
    if (cause instanceof EndOfBits) {
      throw new AudioFileError("truncated", `${file}: the FLAC file is cut off after ${place}.`, { cause });
    }
    if (!(cause instanceof BadFrame)) throw cause;
    throw new AudioFileError(
      "damaged",
      `${file}: the FLAC file is damaged after ${place}: ${cause.message}.`,
      { cause },
    );
  }
}

/** The file's samples as mono blocks, -1..1. Throws AudioFileError if samples are missing or damaged. */
export async function* readFlacBlocks(
  file: string,
  handle: FileHandle,
  layout: FlacLayout,
): AsyncGenerator<Float32Array> {
  // A sane frame is not longer than its samples; twice that and the headers bound what is held at a time.
  const frameBytesMax =
    1024 + 2 * layout.blockSamplesMax * layout.channels * Math.ceil((layout.bitsPerSample + 1) / 8);
  let bytes: Buffer = Buffer.alloc(0);
  let start = 0;
  let fileOffset = layout.dataOffset;
  let isAtEnd = false;
  for (let decoded = 0; decoded < layout.frames; ) {
    if (bytes.length - start < frameBytesMax && !isAtEnd) {
      const block = Buffer.alloc(Math.max(READ_BYTES, frameBytesMax));
      const { bytesRead } = await handle.read(block, 0, block.length, fileOffset);
      isAtEnd = bytesRead < block.length;
      fileOffset += bytesRead;
      bytes = Buffer.concat([bytes.subarray(start), block.subarray(0, bytesRead)]);
      start = 0;
    }
    const frame = decodeAt(file, bytes, start, layout, decoded);
    start = frame.end;
    decoded += frame.channels[0].length;
    if (decoded > layout.frames) {
      throw new AudioFileError(
        "damaged",
        `${file}: the FLAC file holds more samples than the ${layout.frames} it announces.`,
      );
    }
    yield downmix(frame, layout.bitsPerSample);
  }
}
