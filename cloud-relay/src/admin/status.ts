// What `GET /status` answers: the relay as one JSON object, for the status page and for scripts (docs/relay-admin.md). Types alone, so that the page is
// checked against them too. Times are Unix ms of the relay's clock.

/** Most badges that one answer lists. */
export const BADGES_LISTED_MAX = 2000;
/** Longest reason that a sink's failure is told with, in characters. */
export const WHY_CHARACTERS_MAX = 300;

/** The relay at one moment. */
export interface Status {
  version: string;
  /** The relay's clock. */
  nowUnixMs: number;
  /** Since the relay started; smaller than before when it started again. */
  uptimeMs: number;
  badges: {
    /** How many are connected, and how many the registry knows; `listed` may have fewer. */
    online: number;
    registered: number;
    /** Connected ones first, then those that went last. At most BADGES_LISTED_MAX. */
    listed: BadgeStatus[];
  };
  /** Made durable since the relay started. */
  stored: { chunks: number; bytes: number };
  spool: {
    /** What its segments take. */
    bytes: number;
    /** Their bound; null where the disk is the bound. */
    bytesMax: number | null;
    /** False while badges are told to hold. */
    hasRoom: boolean;
  };
  sinks: SinkStatus[];
}

/** One badge. Where it connects from is not told. */
export interface BadgeStatus {
  /** 16 hexadecimal digits. */
  id: string;
  /** Whose it is, as provisioning wrote it; empty for one that is not in the registry any more. */
  label: string;
  online: boolean;
  /** When it came or went; null when it was not here since the relay started. */
  sinceUnixMs: number | null;
  /** When the last frame of it came; null as above. */
  heardUnixMs: number | null;
  /** The newest of its chunks that was acked; null when there is none. */
  newest: { epoch: number; index: number } | null;
}

/** `current`: it has all; `behind`: it is being fed; `failing`: its last delivery failed and will be repeated. */
export type SinkState = "current" | "behind" | "failing";

/** One sink. */
export interface SinkStatus {
  name: string;
  /** Bytes of records that it has not had. */
  behindBytes: number;
  /** Deliveries that failed since the relay started. */
  failuresTotal: number;
  /** Chunks that it would not take and that were put aside. */
  deadLetters: number;
  state: SinkState;
  /** Why it is failing, at most WHY_CHARACTERS_MAX characters; empty otherwise. */
  why: string;
  /** When it is tried again; null when it is not failing. */
  retryUnixMs: number | null;
}
