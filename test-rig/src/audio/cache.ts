// Keeps made frames by what they were made from, because encoding dominates a replay. A file holds the SHA-256 of
// its frames and then the frames; one that does not match is made again. Files hold a recording's sound, so only
// their owner may read them; they appear under their name when complete.

import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { encodeFrames, type FrameOptions, FrameSource, SILENCE_FRAMES } from "./frames";
import { OPUS_DEFAULTS, OPUS_LIBRARY } from "./opus";

/** Changes with the frames' making in frames.ts. */
const CACHE_VERSION = 2;
const DIGEST_BYTES = 32;

/** A source of frames, and what it cost to get it. */
export interface CachedFrames {
  source: FrameSource;
  /** Whether the frames came from the cache; then nothing was computed. */
  hit: boolean;
  frontEndMs: number;
  opusMs: number;
}

function sha256(bytes: Uint8Array): Buffer {
  return createHash("sha256").update(bytes).digest();
}

/** Name of the frames that these samples and options give, 64 hex digits. */
function cacheKey(samples: Int16Array, { frontEnd, opus = OPUS_DEFAULTS }: FrameOptions): string {
  const { bitrateBps, complexity } = opus;
  const made = [CACHE_VERSION, SILENCE_FRAMES, OPUS_LIBRARY, bitrateBps, complexity];
  return createHash("sha256")
    .update(`${JSON.stringify(made)}\n`)
    .update(sha256(frontEnd.wasm))
    .update(sha256(frontEnd.network))
    .update(new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength))
    .digest("hex");
}

/** The frames of a cache file, or undefined if there is none or it is damaged. */
async function readCached(file: string): Promise<Buffer | undefined> {
  let bytes: Buffer;
  try {
    bytes = await readFile(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
  const frames = bytes.subarray(DIGEST_BYTES);
  return sha256(frames).equals(bytes.subarray(0, DIGEST_BYTES)) ? frames : undefined;
}

async function writeCached(folder: string, file: string, frames: Buffer): Promise<void> {
  const partFolder = await mkdtemp(join(folder, "part-"));
  try {
    const part = join(partFolder, "frames");
    await writeFile(part, Buffer.concat([sha256(frames), frames]), { mode: 0o600 });
    await rename(part, file);
  } finally {
    await rm(partFolder, { recursive: true, force: true });
  }
}

/**
 * The frames of a recording, from the cache in `folder` or made and put there; the folder is made if missing.
 * Throws what the file system throws if the folder cannot be read or written.
 */
export async function cachedFrames(
  samples: Int16Array,
  folder: string,
  options: FrameOptions,
): Promise<CachedFrames> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const file = join(folder, `${cacheKey(samples, options)}.frames`);
  const cached = await readCached(file);
  if (cached) return { source: new FrameSource(cached), hit: true, frontEndMs: 0, opusMs: 0 };
  const { bytes, frontEndMs, opusMs } = await encodeFrames(samples, options);
  await writeCached(folder, file, bytes);
  return { source: new FrameSource(bytes), hit: false, frontEndMs, opusMs };
}
