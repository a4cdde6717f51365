// What is known of one conversation while its chunks come, in any order: headers of all, events of those that hold some. Audio is not opened before the end.
import {
  type BadgeEvent,
  ChunkKind,
  type ChunkRecord,
  ConsentMeans,
  decodeChunkHeader,
  decodeEvents,
  EventKind,
  nodeCrypto,
  openChunk,
} from "@salestag/protocol/host";
import { messageOf } from "@salestag/protocol/service";
import type { Place } from "../ingest/archive";

const crypto = nodeCrypto();

/** Last time that a `Date` can hold. */
const UNIX_MS_MAX = 8.64e15;

interface Span {
  /** ms since the badge booted. */
  startMs: number;
  durationMs: number;
  receivedMs: number;
}

/** A key phrase that the badge heard, in ms after the conversation's start as far as it is known yet. */
export interface HeardPhrase {
  startMs: number;
  endMs: number;
  text: string;
}

export class Epoch {
  /** Unix time in ms at which the newest chunk came here. */
  lastArrivalUnixMs = 0;
  private readonly spans = new Map<number, Span>();
  /** In order of their times. */
  events: readonly BadgeEvent[] = [];
  /** What is in the database of it, while it is open. */
  written = false;
  phrasesWritten = 0;
  private audio = 0;
  /** Sentences on chunks of events that do not open. */
  readonly unopened: string[] = [];

  constructor(readonly place: Place) {}

  /** Takes a chunk, once; audio is not opened. */
  add(record: ChunkRecord, epochKey: Buffer, arrivalUnixMs: number): void {
    if (this.spans.has(record.index)) return;
    const { kind, startMs, durationMs } = decodeChunkHeader(record.header);
    this.spans.set(record.index, { startMs, durationMs, receivedMs: record.receivedMs });
    this.lastArrivalUnixMs = Math.max(this.lastArrivalUnixMs, arrivalUnixMs);
    if (kind !== ChunkKind.Events) {
      this.audio++;
      return;
    }
    try {
      const plaintext = openChunk(crypto, epochKey, record.header, record.sealed);
      if (plaintext === undefined) throw new Error("it was changed, or it is not from this badge");
      const events = decodeEvents(plaintext, startMs);
      this.events = [...this.events, ...events].sort((a, b) => a.atMs - b.atMs);
    } catch (cause) {
      this.unopened.push(`events of chunk ${record.index} cannot be read: ${messageOf(cause)}`);
    }
  }

  get chunks(): number {
    return this.spans.size;
  }

  /** How it is known that the conversation may be kept; undefined where that did not come yet. A technician's check is no consent. */
  get consent(): { atMs: number; means: ConsentMeans } | undefined {
    const first = this.events.find(({ kind }) => kind === EventKind.Consent);
    if (first === undefined || first.values[0] === ConsentMeans.Check) return undefined;
    return { atMs: first.atMs - this.originMs, means: first.values[0] };
  }

  /** Its end is here, and nothing is missing before it. */
  get isWhole(): boolean {
    if (!this.events.some(({ kind }) => kind === EventKind.ConversationEnd)) return false;
    for (let index = 0; index < this.spans.size; index++) if (!this.spans.has(index)) return false;
    return true;
  }

  /** What a badge tells between conversations: it is kept, and dates the conversations around it. */
  get isInterlude(): boolean {
    const has = (wanted: EventKind) => this.events.some(({ kind }) => kind === wanted);
    const talk = has(EventKind.ConversationStart) || has(EventKind.ConversationEnd);
    return this.audio === 0 && this.unopened.length === 0 && has(EventKind.Boot) && !talk;
  }

  get phrases(): HeardPhrase[] {
    const { originMs } = this;
    return this.events
      .filter(({ kind }) => kind === EventKind.KeyPhrase)
      .map(({ atMs, values, text = "" }) => ({
        startMs: atMs - originMs,
        endMs: atMs - originMs + values[0],
        text,
      }));
  }

  get durationMs(): number {
    const ends = [...this.spans.values()].map(({ startMs, durationMs }) => startMs + durationMs);
    return Math.max(...ends, this.originMs) - this.originMs;
  }

  /** @returns Unix time in ms of the start, as well as it is known while chunks come */
  startUnixMs(bootUnixMs: (boot: number) => number | undefined): { unixMs: number; source: string } {
    const { originMs } = this;
    const clock = this.events.find(({ kind, values }) => kind === EventKind.Clock && isUnixMs(values[0]));
    if (clock !== undefined)
      return { unixMs: clock.values[0] - (clock.atMs - originMs), source: "badge clock" };
    const boot = this.events.find(({ kind }) => kind === EventKind.Boot)?.values[0];
    const begunMs = boot === undefined ? undefined : bootUnixMs(boot);
    if (begunMs !== undefined) return { unixMs: begunMs + originMs, source: "badge clock" };
    const estimates = [...this.spans.values()].map(
      ({ startMs, durationMs, receivedMs }) => receivedMs - (startMs - originMs) - durationMs,
    );
    return { unixMs: Math.max(0, Math.min(...estimates)), source: "estimated from receive time" };
  }

  private get originMs(): number {
    return Math.min(
      ...[...this.spans.values()].map(({ startMs }) => startMs),
      ...this.events.map(({ atMs }) => atMs),
    );
  }
}

function isUnixMs(value: number): boolean {
  return value >= 0 && value <= UNIX_MS_MAX;
}
