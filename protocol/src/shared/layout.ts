// Sizes, offsets and limits of the wire format, the sealed chunk and the keys, in one place. Everything that is sent or
// stored takes its numbers from here. Described for readers in docs/wire-format.md and protocol/wire.cddl.

/** Version of the wire protocol and of the sealed chunk that this code speaks. */
export const PROTOCOL_VERSION = 1;

/** Bytes of a badge id: random, made anew at each provisioning. */
export const BADGE_ID_BYTES = 8;
/** Bytes of every key: authentication key, chain key, epoch key, chunk key, session key. */
export const KEY_BYTES = 32;
/** Bytes of the nonces that badge and relay exchange in the mutual proof. */
export const NONCE_BYTES = 16;
/** Bytes of a proof: a whole HMAC-SHA-256. */
export const PROOF_BYTES = 32;
/** Bytes of HMAC that end every frame after the proof. */
export const FRAME_MAC_BYTES = 8;

/** Bytes of the length prefix of a frame: u16, big endian, counts everything after itself. */
export const FRAME_LENGTH_BYTES = 2;
/** Largest value of the length prefix: type, body and MAC together. */
export const FRAME_PAYLOAD_BYTES_MAX = 16384;
/** Longest payload that is accepted before the mutual proof is done: no honest frame of that phase is longer. */
export const FRAME_UNPROVEN_BYTES_MAX = 256;

/** Longest payload that a badge accepts after the proof: its heap is small, and nothing that a relay sends is longer. */
export const FRAME_TO_BADGE_BYTES_MAX = 1024;

/** Nonce bytes of AES-256-CCM as the badge has it. A chunk key seals one chunk, so the nonce is all zero. */
export const CHUNK_NONCE_BYTES = 13;
/** Tag bytes at the end of a sealed chunk. */
export const CHUNK_TAG_BYTES = 16;
/** Longest encoded chunk header. */
export const CHUNK_HEADER_BYTES_MAX = 64;
/** Longest plaintext of a chunk: one more byte and the chunk is closed. */
export const CHUNK_PLAINTEXT_BYTES_MAX = 4608;

/** Length of a hop of the voice front end, and so of one Opus packet. */
export const FRAME_MS = 20;
/** Longest time that one audio chunk may span, in frames of 20 ms: 2 s. */
export const CHUNK_FRAMES_MAX = 100;

/** Longest human-readable text in an error frame, in bytes of UTF-8. */
export const ERROR_TEXT_BYTES_MAX = 200;
