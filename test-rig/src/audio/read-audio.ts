// Reads a recording, WAV or FLAC of any rate and channel count, as what the badge's microphone would deliver:
// 16 kHz mono 16-bit samples. Channels are averaged. A 16 kHz mono 16-bit file comes through sample for sample.

import { type FileHandle, open } from "node:fs/promises";
import { AudioFileError, type AudioFormat } from "./audio-file-error";
import { isFlac, readFlacBlocks, readFlacLayout } from "./flac";
import { createResampler, SAMPLE_RATE_HZ } from "./resample";
import { describeContents, SNIFF_BYTES } from "./sniff";
import { isWav, readWavBlocks, readWavLayout } from "./wav";

/** A recording at 16 kHz mono and what it was in its file. */
export interface Recording {
  /** 16 kHz mono, full scale 32768. */
  samples: Int16Array;
  durationMs: number;
  container: "wav" | "flac";
  source: AudioFormat;
}

interface Source {
  container: "wav" | "flac";
  format: AudioFormat;
  /** Samples of each channel. */
  frames: number;
  blocks: AsyncGenerator<Float32Array>;
}

async function openFile(file: string): Promise<FileHandle> {
  try {
    return await open(file, "r");
  } catch (cause) {
    const reason = (cause as NodeJS.ErrnoException).code;
    if (reason === "ENOENT") throw new AudioFileError("missing", `${file}: no such file.`, { cause });
    throw new AudioFileError("unreadable", `${file}: the file cannot be opened (${reason}).`, { cause });
  }
}

async function openSource(file: string, handle: FileHandle): Promise<Source> {
  const stat = await handle.stat();
  if (stat.isDirectory())
    throw new AudioFileError("not-a-file", `${file}: this is a directory, not an audio file.`);
  if (!stat.isFile()) {
    throw new AudioFileError(
      "not-a-file",
      `${file}: this is not a regular file; save the audio to one first.`,
    );
  }
  if (stat.size === 0) throw new AudioFileError("empty", `${file}: the file is empty.`);
  const head = Buffer.alloc(SNIFF_BYTES);
  const { bytesRead } = await handle.read(head, 0, SNIFF_BYTES, 0);
  const start = head.subarray(0, bytesRead);
  if (isWav(start)) {
    const layout = await readWavLayout(file, handle, stat.size);
    return {
      container: "wav",
      format: layout,
      frames: layout.frames,
      blocks: readWavBlocks(file, handle, layout),
    };
  }
  if (isFlac(start)) {
    const layout = await readFlacLayout(file, handle);
    return {
      container: "flac",
      format: layout,
      frames: layout.frames,
      blocks: readFlacBlocks(file, handle, layout),
    };
  }
  throw new AudioFileError(
    "not-audio",
    `${file}: neither WAV nor FLAC, it seems to be ${describeContents(start)}; convert it, for example: ffmpeg -i IN -ac 1 -ar 16000 OUT.wav (or: sox IN OUT.wav)`,
  );
}

/** Rounds -1..1 to 16 bits and saturates. Returns the position after the last one written. */
function writeSamples(target: Int16Array, position: number, block: Float32Array): number {
  const length = Math.min(block.length, target.length - position);
  for (let i = 0; i < length; i++) {
    target[position + i] = Math.max(-32768, Math.min(32767, Math.round(block[i] * 32768)));
  }
  return position + length;
}

/**
 * Reads the WAV or FLAC file at a path as 16 kHz mono.
 * Throws AudioFileError, whose `code` is stable and whose message is one sentence for the user.
 */
export async function readAudio(file: string): Promise<Recording> {
  const handle = await openFile(file);
  try {
    const { container, format, frames, blocks } = await openSource(file, handle);
    const { rateHz, channels, bitsPerSample } = format;
    const resampler = await createResampler(rateHz);
    const samples = new Int16Array(Math.round((frames * SAMPLE_RATE_HZ) / rateHz));
    let position = 0;
    for await (const block of blocks) position = writeSamples(samples, position, resampler.push(block));
    writeSamples(samples, position, resampler.finish());
    return {
      samples,
      durationMs: (samples.length * 1000) / SAMPLE_RATE_HZ,
      container,
      source: { rateHz, channels, bitsPerSample },
    };
  } finally {
    await handle.close();
  }
}
