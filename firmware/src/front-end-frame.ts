// Where the fields of a voice front end's frame lie. Specified in services/voice-front-end.md.

/** Layout number in the high nibble of the fifth byte. */
export const FRAME_LAYOUT = 2;
/** Frames by which the front end's network looks ahead: `speech` and `posteriors` are about the frame so many before. */
export const LOOK_AHEAD_FRAMES = 10;

export const OFFSET_SEQ = 0;
export const OFFSET_LAYOUT = 4;
export const OFFSET_LEVEL = 5;
export const OFFSET_OPUS_LENGTH = 7;
export const OFFSET_BANDS = 8;
export const OFFSET_SPEECH = 32;
export const OFFSET_TILT = 33;
export const OFFSET_CONTRAST = 34;
export const OFFSET_POSTERIORS = 36;

const FLAG_POSTERIORS = 1 << 2;
const POSTERIORS = 40;

/** @returns the number of the frame's hop */
export function frameSeq(frame: Buffer): number {
  return (
    frame[OFFSET_SEQ] +
    frame[OFFSET_SEQ + 1] * 256 +
    frame[OFFSET_SEQ + 2] * 65536 +
    frame[OFFSET_SEQ + 3] * 16777216
  );
}

/** @returns true when the frame carries posteriors */
export function hasPosteriors(frame: Buffer): boolean {
  return (frame[OFFSET_LAYOUT] & FLAG_POSTERIORS) !== 0;
}

/** @returns offset of the frame's Opus packet */
export function opusOffset(frame: Buffer): number {
  return hasPosteriors(frame) ? OFFSET_POSTERIORS + POSTERIORS : OFFSET_POSTERIORS;
}

/** @returns true when the frame has this layout and all the bytes that it speaks of */
export function isFrame(frame: Buffer): boolean {
  return (
    frame.length >= OFFSET_POSTERIORS &&
    frame[OFFSET_LAYOUT] >> 4 === FRAME_LAYOUT &&
    frame.length >= opusOffset(frame) + frame[OFFSET_OPUS_LENGTH]
  );
}
