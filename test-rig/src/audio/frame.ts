// One frame of the voice front end, layout 2: bytes and fields (firmware/services/voice-front-end.md).

import { FEATURE_BYTES, FLAG_POSTERIORS, POSTERIOR_BYTES } from "../../../firmware/voice-front-end/front-end";

const LAYOUT = 2;
const FEATURES_OFFSET = 4;
const OPUS_LENGTH_OFFSET = 7;
const BANDS_OFFSET = 8;
const SPEECH_OFFSET = 32;
/** Bytes of a frame before its posteriors, or its packet where there are none. */
export const FRAME_HEADER_BYTES = FEATURES_OFFSET + FEATURE_BYTES;
/** Bytes of the longest frame before its packet. */
export const FRAME_HEADER_BYTES_MAX = FRAME_HEADER_BYTES + POSTERIOR_BYTES;
const OPUS_BYTES_MAX = 160;
const MUTED = 1 << 0;
const CLIPPED = 1 << 1;

/** What a frame says. */
export interface Frame {
  /** Number of the hop since the front end started; it covers 20 ms from `seq * 20` ms. */
  seq: number;
  muted: boolean;
  clipped: boolean;
  /** 0 down to -127.5, in steps of 0.5. */
  levelDbfs: number;
  /** 0..1 */
  harmonicity: number;
  /** 24 log powers, 8 units an octave of power. */
  bands: Uint8Array;
  /** Natural logarithm of the odds that hop `seq - 10` is speech; undefined in the first 10 hops. */
  speechLogOdds: number | undefined;
  /** 0..255, about 128: highs against lows. */
  tilt: number;
  /** Highest less lowest level of the last 16 hops. */
  contrastDb: number;
  /** 40 posterior bytes of the hops `seq - 10` and `seq - 9`, in even frames from 10 on. */
  posteriors: Uint8Array | undefined;
  /** Empty if the encoder made no packet. */
  opus: Uint8Array;
}

/** Offset of the packet in the frame that starts at an offset. */
function opusOffsetAt(bytes: Buffer, offset: number): number {
  return bytes[offset + FEATURES_OFFSET] & FLAG_POSTERIORS ? FRAME_HEADER_BYTES_MAX : FRAME_HEADER_BYTES;
}

/** Bytes of the frame that starts at an offset, by its flags and its packet's length; at least its header must be there. */
export function frameBytesAt(bytes: Buffer, offset: number): number {
  return opusOffsetAt(bytes, offset) + bytes[offset + OPUS_LENGTH_OFFSET];
}

/** Writes a frame at an offset and returns its length. `features` is what FrontEnd.process gives. */
export function writeFrame(
  target: Buffer,
  offset: number,
  seq: number,
  features: Uint8Array,
  opus: Uint8Array,
): number {
  target.writeUInt32LE(seq, offset);
  target.set(features, offset + FEATURES_OFFSET);
  target[offset + OPUS_LENGTH_OFFSET] = opus.length;
  target.set(opus, offset + FEATURES_OFFSET + features.length);
  return FEATURES_OFFSET + features.length + opus.length;
}

/** The fields of a frame. Throws RangeError for another layout or a length that does not add up. */
export function parseFrame(bytes: Buffer): Frame {
  if (bytes.length < FRAME_HEADER_BYTES) {
    throw new RangeError(`A frame has at least ${FRAME_HEADER_BYTES} bytes, not ${bytes.length}.`);
  }
  const flags = bytes[FEATURES_OFFSET];
  if (flags >> 4 !== LAYOUT)
    throw new RangeError(`The frame's layout is ${flags >> 4}; only ${LAYOUT} is known.`);
  const opusLength = bytes[OPUS_LENGTH_OFFSET];
  const opusOffset = opusOffsetAt(bytes, 0);
  if (opusLength > OPUS_BYTES_MAX || bytes.length !== opusOffset + opusLength) {
    throw new RangeError(
      `A frame of ${bytes.length} bytes cannot hold a packet of ${opusLength}; ${opusOffset} come before it.`,
    );
  }
  const speech = bytes[SPEECH_OFFSET];
  return {
    seq: bytes.readUInt32LE(0),
    muted: (flags & MUTED) !== 0,
    clipped: (flags & CLIPPED) !== 0,
    levelDbfs: -bytes[5] / 2,
    harmonicity: bytes[6] / 255,
    bands: Uint8Array.from(bytes.subarray(BANDS_OFFSET, SPEECH_OFFSET)),
    speechLogOdds: speech === 0 ? undefined : (speech - 128) / 16,
    tilt: bytes[SPEECH_OFFSET + 1],
    contrastDb: bytes[SPEECH_OFFSET + 2] / 2,
    posteriors:
      opusOffset === FRAME_HEADER_BYTES
        ? undefined
        : Uint8Array.from(bytes.subarray(FRAME_HEADER_BYTES, opusOffset)),
    opus: Uint8Array.from(bytes.subarray(opusOffset)),
  };
}
