// Every interval, threshold and bound of the badge program, with its unit. What a team may tune is in
// `Tuning` (protocol/src/shared/tuning.ts); the rest is fixed.

/** Events wait this long for company before they are sealed into a chunk. */
export const EVENTS_FLUSH_MS = 15000;
/** As many events wait at most. */
export const EVENTS_PENDING_MAX = 24;

/** Bytes of sealed audio that the RAM outbox holds: about 6 s of speech at 16 kbit/s. The heap has no room for more. */
export const OUTBOX_BYTES_MAX = 12800;
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
