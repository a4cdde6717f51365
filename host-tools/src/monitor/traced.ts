// What each trace line of the badge (firmware/README.md) changes in what the monitor knows.
import { ConsentMeans, FRAME_MS, Talker } from "@salestag/protocol";
import type { TraceEvent } from "@salestag/protocol/host";
import {
  type Consent,
  type Conversation,
  clean,
  kept,
  type Link,
  type MonitorState,
  type Outbox,
  PHRASES_KEPT,
  TALK_WINDOW_MS,
  TURNS_MAX,
  type Turn,
} from "./model";

const CONSENTS: Record<number, Consent> = {
  [ConsentMeans.Announced]: "announced",
  [ConsentMeans.Phrase]: "by phrase",
  [ConsentMeans.Button]: "by button",
};

/** @returns true unless the line was damaged on its way: every number is there, and ids look like ids */
export function isUsable(event: TraceEvent): boolean {
  const whole = Object.values(event).every(
    (value) => typeof value === "string" || typeof value === "boolean" || Number.isSafeInteger(value),
  );
  return whole && (!("badge" in event) || /^[0-9a-f]{16}$/.test(event.badge));
}

/** @returns the state after a usable trace line */
export function tracedState(state: MonitorState, event: TraceEvent, nowMs: number): MonitorState {
  return (
    aboutItself(state, event, nowMs) ??
    aboutTalk(state, event, nowMs) ??
    aboutConversation(state, event, nowMs) ??
    aboutRelay(state, event, nowMs)
  );
}

function aboutItself(state: MonitorState, event: TraceEvent, nowMs: number): MonitorState | undefined {
  switch (event.word) {
    case "ready":
      return started(state, { badge: event.badge, relay: clean(event.relay), provisioned: true });
    case "unprovisioned":
      return started(state, { badge: undefined, relay: undefined, provisioned: false });
    case "health": {
      const { word: _, ...health } = event;
      const who = { ...state.who, badge: health.badge, provisioned: true };
      return { ...state, who, health: { ...health, atMs: nowMs } };
    }
    case "shows":
      return { ...state, shows: clean(event.pattern) };
    case "mark":
      return { ...state, marks: state.marks + 1 };
    case "nudge":
      return { ...state, nudges: state.nudges + 1 };
    case "configured":
    case "account":
      return state;
    default:
      return undefined;
  }
}

/** The program starts from the beginning: nothing of what went on in it goes on. */
function started(state: MonitorState, who: MonitorState["who"]): MonitorState {
  const over = {
    speaking: false,
    conversation: undefined,
    link: undefined,
    health: undefined,
    shows: undefined,
  };
  return { ...state, ...over, who: { ...state.who, ...who } };
}

function aboutTalk(state: MonitorState, event: TraceEvent, nowMs: number): MonitorState | undefined {
  switch (event.word) {
    case "onset":
      return { ...state, speaking: true };
    case "speech":
      return { ...state, speaking: false };
    case "turn": {
      const durationMs = Math.max(0, event.toSeq - event.fromSeq) * FRAME_MS;
      return { ...state, turns: withTurn(state.turns, { atMs: nowMs, durationMs, talker: event.talker }) };
    }
    case "phrase":
      return { ...state, phrases: kept(state.phrases, { atMs: nowMs, number: event.number }, PHRASES_KEPT) };
    case "lost":
      return state; // `@health` has the sum
    default:
      return undefined;
  }
}

function withTurn(turns: Turn[], turn: Turn): Turn[] {
  const recent = turns.findIndex(({ atMs }) => atMs >= turn.atMs - TALK_WINDOW_MS);
  return kept(recent < 0 ? [] : turns.slice(recent), turn, TURNS_MAX);
}

function aboutConversation(state: MonitorState, event: TraceEvent, nowMs: number): MonitorState | undefined {
  switch (event.word) {
    case "conversation":
      return {
        ...state,
        conversation: { epoch: event.epoch, sinceMs: nowMs, seenBegin: true, consent: "not yet known" },
      };
    case "asking":
      return { ...state, conversation: { ...running(state, event.epoch, nowMs), consent: "asking" } };
    case "consent": {
      const consent = CONSENTS[event.means] ?? "not yet known";
      return { ...state, conversation: { ...running(state, event.epoch, nowMs), consent } };
    }
    case "denied":
      return ended(state, { ...running(state, event.epoch, nowMs), consent: "refused" }, 0, nowMs);
    case "ended":
      return ended(state, running(state, event.epoch, nowMs), event.reason, nowMs);
    default:
      return undefined;
  }
}

/** The conversation of this number; one that began before the monitor did begins with the first word of it. */
function running({ conversation }: MonitorState, epoch: number, nowMs: number): Conversation {
  return conversation?.epoch === epoch
    ? conversation
    : { epoch, sinceMs: nowMs, seenBegin: false, consent: "not yet known" };
}

function ended(state: MonitorState, conversation: Conversation, reason: number, nowMs: number): MonitorState {
  if (state.last?.epoch === conversation.epoch) return { ...state, conversation: undefined }; // refused, then over
  return { ...state, conversation: undefined, last: { ...conversation, endedMs: nowMs, reason } };
}

function aboutRelay(state: MonitorState, event: TraceEvent, nowMs: number): MonitorState {
  const { outbox } = state;
  const counted = (more: Partial<Outbox>) => ({ ...state, outbox: { ...outbox, ...more } });
  switch (event.word) {
    case "chunk": {
      const waiting = outbox.waiting === undefined ? undefined : outbox.waiting + 1;
      return counted({ waiting, sealed: outbox.sealed + 1 });
    }
    case "stored":
      return counted({ stored: outbox.stored + 1 });
    case "refused":
      return counted({ refused: outbox.refused + 1 });
    case "gaveup":
      return counted({ lostMs: outbox.lostMs + event.durationMs });
    case "acked": {
      const acked = { epoch: event.nextEpoch, index: event.nextIndex, atMs: nowMs };
      const link = state.link && { ...state.link, held: false };
      return { ...counted({ waiting: event.waiting, acked }), link };
    }
    case "held":
      return state.link === undefined ? state : { ...state, link: { ...state.link, held: true } };
    case "up":
    case "rest":
    case "down":
      return { ...state, link: linkAfter(state.link, event, nowMs) };
    default:
      return state;
  }
}

function linkAfter(
  before: Link | undefined,
  event: Extract<TraceEvent, { word: "up" | "rest" | "down" }>,
  nowMs: number,
): Link {
  const downs = before?.downs ?? 0;
  const well = { up: true, sinceMs: nowMs, retryMs: 0, why: "", held: false, rests: false, downs };
  if (event.word === "up") return well;
  if (event.word === "rest") return { ...well, retryMs: nowMs + event.restMs, rests: true };
  const sinceMs = before !== undefined && !before.up ? before.sinceMs : nowMs;
  const why = clean(event.why);
  return {
    up: false,
    sinceMs,
    retryMs: nowMs + event.retryMs,
    why,
    held: false,
    rests: false,
    downs: downs + 1,
  };
}

/** Who talked how long of late. */
export interface TalkShares {
  nearMs: number;
  farMs: number;
  unsureMs: number;
}

/** @returns the shares over the last TALK_WINDOW_MS */
export function talkShares(turns: Turn[], nowMs: number): TalkShares {
  const sum = (talker: Talker) =>
    turns.reduce(
      (ms, turn) =>
        turn.talker === talker && turn.atMs >= nowMs - TALK_WINDOW_MS ? ms + turn.durationMs : ms,
      0,
    );
  return { nearMs: sum(Talker.Near), farMs: sum(Talker.Far), unsureMs: sum(Talker.Unsure) };
}
