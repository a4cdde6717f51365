// What the badge must not forget when the power fails, as one page in the journal (docs/flash-layout.md): its place in the key chain, the number of
// the boot, how far the account of the day has come. Nothing else of the badge lasts, but for the log and the settings.
import { ACCOUNT_HASH_BYTES, type AccountEntry, BADGE_ID_BYTES, KEY_BYTES } from "@salestag/protocol";
import type { Journal } from "./flash/journal";
import { numberAt, setNumber } from "./flash/words";

/** All of it. */
export interface BadgeState {
  badgeId: Buffer;
  /** Next epoch that was never used, and chain(epoch). */
  epoch: number;
  chainKey: Buffer;
  /** Key of what the team sends. */
  inboxKey: Buffer;
  /** Number of this boot, from 1. */
  boot: number;
  /** The wearer paused the badge: it stays paused when it starts again. */
  paused: boolean;
  /** Newest nudge of the team that was shown. */
  nudgeId: number;
  /** Latest Unix time in ms that the badge knows of; 0 for none. */
  unixMs: number;
  /** Hash of the account's entry before the first of `unsent`, or before `open`. */
  hash: Buffer;
  /** Entries that are closed and not known to lie in the log, oldest first; at most UNSENT_ENTRIES_MAX. */
  unsent: AccountEntry[];
  /** The entry that is open, as far as it had come. */
  open: AccountEntry;
}

const VERSION = 1;
const ENTRY_BYTES = 13 + 7 * 4;

/** Closed entries that may wait to be stored. */
export const UNSENT_ENTRIES_MAX = 2;

/** @returns an entry of no time */
export function emptyEntry(seq: number, boot: number, startMs: number): AccountEntry {
  return {
    seq,
    boot,
    startMs,
    sentMs: 0,
    silenceMs: 0,
    mutedMs: 0,
    pausedMs: 0,
    refusedMs: 0,
    unheardMs: 0,
    evictedMs: 0,
  };
}

/** The state, and where it is kept. */
export class StateStore {
  constructor(
    private readonly journal: Journal,
    /** Change it, then save it. */
    readonly state: BadgeState,
  ) {}

  /** @throws Error when the flash fails */
  async save(): Promise<void> {
    await this.journal.write(encodeState(this.state));
  }
}

/** @returns at most JOURNAL_STATE_BYTES */
export function encodeState(state: BadgeState): Buffer {
  const bytes = Buffer.alloc(
    2 + BADGE_ID_BYTES + 2 * KEY_BYTES + 18 + ACCOUNT_HASH_BYTES + (1 + UNSENT_ENTRIES_MAX) * ENTRY_BYTES,
  );
  bytes[0] = VERSION;
  bytes[1] = (state.paused ? 1 : 0) | (state.unsent.length << 1);
  let at = 2;
  bytes.set(state.badgeId, at);
  at += BADGE_ID_BYTES;
  bytes.set(state.chainKey, at);
  at += KEY_BYTES;
  bytes.set(state.inboxKey, at);
  at += KEY_BYTES;
  setNumber(bytes, at, 4, state.epoch);
  setNumber(bytes, at + 4, 4, state.boot);
  setNumber(bytes, at + 8, 4, state.nudgeId);
  setNumber(bytes, at + 12, 6, state.unixMs);
  at += 18;
  bytes.set(state.hash, at);
  at += ACCOUNT_HASH_BYTES;
  setEntry(bytes, at, state.open);
  for (const entry of state.unsent) {
    at += ENTRY_BYTES;
    setEntry(bytes, at, entry);
  }
  return bytes;
}

/** @returns undefined when the bytes are of another version */
export function decodeState(bytes: Buffer): BadgeState | undefined {
  if (bytes[0] !== VERSION) return undefined;
  const idEnd = 2 + BADGE_ID_BYTES;
  const chainEnd = idEnd + KEY_BYTES;
  const inboxEnd = chainEnd + KEY_BYTES;
  const hashAt = inboxEnd + 18;
  const openAt = hashAt + ACCOUNT_HASH_BYTES;
  const unsent: AccountEntry[] = [];
  const count = Math.min(bytes[1] >> 1, UNSENT_ENTRIES_MAX);
  for (let i = 1; i <= count; i++) unsent.push(entryAt(bytes, openAt + i * ENTRY_BYTES));
  return {
    badgeId: bytes.slice(2, idEnd),
    chainKey: bytes.slice(idEnd, chainEnd),
    inboxKey: bytes.slice(chainEnd, inboxEnd),
    epoch: numberAt(bytes, inboxEnd, 4),
    boot: numberAt(bytes, inboxEnd + 4, 4),
    nudgeId: numberAt(bytes, inboxEnd + 8, 4),
    unixMs: numberAt(bytes, inboxEnd + 12, 6),
    paused: (bytes[1] & 1) !== 0,
    hash: bytes.slice(hashAt, openAt),
    unsent,
    open: entryAt(bytes, openAt),
  };
}

function setEntry(bytes: Buffer, at: number, entry: AccountEntry): void {
  setNumber(bytes, at, 4, entry.seq);
  setNumber(bytes, at + 4, 4, entry.boot);
  setNumber(bytes, at + 8, 5, entry.startMs);
  setNumber(bytes, at + 13, 4, entry.sentMs);
  setNumber(bytes, at + 17, 4, entry.silenceMs);
  setNumber(bytes, at + 21, 4, entry.mutedMs);
  setNumber(bytes, at + 25, 4, entry.pausedMs);
  setNumber(bytes, at + 29, 4, entry.refusedMs);
  setNumber(bytes, at + 33, 4, entry.unheardMs);
  setNumber(bytes, at + 37, 4, entry.evictedMs);
}

function entryAt(bytes: Buffer, at: number): AccountEntry {
  return {
    seq: numberAt(bytes, at, 4),
    boot: numberAt(bytes, at + 4, 4),
    startMs: numberAt(bytes, at + 8, 5),
    sentMs: numberAt(bytes, at + 13, 4),
    silenceMs: numberAt(bytes, at + 17, 4),
    mutedMs: numberAt(bytes, at + 21, 4),
    pausedMs: numberAt(bytes, at + 25, 4),
    refusedMs: numberAt(bytes, at + 29, 4),
    unheardMs: numberAt(bytes, at + 33, 4),
    evictedMs: numberAt(bytes, at + 37, 4),
  };
}
