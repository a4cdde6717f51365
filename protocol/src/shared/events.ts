// The plaintext of an events chunk: a CBOR array of events, each an array of its kind, its time in ms after the chunk's
// start, the numbers that belong to the kind, and for some kinds a text.
import { CborReader, CborWriter } from "./cbor";
import { FormatError } from "./errors";

/** What happened. 0 is never valid; a retired number is never used again. */
export enum EventKind {
  /** A conversation begins with the first frame that is kept. No values. */
  ConversationStart = 1,
  /** It ended. Value: an EndReason. */
  ConversationEnd = 2,
  /** The badge heard speech. Value: for how many ms. */
  Speech = 3,
  /** Kept frames did not reach the outbox. Values: for how many ms, a LossCause. */
  Loss = 4,
  /** The badge knows the time. Value: Unix time in ms at this event's own time. */
  Clock = 5,
  /** A key phrase fell. Values: for how many ms, score and threshold in 1/1024 nat. Text: the phrase. */
  KeyPhrase = 6,
  /** Somebody spoke. Values: for how many ms, a Talker, level in half decibels below full scale. */
  Turn = 7,
  /** Times of this chunk count from the start of this boot. Value: number of the boot, from 1, rising. */
  Boot = 8,
  /** The conversation may be kept. Value: a ConsentMeans. */
  Consent = 9,
  /** The wearer pressed the button: remember this moment. No values. */
  Mark = 10,
  /** Who talked how long of late. Values: ms looked at, ms near, ms far, ms of the longest stretch near without a far turn. */
  TalkTime = 11,
  /** The badge nudged its wearer. Values: a NudgeCause, number of the team's nudge or 0. */
  Nudge = 12,
  /** An entry of the account of the day; values and hash: account.ts. */
  Account = 13,
  /** The relay told a time that the badge does not believe. Value: Unix time in ms that it told. */
  ClockRefused = 14,
  /** A configuration of the team came. Values: its version, 1 when the badge uses it now, 0 when it cannot. */
  Configuration = 15,
}

/** How it became known that a conversation may be kept. */
export enum ConsentMeans {
  /** The policy is to announce: light and tone told everybody. */
  Announced = 1,
  /** A consent phrase was heard. */
  Phrase = 2,
  /** The wearer pressed the button twice. */
  Button = 3,
  /** A technician's check at the bench, without regard to the policy: a few seconds, ended with EndReason.Checked. */
  Check = 4,
}

/** Why the badge nudged its wearer. */
export enum NudgeCause {
  /** The wearer talked for more than the provisioned share of the time. */
  TalkShare = 1,
  /** The wearer talked on without a pause for others. */
  Monologue = 2,
  /** The team sent it. */
  Team = 3,
}

/** Who spoke, as far as the badge can tell. */
export enum Talker {
  Unsure = 0,
  /** The wearer, or somebody as near. */
  Near = 1,
  Far = 2,
}

/** Why a conversation ended. */
export enum EndReason {
  /** Nobody spoke for the provisioned time. */
  Silence = 1,
  /** It reached the longest time that one conversation may take. */
  TooLong = 2,
  /** The front end sent no frames any more. */
  MicrophoneLost = 3,
  /** The wearer paused or muted the badge. */
  Paused = 4,
  /** A technician's check is over. */
  Checked = 5,
}

/** Why frames that the badge meant to keep are missing. */
export enum LossCause {
  /** They never came from the front end to the program. */
  Bus = 1,
  /** The outbox was full. */
  OutboxFull = 2,
  /** They were stored, and the storage could not give them back. */
  Storage = 3,
  /** They were given up for newer ones: the outbox was full, and the policy says so. */
  Evicted = 4,
}

/** One event. */
export interface BadgeEvent {
  kind: number;
  /** ms since the badge booted. */
  atMs: number;
  /** As many numbers as the kind asks for. */
  values: number[];
  /** For kinds that have one. */
  text?: string;
}

const VALUES_MAX = 16;
const INT_BYTES_MAX = 9;
/** Head of the event's array, its kind, its time. */
const EVENT_BYTES_MAX = 1 + 2 + INT_BYTES_MAX;
const EVENTS_MAX = 255;
/** Latest time that an event can have, in ms since the badge booted: 2^53 - 1. */
const TIME_MS_MAX = 9007199254740991;
/** Longest text, in bytes of UTF-8: 40 characters of a phrase. */
const EVENT_TEXT_BYTES_MAX = 160;

/** Number of values of each kind, by kind; kinds beyond the list are from a newer badge and read as they come. */
const VALUE_COUNTS = [0, 0, 1, 1, 2, 1, 3, 3, 1, 1, 0, 4, 2, 14, 1];

/**
 * @param events in the order of their times
 * @param startMs the chunk's start, not later than any event
 */
export function encodeEvents(events: BadgeEvent[], startMs: number): Buffer {
  let capacityBytes = 3;
  for (const event of events) {
    const text = event.text;
    capacityBytes += EVENT_BYTES_MAX + INT_BYTES_MAX * event.values.length;
    if (text !== undefined) capacityBytes += 3 + Buffer.from(text, "utf8").length;
  }
  const writer = new CborWriter(capacityBytes).array(events.length);
  for (const event of events) {
    const text = event.text;
    writer
      .array(2 + event.values.length + (text === undefined ? 0 : 1))
      .uint(event.kind)
      .uint(event.atMs - startMs);
    for (const value of event.values) writer.int(value);
    if (text !== undefined) writer.text(text);
  }
  return writer.done();
}

/**
 * @param startMs the chunk's start
 * @throws FormatError when the plaintext is not a list of events
 */
export function decodeEvents(plaintext: Buffer, startMs: number): BadgeEvent[] {
  const reader = new CborReader(plaintext);
  const events: BadgeEvent[] = [];
  const count = reader.array("events", 0, EVENTS_MAX);
  for (let i = 0; i < count; i++) {
    const fieldCount = reader.array("event", 2, 3 + VALUES_MAX) - 2;
    const kind = reader.uint("event kind", 255);
    const afterMs = reader.uint("event time", TIME_MS_MAX - startMs);
    const event: BadgeEvent = { kind, atMs: startMs + afterMs, values: [] };
    for (let f = 0; f < fieldCount; f++)
      if (f === fieldCount - 1 && reader.atText())
        event.text = reader.text("event text", EVENT_TEXT_BYTES_MAX);
      else event.values.push(reader.int("event value"));
    checkEvent(event);
    events.push(event);
  }
  reader.end("events");
  return events;
}

/** @throws FormatError when an event of a known kind does not have what its kind asks for */
function checkEvent(event: BadgeEvent): void {
  const kind = event.kind;
  const count = event.values.length;
  if (kind === 0 || count > VALUES_MAX || (kind < VALUE_COUNTS.length && count !== VALUE_COUNTS[kind]))
    throw new FormatError(`event of kind ${kind} cannot have ${count} values`);
  const hasText = event.text !== undefined;
  if (hasText && (event.text as string).length === 0)
    throw new FormatError(`the text of an event of kind ${kind} is empty`);
  if (kind < VALUE_COUNTS.length && hasText !== (kind === EventKind.KeyPhrase))
    throw new FormatError(`event of kind ${kind} ${hasText ? "cannot have" : "needs"} a text`);
}
