// The account of a badge's day, checked: entries out of their events, the chain of hashes, the order, the sums, and the sound that arrived beside them
// (docs/account.md). What is wrong is a sentence each.
import {
  type AccountEntry,
  accountedMs,
  accountHash,
  type BadgeEvent,
  EventKind,
  firstAccountHash,
  nodeCrypto,
  readAccountEvent,
} from "@salestag/protocol/host";
import { messageOf } from "@salestag/protocol/team";

/** Where time went. */
export type Spent = "sent" | "silence" | "muted" | "paused" | "refused" | "unheard" | "off";

/** An entry as it was told. */
export interface ToldEntry {
  entry: AccountEntry;
  hash: Buffer;
  /** Where: epoch and index of the chunk. */
  epoch: number;
  index: number;
}

/** Sound that arrived. */
export interface ArrivedSound {
  boot: number;
  startMs: number;
  durationMs: number;
}

/** An entry that stands, with its time. */
export interface Stretch {
  entry: AccountEntry;
  /** Unix time in ms; undefined where nothing tells the boot's time. */
  startUnixMs: number | undefined;
  durationMs: number;
  /** Sound of this stretch that is here, ms. */
  arrivedMs: number;
}

/** Time between two boots. */
export interface OffTime {
  afterBoot: number;
  beforeBoot: number;
  startUnixMs: number | undefined;
  durationMs: number | undefined;
}

export interface Book {
  stretches: Stretch[];
  off: OffTime[];
  problems: string[];
  totals: Record<Exclude<Spent, "off">, number> & { evicted: number; off: number };
}

/** Sound is counted in chunks, an entry may end amid one. */
const CHUNK_MS = 2000;
/** The badge counts frames; what it calls kept may lack the packets that the encoder did not make, or lost frames within a chunk. */
const SOUND_SHARE_MIN = 0.95;

const crypto = nodeCrypto();

/** @returns account entries among the events of a chunk; one that cannot be read becomes a sentence in `problems` */
export function entriesOf(
  events: BadgeEvent[],
  epoch: number,
  index: number,
  problems: string[],
): ToldEntry[] {
  const told: ToldEntry[] = [];
  for (const event of events) {
    if (event.kind !== EventKind.Account) continue;
    try {
      told.push({ ...readAccountEvent(event), epoch, index });
    } catch (cause) {
      problems.push(`an entry in chunk ${epoch}/${index} cannot be read: ${messageOf(cause)}`);
    }
  }
  return told;
}

/**
 * @param told in the order of their chunks
 * @param bootUnixMs when a boot began
 */
export function balance(
  badgeId: Buffer,
  told: ToldEntry[],
  sound: ArrivedSound[],
  bootUnixMs: (boot: number) => number | undefined,
): Book {
  const problems: string[] = [];
  const entries = inOrder(told, problems);
  checkChain(badgeId, entries, problems);
  checkTimes(entries, problems);
  const stretches = entries.map(({ entry }) => {
    const begun = bootUnixMs(entry.boot);
    const durationMs = accountedMs(entry);
    const startUnixMs = begun === undefined ? undefined : begun + entry.startMs;
    return { entry, startUnixMs, durationMs, arrivedMs: soundIn(entry, durationMs, sound) };
  });
  checkSound(stretches, problems);
  const off = offTimes(stretches);
  return { stretches, off, problems, totals: totalsOf(stretches, off) };
}

/** Puts entries into the order of their numbers; each once. An entry may be told twice, the same. */
function inOrder(told: ToldEntry[], problems: string[]): ToldEntry[] {
  const bySeq = new Map<number, ToldEntry>();
  let newest: ToldEntry | undefined;
  for (const one of told) {
    const { seq } = one.entry;
    const before = bySeq.get(seq);
    if (before !== undefined) {
      if (!sameEntry(before, one))
        problems.push(
          `entry ${seq} was told twice, differently: in chunk ${before.epoch}/${before.index} and in chunk ${one.epoch}/${one.index}`,
        );
      continue;
    }
    if (newest !== undefined && seq < newest.entry.seq)
      problems.push(
        `entry ${seq}, in chunk ${one.epoch}/${one.index}, comes after entry ${newest.entry.seq}, in chunk ${newest.epoch}/${newest.index}: they are not in order`,
      );
    else newest = one;
    bySeq.set(seq, one);
  }
  return [...bySeq.values()].sort((a, b) => a.entry.seq - b.entry.seq);
}

/** Field by field: the hash is told beside the values, and may be kept when they are changed. */
function sameEntry(a: ToldEntry, b: ToldEntry): boolean {
  const fields = Object.keys(a.entry) as (keyof AccountEntry)[];
  return a.hash.equals(b.hash) && fields.every((field) => a.entry[field] === b.entry[field]);
}

function checkChain(badgeId: Buffer, entries: ToldEntry[], problems: string[]): void {
  let expectedSeq = 0;
  let hash: Buffer | undefined = firstAccountHash(crypto, badgeId);
  for (const one of entries) {
    const { seq } = one.entry;
    if (seq > expectedSeq) {
      const missing =
        seq - expectedSeq === 1 ? `entry ${expectedSeq} is` : `entries ${expectedSeq} to ${seq - 1} are`;
      problems.push(`${missing} missing`);
      hash = undefined; // what it is chained to is not known
    }
    if (hash !== undefined && !accountHash(crypto, hash, one.entry).equals(one.hash))
      problems.push(
        `entry ${seq}, in chunk ${one.epoch}/${one.index}, does not match its hash: it, or the entry before it, was changed`,
      );
    hash = one.hash;
    expectedSeq = seq + 1;
  }
}

function checkTimes(entries: ToldEntry[], problems: string[]): void {
  for (const [place, { entry }] of entries.entries()) {
    const before = entries[place - 1]?.entry;
    const isFirst =
      before === undefined ? entry.seq === 0 : before.seq === entry.seq - 1 && before.boot !== entry.boot;
    if (isFirst && entry.startMs > 0)
      problems.push(
        `the first ${entry.startMs} ms of boot ${entry.boot}, before entry ${entry.seq}, are not accounted for`,
      );
  }
  for (let i = 1; i < entries.length; i++) {
    const { entry: before } = entries[i - 1];
    const { entry } = entries[i];
    if (entry.seq !== before.seq + 1) continue;
    if (entry.boot < before.boot)
      problems.push(`entry ${entry.seq} is of boot ${entry.boot}, the one before it of boot ${before.boot}`);
    if (entry.boot !== before.boot) continue;
    const endMs = before.startMs + accountedMs(before);
    if (entry.startMs > endMs)
      problems.push(
        `between entries ${before.seq} and ${entry.seq} ${entry.startMs - endMs} ms are not accounted for`,
      );
    else if (entry.startMs < endMs)
      problems.push(`entries ${before.seq} and ${entry.seq} both account for ${endMs - entry.startMs} ms`);
  }
}

function soundIn(entry: AccountEntry, durationMs: number, sound: ArrivedSound[]): number {
  let ms = 0;
  for (const { boot, startMs, durationMs: lengthMs } of sound)
    if (boot === entry.boot)
      ms += Math.max(
        0,
        Math.min(startMs + lengthMs, entry.startMs + durationMs) - Math.max(startMs, entry.startMs),
      );
  return ms;
}

/** What the badge calls sent must be here, but for what it gave up, or lost, later. */
function checkSound(stretches: Stretch[], problems: string[]): void {
  let evictedMs = stretches.reduce((sum, { entry }) => sum + entry.evictedMs, 0);
  for (const { entry, arrivedMs } of stretches) {
    if (arrivedMs > entry.sentMs + 2 * CHUNK_MS)
      problems.push(
        `entry ${entry.seq} says that ${seconds(entry.sentMs)} of sound were sent, and ${seconds(arrivedMs)} are here: more than anybody is told of`,
      );
    const wantedMs = entry.sentMs * SOUND_SHARE_MIN - CHUNK_MS;
    if (arrivedMs >= wantedMs) continue;
    const missingMs = entry.sentMs - arrivedMs;
    const excusedMs = Math.min(missingMs, evictedMs);
    evictedMs -= excusedMs;
    if (arrivedMs + excusedMs < wantedMs)
      problems.push(
        `entry ${entry.seq} says that ${seconds(entry.sentMs)} of sound were sent, ${seconds(arrivedMs)} are here and ${seconds(excusedMs)} were given up: chunks are missing`,
      );
  }
}

function offTimes(stretches: Stretch[]): OffTime[] {
  const off: OffTime[] = [];
  for (let i = 1; i < stretches.length; i++) {
    const before = stretches[i - 1];
    const { entry, startUnixMs } = stretches[i];
    if (entry.boot === before.entry.boot) continue;
    const known = before.startUnixMs === undefined ? undefined : before.startUnixMs + before.durationMs;
    const begunUnixMs = startUnixMs === undefined ? undefined : startUnixMs - entry.startMs;
    off.push({
      afterBoot: before.entry.boot,
      beforeBoot: entry.boot,
      startUnixMs: known,
      durationMs:
        known === undefined || begunUnixMs === undefined ? undefined : Math.max(0, begunUnixMs - known),
    });
  }
  return off;
}

/** @returns the sums of these stretches and of the time between them */
export function totalsOf(stretches: Stretch[], off: OffTime[]): Book["totals"] {
  const sum = (of: (entry: AccountEntry) => number) =>
    stretches.reduce((total, { entry }) => total + of(entry), 0);
  return {
    sent: sum(({ sentMs }) => sentMs),
    silence: sum(({ silenceMs }) => silenceMs),
    muted: sum(({ mutedMs }) => mutedMs),
    paused: sum(({ pausedMs }) => pausedMs),
    refused: sum(({ refusedMs }) => refusedMs),
    unheard: sum(({ unheardMs }) => unheardMs),
    evicted: sum(({ evictedMs }) => evictedMs),
    off: off.reduce((total, { durationMs }) => total + (durationMs ?? 0), 0),
  };
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
