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

const FLAG_MUTED = 1;
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

/** @returns true when the microphone is switched off */
export function isMuted(frame: Buffer): boolean {
  return (frame[OFFSET_LAYOUT] & FLAG_MUTED) !== 0;
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

// A frame that waits carries what the badge knows of it in the place of its first bands, which nobody needs any more: an object for
// each waiting frame would take 3 KB of the heap.
const OFFSET_ENERGY = OFFSET_BANDS;
const OFFSET_LOST_BEFORE = OFFSET_BANDS + 2;

/** Notes a frame's energy, and how many frames were lost right before it; both below 65536. Its first four bands are gone then. */
export function noteHeard(frame: Buffer, energy: number, lostBefore: number): void {
  frame[OFFSET_ENERGY] = energy & 255;
  frame[OFFSET_ENERGY + 1] = energy >> 8;
  frame[OFFSET_LOST_BEFORE] = lostBefore & 255;
  frame[OFFSET_LOST_BEFORE + 1] = lostBefore >> 8;
}

/** @returns the energy that was noted */
export function notedEnergy(frame: Buffer): number {
  return frame[OFFSET_ENERGY] | (frame[OFFSET_ENERGY + 1] << 8);
}

/** @returns the frames lost before it, as noted */
export function notedLostBefore(frame: Buffer): number {
  return frame[OFFSET_LOST_BEFORE] | (frame[OFFSET_LOST_BEFORE + 1] << 8);
}
