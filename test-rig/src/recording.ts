// A recording, ready to be played: read from a file, turned into front-end frames, cached by content.
import { fileURLToPath } from "node:url";
import { readFrontEnd } from "../../firmware/voice-front-end/built";
import { cachedFrames } from "./audio/cache";
import type { FrameSource } from "./audio/frames";
import type { OpusOptions } from "./audio/opus";
import { readAudio } from "./audio/read-audio";

/** Where made frames are kept when nothing else is said. */
export const CACHE_FOLDER = fileURLToPath(new URL("../../.cache/frames/", import.meta.url));

export interface PreparedRecording {
  durationMs: number;
  /** What the file holds, in words. */
  format: string;
  frames: FrameSource;
  /** True when the frames came from the cache. */
  hit: boolean;
  frontEndMs: number;
  opusMs: number;
}

/**
 * Reads a recording and makes its frames.
 * @throws AudioFileError when the file cannot be used
 */
export async function prepareRecording(
  file: string,
  opus: OpusOptions | undefined,
  onProgress?: (done: number, total: number) => void,
): Promise<PreparedRecording> {
  const { samples, durationMs, container, source } = await readAudio(file);
  const frontEnd = readFrontEnd();
  const cached = await cachedFrames(samples, CACHE_FOLDER, { frontEnd, opus, onProgress });
  const { source: frames, hit, frontEndMs, opusMs } = cached;
  const channels = source.channels === 1 ? "mono" : `${source.channels} channels`;
  const format = `${container.toUpperCase()}, ${source.rateHz} Hz, ${channels}`;
  return { durationMs, format, frames, hit, frontEndMs, opusMs };
}
