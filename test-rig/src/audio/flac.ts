// Reader of FLAC files (RFC 9639): the stream's own header is parsed here, frames are decoded by libFLAC as WASM.
// The decoder drops a frame whose checksum fails, so the count of decoded samples is checked against the header.

import type { FileHandle } from "node:fs/promises";
import { FLACDecoder } from "@wasm-audio-decoders/flac";
import { AudioFileError, type AudioFormat, checkDuration, checkFormat } from "./audio-file-error";

/** Marker, metadata block header and STREAMINFO (RFC 9639 sections 6 to 8.2). */
const HEADER_BYTES = 4 + 4 + 34;
const STREAMINFO_OFFSET = 8;
const BLOCK_BYTES = 1 << 18;

/** What STREAMINFO says. */
export interface FlacLayout extends AudioFormat {
  /** Samples of each channel. */
  frames: number;
}

/** Whether a file that starts with these bytes is native FLAC. */
export function isFlac(head: Buffer): boolean {
  return head.toString("latin1", 0, 4) === "fLaC";
}

/** Reads a FLAC file's STREAMINFO. Throws AudioFileError. */
export async function readFlacLayout(file: string, handle: FileHandle): Promise<FlacLayout> {
  const header = Buffer.alloc(HEADER_BYTES);
  const { bytesRead } = await handle.read(header, 0, HEADER_BYTES, 0);
  if (bytesRead < HEADER_BYTES) {
    throw new AudioFileError("truncated", `${file}: the file is cut off in its header, before any samples.`);
  }
  if ((header[4] & 0x7f) !== 0) {
    throw new AudioFileError(
      "bad-header",
      `${file}: the FLAC file does not begin with its stream information.`,
    );
  }
  // 20 bits of rate, 3 of channels - 1, 5 of bits - 1, 36 of samples
  const packed = header.readBigUInt64BE(STREAMINFO_OFFSET + 10);
  const layout = {
    rateHz: Number(packed >> 44n),
    channels: Number((packed >> 41n) & 7n) + 1,
    bitsPerSample: Number((packed >> 36n) & 31n) + 1,
    frames: Number(packed & 0xfffffffffn),
  };
  checkFormat(file, layout);
  if (layout.frames === 0) {
    throw new AudioFileError(
      "unknown-length",
      `${file}: the FLAC file does not say how long it is, so a cut could not be noticed; write it anew with: flac -d IN && flac OUT.wav`,
    );
  }
  checkDuration(file, layout.frames, layout.rateHz);
  return layout;
}

/** Mean of the channels, -1..1. The decoder divides by the highest code, 2^(bits - 1) - 1, instead of 2^(bits - 1). */
function downmix(channelData: Float32Array[], samples: number, bitsPerSample: number): Float32Array {
  const scale = (1 - 2 ** (1 - bitsPerSample)) / channelData.length;
  const mono = new Float32Array(samples);
  for (let i = 0; i < samples; i++) {
    let sum = 0;
    for (const channel of channelData) sum += channel[i];
    mono[i] = sum * scale;
  }
  return mono;
}

/** The file's samples as mono blocks, -1..1. Throws AudioFileError if samples are missing or damaged. */
export async function* readFlacBlocks(
  file: string,
  handle: FileHandle,
  layout: FlacLayout,
): AsyncGenerator<Float32Array> {
  const decoder = new FLACDecoder();
  await decoder.ready;
  let frames = 0;
  try {
    const bytes = Buffer.alloc(BLOCK_BYTES);
    for (let offset = 0; ; ) {
      const { bytesRead } = await handle.read(bytes, 0, BLOCK_BYTES, offset);
      offset += bytesRead;
      const decoded =
        bytesRead > 0 ? await decoder.decode(bytes.subarray(0, bytesRead)) : await decoder.flush();
      frames += decoded.samplesDecoded;
      if (frames > layout.frames) break;
      if (decoded.samplesDecoded > 0)
        yield downmix(decoded.channelData, decoded.samplesDecoded, layout.bitsPerSample);
      if (bytesRead === 0) break;
    }
  } finally {
    decoder.free();
  }
  if (frames !== layout.frames) {
    const found =
      frames > layout.frames ? `more than its ${layout.frames}` : `only ${frames} of its ${layout.frames}`;
    throw new AudioFileError(
      "truncated",
      `${file}: the FLAC file is cut off or damaged: ${found} samples could be decoded.`,
    );
  }
}
