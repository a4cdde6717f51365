// Opens one conversation: unseals its chunks, puts packets, gaps and events in their places in time, and says what is missing.
import {
  type BadgeEvent,
  ChunkKind,
  type ChunkRecord,
  ConsentMeans,
  decodeChunkHeader,
  decodeEvents,
  EndReason,
  EventKind,
  FRAME_MS,
  GapCause,
  LossCause,
  NudgeCause,
  nodeCrypto,
  openChunk,
  Talker,
  unpackAudio,
} from "../../host";
import { messageOf } from "../errors";

/** A packet in its place: ms after the conversation's start. */
export interface PlacedPacket {
  startMs: number;
  packet: Buffer;
}

export interface TimelineGap {
  startMs: number;
  durationMs: number;
  /** `silence`: nobody spoke. `lost`: the badge's program missed it. `missing`: its chunk is not here. */
  cause: "silence" | "lost" | "missing";
}

/** The timeline file, docs/timeline.md. All times are ms after the conversation's start, where nothing else is said. */
export interface Timeline {
  schema: 3;
  badge: string;
  epoch: number;
  startUnixMs: number;
  startUnixSource: "badge clock" | "estimated from receive time" | "unknown";
  durationMs: number;
  audio: { file: string; sha256: string } | null;
  speech: { startMs: number; endMs: number }[];
  turns: { startMs: number; endMs: number; talker: "near" | "far" | "unsure"; levelDbfs: number }[];
  phrases: { startMs: number; endMs: number; text: string; scoreNats: number; thresholdNats: number }[];
  /** Number of the badge's boot that its times count from; null where the badge does not tell. */
  boot: number | null;
  /** How it is known that the conversation may be kept; null where the badge does not tell. */
  consent: { atMs: number; means: string } | null;
  /** Moments that the wearer marked. */
  marks: number[];
  /** Newest account of who talked how long; null where there is none. */
  talkTime: {
    windowMs: number;
    nearMs: number;
    farMs: number;
    longestNearMs: number;
    nearShare: number;
  } | null;
  nudges: { atMs: number; cause: string; id: number }[];
  packets: number;
  gaps: TimelineGap[];
  losses: { startMs: number; durationMs: number; cause: string }[];
  events: { name: string; atMs: number; values: number[]; text?: string }[];
  chunks: {
    index: number;
    kind: string;
    startMs: number;
    durationMs: number;
    bytes: number;
    receivedMs: number;
  }[];
  /** Indexes of chunks that should be here and are not. */
  missing: number[];
  problems: string[];
  /** True when the end was recorded, nothing is missing and every chunk opened. */
  complete: boolean;
}

export interface Conversation {
  timeline: Timeline;
  packets: PlacedPacket[];
}

interface OpenedChunk {
  record: ChunkRecord;
  kind: number;
  /** ms since the badge booted. */
  startMs: number;
  durationMs: number;
  plaintext: Buffer;
}

const EVENT_NAMES: Record<number, string> = {
  [EventKind.ConversationStart]: "conversation start",
  [EventKind.ConversationEnd]: "conversation end",
  [EventKind.Speech]: "speech",
  [EventKind.Loss]: "loss",
  [EventKind.Clock]: "clock",
  [EventKind.KeyPhrase]: "key phrase",
  [EventKind.Turn]: "turn",
  [EventKind.Boot]: "boot",
  [EventKind.Consent]: "consent",
  [EventKind.Mark]: "mark",
  [EventKind.TalkTime]: "talk time",
  [EventKind.Nudge]: "nudge",
  [EventKind.Account]: "account",
  [EventKind.ClockRefused]: "clock refused",
};
/** Score and threshold of a key phrase come in 1/1024 nat. */
const NAT_UNITS = 1024;
const MEANS_NAMES: Record<number, string> = {
  [ConsentMeans.Announced]: "announced",
  [ConsentMeans.Phrase]: "phrase",
  [ConsentMeans.Button]: "button",
  [ConsentMeans.Check]: "check",
};
const NUDGE_NAMES: Record<number, string> = {
  [NudgeCause.TalkShare]: "talked more than the team wants",
  [NudgeCause.Monologue]: "talked on for too long",
  [NudgeCause.Team]: "sent by the team",
};
const LOSS_NAMES: Record<number, string> = {
  [LossCause.Bus]: "lost before the badge's program",
  [LossCause.OutboxFull]: "badge's outbox was full",
  [LossCause.Storage]: "badge's storage could not give it back",
  [LossCause.Evicted]: "given up for newer recordings",
};
/** Missing indexes are listed one by one up to this many. */
const MISSING_LISTED_MAX = 10_000;
/** No badge records for longer; a chunk beyond it would only make an endless file. */
const CONVERSATION_MS_MAX = 24 * 3600 * 1000;
/** Last time that a `Date` can hold. */
const UNIX_MS_MAX = 8.64e15;
const crypto = nodeCrypto();

/**
 * Opens the chunks of one conversation.
 * @param records in any order, each once; none where not one file could be read
 * @param problems what is known to be wrong already
 * @param bootUnixMs when a boot of the badge began, if anything else of that boot tells
 */
export function openConversation(
  badge: string,
  epoch: number,
  epochKey: Buffer,
  records: ChunkRecord[],
  problems: string[],
  bootUnixMs: (boot: number) => number | undefined = () => undefined,
): Conversation {
  const found = [...problems];
  const chunks = records
    .sort((a, b) => a.index - b.index)
    .map((record) => open(record, epochKey, found))
    .filter((chunk) => chunk !== undefined);
  const events = chunks.flatMap((chunk) => readEvents(chunk, found)).sort((a, b) => a.atMs - b.atMs);
  const audio = chunks.filter(({ kind }) => kind === ChunkKind.Audio);
  const originMs = Math.min(...chunks.map(({ startMs }) => startMs), ...events.map(({ atMs }) => atMs));
  const { packets, gaps } = place(audio, originMs, missingIndexes(records), found);
  const relative = events.map((event) => ({ ...event, atMs: event.atMs - originMs }));
  const ended = relative.find(({ kind }) => kind === EventKind.ConversationEnd);
  const missing = missingIndexes(records);
  const timeline: Timeline = {
    schema: 3,
    badge,
    epoch,
    ...startOf(relative, records, chunks, originMs, bootUnixMs),
    durationMs: Math.max(
      ...chunks.map(({ startMs, durationMs }) => startMs - originMs + durationMs),
      ended?.atMs ?? 0,
      0,
    ),
    audio: null,
    speech: relative
      .filter(({ kind }) => kind === EventKind.Speech)
      .map(({ atMs, values }) => ({ startMs: atMs, endMs: atMs + values[0] })),
    ...heard(relative),
    ...told(relative),
    packets: packets.length,
    gaps,
    losses: relative
      .filter(({ kind }) => kind === EventKind.Loss)
      .map(({ atMs, values }) => ({
        startMs: atMs,
        durationMs: values[0],
        cause: LOSS_NAMES[values[1]] ?? `cause ${values[1]}`,
      })),
    events: relative.map(({ kind, ...event }) => ({ name: EVENT_NAMES[kind] ?? `kind ${kind}`, ...event })),
    chunks: chunks.map(({ record, kind, startMs, durationMs }) => ({
      index: record.index,
      kind: kind === ChunkKind.Audio ? "audio" : kind === ChunkKind.Events ? "events" : `kind ${kind}`,
      startMs: startMs - originMs,
      durationMs,
      bytes: record.header.length + record.sealed.length,
      receivedMs: record.receivedMs,
    })),
    missing,
    problems: found,
    complete:
      missing.length === 0 &&
      found.length === 0 &&
      ended !== undefined &&
      ended.values[0] !== EndReason.MicrophoneLost,
  };
  return { timeline, packets };
}

/** @returns true for what a badge tells between conversations: it has an epoch of its own, and is no conversation */
export function isInterlude({ chunks, events, missing, problems }: Timeline): boolean {
  return (
    problems.length === 0 &&
    missing.length === 0 &&
    chunks.every(({ kind }) => kind === "events") &&
    events.some(({ name }) => name === "boot") &&
    !events.some(({ name }) => name === "conversation start" || name === "conversation end")
  );
}

/** What the badge heard in the speech: whose turn it was, and which key phrases fell. */
function heard(events: BadgeEvent[]): Pick<Timeline, "turns" | "phrases"> {
  const talkerOf = (talker: number) =>
    talker === Talker.Near ? "near" : talker === Talker.Far ? "far" : "unsure";
  return {
    turns: events
      .filter(({ kind }) => kind === EventKind.Turn)
      .map(({ atMs, values: [durationMs, talker, level] }) => ({
        startMs: atMs,
        endMs: atMs + durationMs,
        talker: talkerOf(talker),
        levelDbfs: -level / 2,
      })),
    phrases: events
      .filter(({ kind }) => kind === EventKind.KeyPhrase)
      .map(({ atMs, values: [durationMs, score, threshold], text = "" }) => ({
        startMs: atMs,
        endMs: atMs + durationMs,
        text,
        scoreNats: score / NAT_UNITS,
        thresholdNats: threshold / NAT_UNITS,
      })),
  };
}

/** What else the badge told of the conversation. */
function told(events: BadgeEvent[]): Pick<Timeline, "boot" | "consent" | "marks" | "talkTime" | "nudges"> {
  const of = (wanted: EventKind) => events.filter(({ kind }) => kind === wanted);
  const [boot] = of(EventKind.Boot);
  const [consent] = of(EventKind.Consent);
  const talk = of(EventKind.TalkTime).at(-1);
  const [windowMs, nearMs, farMs, longestNearMs] = talk?.values ?? [];
  return {
    boot: boot?.values[0] ?? null,
    consent:
      consent === undefined
        ? null
        : { atMs: consent.atMs, means: MEANS_NAMES[consent.values[0]] ?? `means ${consent.values[0]}` },
    marks: of(EventKind.Mark).map(({ atMs }) => atMs),
    talkTime:
      talk === undefined
        ? null
        : { windowMs, nearMs, farMs, longestNearMs, nearShare: nearMs / Math.max(1, nearMs + farMs) },
    nudges: of(EventKind.Nudge).map(({ atMs, values: [cause, id] }) => ({
      atMs,
      cause: NUDGE_NAMES[cause] ?? `cause ${cause}`,
      id,
    })),
  };
}

function open(record: ChunkRecord, epochKey: Buffer, problems: string[]): OpenedChunk | undefined {
  const plaintext = openChunk(crypto, epochKey, record.header, record.sealed);
  if (plaintext === undefined) {
    problems.push(`chunk ${record.index} does not open: it was changed, or it is not from this badge`);
    return undefined;
  }
  const { kind, startMs, durationMs } = decodeChunkHeader(record.header);
  return { record, kind, startMs, durationMs, plaintext };
}

function readEvents(chunk: OpenedChunk, problems: string[]): BadgeEvent[] {
  if (chunk.kind !== ChunkKind.Events) return [];
  try {
    return decodeEvents(chunk.plaintext, chunk.startMs);
  } catch (cause) {
    problems.push(`events of chunk ${chunk.record.index} cannot be read: ${messageOf(cause)}`);
    return [];
  }
}

/** Indexes below the highest one that are not there. Whether chunks are missing behind it only the end event tells. */
function missingIndexes(records: ChunkRecord[]): number[] {
  const have = new Set(records.map(({ index }) => index));
  const highest = Math.max(...have);
  const missing: number[] = [];
  for (let index = 0; index < highest && missing.length < MISSING_LISTED_MAX; index++)
    if (!have.has(index)) missing.push(index);
  return missing;
}

/** Puts every packet into its slot of 20 ms and names the gaps between them. */
function place(audio: OpenedChunk[], originMs: number, missing: number[], problems: string[]) {
  const packets: PlacedPacket[] = [];
  const gaps: TimelineGap[] = [];
  let endMs = 0;
  let lastIndex = -1;
  for (const chunk of audio) {
    let items: ReturnType<typeof unpackAudio>;
    try {
      items = unpackAudio(chunk.plaintext);
    } catch (cause) {
      problems.push(`audio of chunk ${chunk.record.index} cannot be read: ${messageOf(cause)}`);
      continue;
    }
    const chunkMs = chunk.startMs - originMs;
    const { index } = chunk.record;
    if (chunkMs > CONVERSATION_MS_MAX) {
      problems.push(`chunk ${index} lies ${chunkMs} ms after the start, more than a day, and was left out`);
      continue;
    }
    const holed = missing.some((absent) => absent > lastIndex && absent < index);
    if (chunkMs > endMs)
      gaps.push({ startMs: endMs, durationMs: chunkMs - endMs, cause: holed ? "missing" : "silence" });
    lastIndex = index;
    for (const item of items) {
      const startMs = chunkMs + item.atFrame * FRAME_MS;
      if (item.type === "gap") {
        const cause = item.cause === GapCause.Lost ? "lost" : "silence";
        gaps.push({ startMs, durationMs: item.frames * FRAME_MS, cause });
        endMs = Math.max(endMs, startMs + item.frames * FRAME_MS);
        continue;
      }
      if (startMs < endMs) {
        problems.push(
          `packet at ${startMs} ms in chunk ${index} overlaps the one before it and was left out`,
        );
        continue;
      }
      packets.push({ startMs, packet: item.packet });
      endMs = startMs + FRAME_MS;
    }
  }
  return { packets, gaps };
}

function startOf(
  events: BadgeEvent[],
  records: ChunkRecord[],
  chunks: OpenedChunk[],
  originMs: number,
  bootUnixMs: (boot: number) => number | undefined,
): Pick<Timeline, "startUnixMs" | "startUnixSource"> {
  const clock = events.find(
    ({ kind, atMs, values }) => kind === EventKind.Clock && isUnixMs(values[0] - atMs),
  );
  if (clock !== undefined)
    return { startUnixMs: clock.values[0] - clock.atMs, startUnixSource: "badge clock" };
  const boot = events.find(({ kind }) => kind === EventKind.Boot);
  const begunMs = boot === undefined ? undefined : bootUnixMs(boot.values[0]);
  if (begunMs !== undefined && isUnixMs(begunMs + originMs))
    return { startUnixMs: begunMs + originMs, startUnixSource: "badge clock" };
  const estimates = chunks.map(
    ({ record, startMs, durationMs }) => record.receivedMs - (startMs - originMs) - durationMs,
  );
  const received = records.map(({ receivedMs }) => receivedMs);
  const startUnixMs = Math.min(...estimates, ...received);
  if (isUnixMs(startUnixMs)) return { startUnixMs, startUnixSource: "estimated from receive time" };
  return { startUnixMs: 0, startUnixSource: "unknown" };
}

function isUnixMs(value: number): boolean {
  return value >= 0 && value <= UNIX_MS_MAX;
}
