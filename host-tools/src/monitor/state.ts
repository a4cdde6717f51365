// How what the monitor knows changes with each thing that comes over the cable. Pure: no clock, no port, no screen.
import { parseTrace } from "@salestag/protocol/host";
import { changeOf, changeText } from "./change";
import {
  clean,
  type Input,
  kept,
  LINES_KEPT,
  type LogLine,
  type Meter,
  type MonitorState,
  type Sound,
} from "./model";
import { isUsable, tracedState } from "./traced";

/** Trace lines that are not in the log: they come all the time. */
const UNTOLD = new Set(["health", "unprovisioned", "onset", "chunk", "stored", "account"]);
/** A peak is held for so long, then the meter follows the level again. */
export const PEAK_HOLD_MS = 2000;

/** @returns the state after this input; the given one is not changed. @param nowMs any clock that never goes back, ms */
export function reduce(state: MonitorState, input: Input, nowMs: number): MonitorState {
  switch (input.kind) {
    case "plugged":
      return { ...state, cable: { plugged: true, sinceMs: nowMs, why: "" } };
    case "gone":
      return unplugged(state, input.why, nowMs);
    case "who":
      return { ...state, who: { ...state.who, ...input.who } };
    case "line":
      return afterLine(state, input.text, nowMs);
    case "sound":
      return { ...state, meter: metered(state.meter, input.sound, nowMs) };
    case "vitals":
      return { ...state, vitals: input.vitals === "untold" ? "untold" : { ...input.vitals, atMs: nowMs } };
    case "losses":
      return { ...state, losses: input.losses };
  }
}

/** What goes on in the badge from then on is not known; what happened stays. */
function unplugged(state: MonitorState, why: string, nowMs: number): MonitorState {
  return {
    ...state,
    cable: { plugged: false, sinceMs: nowMs, why: clean(why) },
    shows: undefined,
    meter: undefined,
    speaking: false,
    conversation: undefined,
    link: undefined,
    health: undefined,
    vitals: undefined,
    outbox: { ...state.outbox, waiting: undefined },
  };
}

function afterLine(state: MonitorState, text: string, nowMs: number): MonitorState {
  const event = parseTrace(text);
  if (event !== undefined && isUsable(event)) {
    const after = tracedState(state, event, nowMs);
    if (UNTOLD.has(event.word)) return after;
    const told = { atMs: nowMs, severity: "event" as const, text: clean(changeText(changeOf(event))) };
    return { ...after, chatter: kept(after.chatter, told, LINES_KEPT) };
  }
  const line = { atMs: nowMs, ...logLine(text) };
  if (line.severity === "log") return { ...state, chatter: kept(state.chatter, line, LINES_KEPT) };
  return { ...state, problems: kept(state.problems, line, LINES_KEPT) };
}

/** The runtime's prefixes: '! ' error, '* ' warning, '> ' log, '? ' debug. */
function logLine(text: string): Pick<LogLine, "severity" | "text"> {
  const severity = text.startsWith("! ") ? "error" : text.startsWith("* ") ? "warning" : "log";
  return { severity, text: clean(text.replace(/^[!*>?] +/, "")) };
}

function metered(before: Meter | undefined, sound: Sound, nowMs: number): Meter {
  const held = before !== undefined && before.peakDb > sound.levelDb && nowMs - before.peakMs < PEAK_HOLD_MS;
  const { peakDb, peakMs } = held ? before : { peakDb: sound.levelDb, peakMs: nowMs };
  return { ...sound, atMs: nowMs, peakDb, peakMs, clippedMs: sound.clipped ? nowMs : before?.clippedMs };
}
