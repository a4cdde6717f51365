// What an emulated badge hears that stays switched on: a quiet room, in it a recording, once or over and over.
import { readFrontEnd } from "../../firmware/voice-front-end/built";
import { cachedFrames } from "./audio/cache";
import type { FrameSource } from "./audio/frames";
import { Random } from "./emulator/random";
import { CACHE_FOLDER, prepareRecording } from "./recording";

const SAMPLES_PER_SECOND = 16_000;
const QUIET_S = 20;
/** Steps of the converter, either way: about -84 dB below full scale. */
const QUIET_STEPS = 3;
const QUIET_SEED = 1;
/** Silence before a recording comes again: long enough that its conversation ends (30 s by default). */
const PAUSE_FRAMES = 2000;

/** Gives the frame of every hop, without end. */
export type Ambience = (seq: number) => Buffer;

/** @returns a quiet room */
export async function quietRoom(): Promise<Ambience> {
  const random = new Random(QUIET_SEED);
  const samples = Int16Array.from({ length: QUIET_S * SAMPLES_PER_SECOND }, () =>
    Math.round((random.uint32() / 0xffffffff) * 2 * QUIET_STEPS - QUIET_STEPS),
  );
  const { source } = await cachedFrames(samples, CACHE_FOLDER, { frontEnd: readFrontEnd() });
  return over(source, source.recordedFrames);
}

/**
 * @param file a recording, WAV or FLAC
 * @param loop play it again after each pause; else a quiet room follows
 * @throws AudioFileError when it cannot be used
 */
export async function recordingIn(room: Ambience, file: string, loop: boolean): Promise<Ambience> {
  const { frames } = await prepareRecording(file, undefined);
  if (loop) return over(frames, even(frames.recordedFrames) + PAUSE_FRAMES);
  return (seq) => (seq < frames.recordedFrames ? frames.frame(seq) : room(seq));
}

/** A round of so many frames over and over; an even number of them, as every second frame carries more than the others. */
function over(source: FrameSource, roundFrames: number): Ambience {
  return (seq) => {
    const frame = source.frame(seq % roundFrames);
    frame.writeUInt32LE(seq, 0);
    return frame;
  };
}

function even(frames: number): number {
  return frames + (frames % 2);
}
