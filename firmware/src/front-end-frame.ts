// Where the fields of a voice front end's frame lie. Specified in services/voice-front-end.md.

/** Layout number in the high nibble of the fourth byte. */
export const FRAME_LAYOUT = 1;

export const OFFSET_SEQ = 0;
export const OFFSET_LAYOUT = 4;
export const OFFSET_OPUS_LENGTH = 7;
export const OFFSET_BANDS = 8;
export const OFFSET_OPUS = 32;

/** @returns the number of the frame's hop */
export function frameSeq(frame: Buffer): number {
  return (
    frame[OFFSET_SEQ] +
    frame[OFFSET_SEQ + 1] * 256 +
    frame[OFFSET_SEQ + 2] * 65536 +
    frame[OFFSET_SEQ + 3] * 16777216
  );
}

/** @returns true when the frame has this layout and all the bytes that it speaks of */
export function isFrame(frame: Buffer): boolean {
  return (
    frame.length >= OFFSET_OPUS &&
    frame[OFFSET_LAYOUT] >> 4 === FRAME_LAYOUT &&
    frame.length >= OFFSET_OPUS + frame[OFFSET_OPUS_LENGTH]
  );
}
