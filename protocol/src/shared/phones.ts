// The 40 phone classes of the front end's network, and how a pronunciation is written in a badge's settings: one character for
// each phone. The order is part of frame layout 2 (firmware/services/voice-front-end.md) and never changes.

/** Number of classes: silence, which is class 0, and the 39 phones of ARPAbet. */
export const PHONE_CLASSES = 40;

/** Names of the classes, as the CMU dictionary writes them, in lower case. */
export const PHONE_NAMES =
  "sil aa ae ah ao aw ay b ch d dh eh er ey f g hh ih iy jh k l m n ng ow oy p r s sh t th uh uw v w y z zh";

const CODE_OF_CLASS_0 = 64;

/** @returns the class of a pronunciation's character, 1 to 39; 0 when it is none */
export function phoneClassAt(pronunciation: string, index: number): number {
  const phone = pronunciation.charCodeAt(index) - CODE_OF_CLASS_0;
  return phone > 0 && phone < PHONE_CLASSES ? phone : 0;
}

/** @param phone class, 1 to 39 @returns its character */
export function phoneCharacter(phone: number): string {
  return String.fromCharCode(CODE_OF_CLASS_0 + phone);
}
