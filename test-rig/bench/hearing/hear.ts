// A recording as the badge program gets it: the front end's frames, without sound.
import { FRAME_LAYOUT, OFFSET_LAYOUT } from "../../../firmware/src/front-end-frame";
import { readFrontEnd } from "../../../firmware/voice-front-end/built";
import {
  FEATURE_BYTES,
  FrontEnd,
  HOP_SAMPLES,
  LOOK_AHEAD_HOPS,
  POSTERIOR_BYTES,
} from "../../../firmware/voice-front-end/front-end";

/** Bytes of the sequence number in front of the features. */
const SEQ_BYTES = 4;
const FRAME_BYTES = SEQ_BYTES + FEATURE_BYTES + POSTERIOR_BYTES;

/**
 * @param pcm 16 kHz; a last part shorter than a hop is left out
 * @returns one frame for each hop and for the look-ahead's silence after them, so that every hop gets its word
 */
export function framesOf(pcm: Int16Array): Buffer[] {
  const frontEnd = FrontEnd.load(readFrontEnd());
  const hops = Math.floor(pcm.length / HOP_SAMPLES);
  const silence = new Int16Array(HOP_SAMPLES);
  const all = Buffer.alloc((hops + LOOK_AHEAD_HOPS) * FRAME_BYTES);
  return Array.from({ length: hops + LOOK_AHEAD_HOPS }, (_, seq) => {
    const features = frontEnd.process(
      seq < hops ? pcm.subarray(seq * HOP_SAMPLES, (seq + 1) * HOP_SAMPLES) : silence,
    );
    const frame = all.subarray(seq * FRAME_BYTES, seq * FRAME_BYTES + SEQ_BYTES + features.length);
    frame.writeUInt32LE(seq, 0);
    frame.set(features, SEQ_BYTES);
    if (frame[OFFSET_LAYOUT] >> 4 !== FRAME_LAYOUT)
      throw new Error(
        `The front end makes frames of layout ${frame[OFFSET_LAYOUT] >> 4}, not ${FRAME_LAYOUT}.`,
      );
    return frame;
  });
}
