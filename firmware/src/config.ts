// Every interval, threshold and bound of the badge program, with its unit. What a team may tune is in `Tuning` and can be
// provisioned as one JSON setting; the rest is fixed.

/** What a field tech may set; the setting `tuning` holds any part of it. */
export interface Tuning {
  /** Frames of 20 ms kept from before the first frame of speech. */
  preRollFrames: number;
  /** Frames kept after the last frame of speech. */
  hangoverFrames: number;
  /** Speech score (vad.ts), in sixteenths of a nat, from which a frame is speech: lower hears more, and more that is none. */
  onsetScore: number;
  /** Speech score below which speech ends. */
  releaseScore: number;
  /** Time without speech that ends a conversation. */
  conversationGapMs: number;
  /** Longest conversation. */
  conversationMsMax: number;
}

export const TUNING_DEFAULT: Tuning = {
  preRollFrames: 20,
  hangoverFrames: 20,
  onsetScore: 36,
  releaseScore: 24,
  conversationGapMs: 30000,
  conversationMsMax: 2 * 3600 * 1000,
};

/** Events wait this long for company before they are sealed into a chunk. */
export const EVENTS_FLUSH_MS = 15000;
/** As many events wait at most. */
export const EVENTS_PENDING_MAX = 24;

/** Bytes of sealed audio that the RAM outbox holds: about 5 s of speech at 16 kbit/s. The heap has no room for more. */
export const OUTBOX_BYTES_MAX = 10752;
/** Bytes beyond that, kept free for events: a full outbox must still be able to say what was lost. */
export const OUTBOX_RESERVE_BYTES = 768;

/** No frame for this long while a conversation runs: the microphone is gone. */
export const MICROPHONE_LOST_MS = 2000;

/** First pause after a lost connection; doubled each time. */
export const RETRY_MS_MIN = 500;
/** Longest pause. */
export const RETRY_MS_MAX = 60000;
/** A relay that sends nothing for this long during the proof is given up. */
export const PROOF_MS_MAX = 10000;
/** Silence of this length on the line is broken by a ping. */
export const PING_AFTER_MS = 30000;
/** Nothing from the relay for this long: the connection is dead. */
export const DEAD_AFTER_MS = 75000;
