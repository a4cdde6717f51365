// What the monitor knows of a badge. It stays of one size over days: lists have limits, and sounds are never kept.
import type { BadgeHealth } from "@salestag/protocol/host";

/** Turns are kept for so long: over this time the shares of talk are told. */
export const TALK_WINDOW_MS = 5 * 60_000;
export const TURNS_MAX = 400;
export const PHRASES_KEPT = 20;
export const LINES_KEPT = 100;
const LINE_CHARACTERS_MAX = 400;

/** Where the cable is. */
export interface Cable {
  plugged: boolean;
  sinceMs: number;
  /** Why it is gone; "" while it is plugged in. */
  why: string;
}

/** What the technician's computer asked the badge about itself; what it did not answer is missing. */
export interface Who {
  badge?: string;
  relay?: string;
  /** False: it has no keys. */
  provisioned?: boolean;
  /** Hardware id, 16 hexadecimal digits. */
  deviceId?: string;
  /** Name and version of its program. */
  program?: string;
  /** First digits of the SHA-256 of its program. */
  programHash?: string;
}

/** Of one frame of the front end, all that the monitor reads. */
export interface Sound {
  /** 0 down to -127.5 dB below full scale. */
  levelDb: number;
  clipped: boolean;
  muted: boolean;
  /** 0 to 1: how likely it is that somebody speaks, by the badge's network; undefined while it does not know. */
  speech?: number;
}

/** The meter. */
export interface Meter extends Sound {
  atMs: number;
  peakDb: number;
  peakMs: number;
  /** When a sample clipped last. */
  clippedMs?: number;
}

/** How much memory and time the runtime takes (firmware/services/runtime-vitals.md). */
export interface Vitals {
  heapBytes: number;
  heapUsedBytes: number;
  /** Largest free block; undefined where the badge does not tell it. */
  heapFreeBlockBytes?: number;
  /** Share of a core, in thousandths. */
  loadPerMille: number;
}

export interface Turn {
  /** When it was told, at its end. */
  atMs: number;
  durationMs: number;
  /** A Talker. */
  talker: number;
}

export interface HeardPhrase {
  atMs: number;
  number: number;
}

export type Consent = "not yet known" | "asking" | "announced" | "by phrase" | "by button" | "refused";

export interface Conversation {
  epoch: number;
  sinceMs: number;
  /** False for one that began before the monitor did: it is older than `sinceMs`. */
  seenBegin: boolean;
  consent: Consent;
}

export interface EndedConversation extends Conversation {
  endedMs: number;
  /** An EndReason; 0: it was refused and destroyed. */
  reason: number;
}

/** Chunks on their way. Counts are since the monitor began. */
export interface Outbox {
  /** Chunks that the relay does not have; undefined until the badge says it. */
  waiting?: number;
  sealed: number;
  stored: number;
  /** The relay has every chunk before this one, and said so at that time. */
  acked?: { epoch: number; index: number; atMs: number };
  refused: number;
  /** Sound that was taken and is lost, ms. */
  lostMs: number;
}

/** Connection to the relay. */
export interface Link {
  up: boolean;
  sinceMs: number;
  /** When it tries again, and why it is down. */
  retryMs: number;
  why: string;
  /** True while the relay has no room. */
  held: boolean;
  /** True while the badge stays away because all was sent; it comes back at `retryMs` at the latest. */
  rests: boolean;
  /** Times that it went down, or did not come up. */
  downs: number;
}

export interface LogLine {
  atMs: number;
  /** An event is a trace line. */
  severity: "error" | "warning" | "log" | "event";
  text: string;
}

export interface MonitorState {
  cable: Cable;
  who: Who;
  /** Name of the light's pattern; undefined until it changes the first time. */
  shows?: string;
  meter?: Meter;
  /** Between `@onset` and `@speech`. */
  speaking: boolean;
  conversation?: Conversation;
  last?: EndedConversation;
  /** In order, none older than TALK_WINDOW_MS, at most TURNS_MAX. */
  turns: Turn[];
  phrases: HeardPhrase[];
  outbox: Outbox;
  link?: Link;
  health?: BadgeHealth & { atMs: number };
  /** "untold": the badge has no such service. */
  vitals?: (Vitals & { atMs: number }) | "untold";
  /** Times that cable or badge lost something on the way here. */
  losses: number;
  marks: number;
  nudges: number;
  /** Warnings and errors, and all else that is worth a line; newest last. */
  problems: LogLine[];
  chatter: LogLine[];
}

/** What comes in. */
export type Input =
  | { kind: "plugged" }
  | { kind: "gone"; why: string }
  | { kind: "who"; who: Pick<Who, "deviceId" | "program" | "programHash"> }
  | { kind: "line"; text: string }
  | { kind: "sound"; sound: Sound }
  | { kind: "vitals"; vitals: Vitals | "untold" }
  | { kind: "losses"; losses: number };

/** @returns what is known before anything came */
export function initialState(nowMs: number): MonitorState {
  return {
    cable: { plugged: false, sinceMs: nowMs, why: "" },
    who: {},
    speaking: false,
    turns: [],
    phrases: [],
    outbox: { sealed: 0, stored: 0, refused: 0, lostMs: 0 },
    losses: 0,
    marks: 0,
    nudges: 0,
    problems: [],
    chatter: [],
  };
}

/** @returns text of a badge as a terminal may show it: no control characters, nothing that turns the writing around, not without end */
export function clean(text: string): string {
  return text.slice(0, LINE_CHARACTERS_MAX).replace(/\p{C}/gu, "?");
}

/** @returns the list with one more at its end, without its first when it is longer than `max` */
export function kept<T>(list: T[], one: T, max: number): T[] {
  return [...list.slice(Math.max(0, list.length + 1 - max)), one];
}
