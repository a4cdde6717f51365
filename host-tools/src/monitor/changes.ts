// What the monitor says where no screen is: one change after the other, each a word and its fields, as a line for people and grep or as JSON.
import { FRAME_MS, Talker } from "@salestag/protocol";
import { parseTrace, type TraceEvent } from "@salestag/protocol/host";
import type { Input, MonitorState } from "./model";
import { isUsable } from "./traced";

/** One change. `what` comes first on its line. */
export interface Change {
  what: string;
  [field: string]: string | number | boolean | undefined;
}

/** @returns text of a key phrase by its number, where it is known */
export type PhraseText = (number: number) => string | undefined;

/** Level, heap and load are told this often, ms. */
export const STATUS_MS = 10_000;
/** Clipping is told at most this often, ms. */
const CLIPPED_MS = 1000;
const TALKERS: Record<number, string> = {
  [Talker.Unsure]: "unsure",
  [Talker.Near]: "near",
  [Talker.Far]: "far",
};

/** @returns what this input changed, in the order in which it is to be said */
export function changesOf(
  before: MonitorState,
  after: MonitorState,
  input: Input,
  phraseText: PhraseText,
): Change[] {
  switch (input.kind) {
    case "plugged":
      return [{ what: "plugged" }];
    case "gone":
      return [{ what: "gone", why: after.cable.why }];
    case "who":
      return [{ what: "who", ...input.who }];
    case "line":
      return lineChanges(before, after, input.text, phraseText);
    case "sound":
      return soundChanges(before, after);
    case "vitals":
      return vitalsChanges(before, after);
    case "losses":
      return [{ what: "line-lost", times: input.losses }];
  }
}

function lineChanges(
  before: MonitorState,
  after: MonitorState,
  text: string,
  phraseText: PhraseText,
): Change[] {
  const event = parseTrace(text);
  if (event === undefined || !isUsable(event)) {
    const line = after.problems !== before.problems ? after.problems.at(-1) : after.chatter.at(-1);
    return line === undefined ? [] : [{ what: line.severity, text: line.text }];
  }
  if (event.word === "health") return isNewHealth(before, after) ? [told(event)] : [];
  if (event.word === "unprovisioned" && before.who.provisioned === false) return [];
  if (event.word === "phrase") return [{ ...told(event), text: phraseText(event.number) }];
  if (event.word === "turn")
    return [{ ...told(event), talker: TALKERS[event.talker], levelDb: -event.level / 2, level: undefined }];
  return [told(event)];
}

/** An event's own fields, and for how long where it has two frame numbers. */
function told({ word, ...fields }: TraceEvent): Change {
  const { fromSeq, toSeq } = fields as { fromSeq?: number; toSeq?: number };
  const durationMs = fromSeq === undefined || toSeq === undefined ? undefined : (toSeq - fromSeq) * FRAME_MS;
  return { what: word, ...fields, durationMs };
}

/** Time and lateness change with every line, and are no news. */
function isNewHealth({ health: before }: MonitorState, { health: after }: MonitorState): boolean {
  if (before === undefined || after === undefined || after.upS < before.upS) return true;
  const { usedKb, lostFrames, online, storageFailed, batteryPercent } = before;
  return (
    usedKb !== after.usedKb ||
    lostFrames !== after.lostFrames ||
    online !== after.online ||
    storageFailed !== after.storageFailed ||
    batteryPercent !== after.batteryPercent
  );
}

function soundChanges({ meter: before }: MonitorState, { meter: after }: MonitorState): Change[] {
  if (after === undefined) return [];
  const changes: Change[] = [];
  if (before === undefined) changes.push({ what: "sound", levelDb: after.levelDb });
  if (after.muted !== (before?.muted ?? false)) changes.push({ what: after.muted ? "muted" : "unmuted" });
  if (after.clipped && after.atMs - (before?.clippedMs ?? Number.NEGATIVE_INFINITY) >= CLIPPED_MS)
    changes.push({ what: "clipped", levelDb: after.levelDb });
  return changes;
}

function vitalsChanges({ vitals: before }: MonitorState, { vitals: after, meter }: MonitorState): Change[] {
  if (after === undefined || (after === "untold" && before === "untold")) return [];
  if (after === "untold") return [{ what: "vitals", told: false }];
  const isDue =
    before === undefined ||
    before === "untold" ||
    Math.floor(before.atMs / STATUS_MS) !== Math.floor(after.atMs / STATUS_MS);
  const { atMs: _, ...vitals } = after;
  return isDue ? [{ what: "vitals", ...vitals, levelDb: meter?.levelDb, peakDb: meter?.peakDb }] : [];
}

/** @returns `TIME WORD field=value ...`; texts are in quotation marks */
export function changeLine({ what, ...fields }: Change, time: string): string {
  const told = Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}=${isPlain(value) ? value : JSON.stringify(value)}`);
  return [time, what, ...told].join(" ");
}

function isPlain(value: unknown): boolean {
  return typeof value !== "string" || /^[\w.:/-]+$/.test(value);
}

/** @returns the same as one JSON object */
export function changeJson(change: Change, time: string): string {
  return JSON.stringify({ time, ...change });
}
