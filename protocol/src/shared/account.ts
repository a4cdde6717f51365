// The account of the day: entries that follow each other without a hole in a badge's time and say how many ms of theirs went where, each
// chained to the one before by a hash (docs/account.md). An entry travels as an event of kind Account.
import { asciiBytes } from "./bytes";
import { CborWriter } from "./cbor";
import type { Crypto } from "./crypto";
import { FormatError } from "./errors";
import { type BadgeEvent, EventKind } from "./events";

/** Bytes of the hash that an entry ends with. */
export const ACCOUNT_HASH_BYTES = 16;

/** Values of an event of kind Account, and the first of those that are the hash. */
const VALUES = 14;
const HASH_FROM = 10;

/** One entry. Its time is the sum of all but `evictedMs`. */
export interface AccountEntry {
  /** Number of the entry in the badge's life, from 0. */
  seq: number;
  /** Number of the boot that `startMs` counts from. */
  boot: number;
  startMs: number;
  /** Kept, and stored to be sent. */
  sentMs: number;
  /** Nobody spoke. */
  silenceMs: number;
  /** The microphone was switched off. */
  mutedMs: number;
  /** The wearer had paused the badge, or the policy is `off`. */
  pausedMs: number;
  /** Spoken and not kept, because nobody consented. */
  refusedMs: number;
  /** Not heard, or heard and not stored: lost on the way from the microphone, or no room. */
  unheardMs: number;
  /** Of what earlier entries call sent: given up or lost in storage since. */
  evictedMs: number;
}

/** @returns the time that an entry accounts for */
export function accountedMs(entry: AccountEntry): number {
  const { sentMs, silenceMs, mutedMs, pausedMs, refusedMs, unheardMs } = entry;
  return sentMs + silenceMs + mutedMs + pausedMs + refusedMs + unheardMs;
}

/** @returns what the badge's first entry is chained to */
export function firstAccountHash(crypto: Crypto, badgeId: Buffer): Buffer {
  return crypto.hmac(badgeId, [asciiBytes("salestag account 1")]).slice(0, ACCOUNT_HASH_BYTES);
}

/** @returns the hash of an entry, from that of the entry before it */
export function accountHash(crypto: Crypto, before: Buffer, entry: AccountEntry): Buffer {
  const encoded = new CborWriter(96)
    .array(10)
    .uint(entry.seq)
    .uint(entry.boot)
    .uint(entry.startMs)
    .uint(entry.sentMs)
    .uint(entry.silenceMs)
    .uint(entry.mutedMs)
    .uint(entry.pausedMs)
    .uint(entry.refusedMs)
    .uint(entry.unheardMs)
    .uint(entry.evictedMs)
    .done();
  return crypto.hmac(before, [encoded]).slice(0, ACCOUNT_HASH_BYTES);
}

/**
 * @param hash that of the entry
 * @param atMs when it is told
 */
export function accountEvent(entry: AccountEntry, hash: Buffer, atMs: number): BadgeEvent {
  const values = [
    entry.seq,
    entry.boot,
    entry.startMs,
    entry.sentMs,
    entry.silenceMs,
    entry.mutedMs,
    entry.pausedMs,
    entry.refusedMs,
    entry.unheardMs,
    entry.evictedMs,
  ];
  for (let at = 0; at < ACCOUNT_HASH_BYTES; at += 4)
    values.push(hash[at] + hash[at + 1] * 256 + hash[at + 2] * 65536 + hash[at + 3] * 16777216);
  return { kind: EventKind.Account, atMs, values };
}

/** @throws FormatError when the event is no account entry */
export function readAccountEvent(event: BadgeEvent): { entry: AccountEntry; hash: Buffer } {
  const v = event.values;
  if (event.kind !== EventKind.Account || v.length !== VALUES)
    throw new FormatError(`event of kind ${event.kind} with ${v.length} values is no account entry`);
  const hash = Buffer.alloc(ACCOUNT_HASH_BYTES);
  for (let i = 0; i < v.length; i++)
    if (v[i] < 0 || (i >= HASH_FROM && v[i] > 4294967295))
      throw new FormatError(`account entry has the value ${v[i]} in place ${i}`);
  for (let at = 0; at < ACCOUNT_HASH_BYTES; at++) {
    const word = v[HASH_FROM + (at >> 2)];
    hash[at] = (word >>> (8 * (at & 3))) & 255;
  }
  const [seq, boot, startMs, sentMs, silenceMs, mutedMs, pausedMs, refusedMs, unheardMs, evictedMs] = v;
  const entry = {
    seq,
    boot,
    startMs,
    sentMs,
    silenceMs,
    mutedMs,
    pausedMs,
    refusedMs,
    unheardMs,
    evictedMs,
  };
  return { entry, hash };
}
