// Every interval, threshold and bound of the badge program, with its unit. What a team may tune is in
// `Tuning` (protocol/src/shared/tuning.ts); the rest is fixed.

/** Events wait this long for company before they are sealed into a chunk. */
export const EVENTS_FLUSH_MS = 15000;
/** As many events wait at most. */
export const EVENTS_PENDING_MAX = 10;

/**
 * Longest plaintext of an audio chunk: 1 s of speech at 16 kbit/s. A chunk is in RAM four times over while it is made, sealed, stored and sent, and
 * the heap, which is never compacted, has no room for longer ones.
 */
export const AUDIO_CHUNK_BYTES_MAX = 2048;
/** Bytes of sealed chunks that wait in RAM until they are written to flash: three of audio. */
export const QUEUE_BYTES_MAX = 6656;
/** Sectors of the outbox that audio leaves free for events: a full outbox must still be able to say what was lost. */
export const EVICT_RESERVE_SECTORS = 8;

/** An entry of the account is closed after so much time, or when a conversation ends. */
export const ACCOUNT_ENTRY_MS = 600000;
/** The journal learns so often how far the open entry has come. */
export const HEARTBEAT_MS = 300000;

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

/** A badge that leaves the relay between uploads stays at least this long: letters come right after the welcome. */
export const UPLOAD_LINGER_MS = 2000;
/** A relay that does not close after our farewell is left all the same. */
export const LEAVE_MS_MAX = 2000;

/** The badge says so often how it is. */
export const HEALTH_MS = 2000;
/** The battery is asked so often for its charge. */
export const BATTERY_MS = 60000;
/** Below this charge the badge asks to be charged. */
export const BATTERY_LOW_PERCENT = 15;

/** A technician's check takes no more sound than this. */
export const CHECK_MS_MAX = 5000;
