// What the monitor says where no screen is: one change after the other, each a word and its fields, as a line for people and grep or as JSON.
import { parseTrace } from "@salestag/protocol/host";
import { type Change, changeOf, changeText } from "./change";
import type { Input, MonitorState } from "./model";
import { isUsable } from "./traced";

/** @returns text of a key phrase by its number, where it is known */
export type PhraseText = (number: number) => string | undefined;

/** Level, heap and load are told this often, ms. */
export const STATUS_MS = 10_000;
/** Clipping is told at most this often, ms. */
const CLIPPED_MS = 1000;
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
  if (event.word === "health") return isNewHealth(before, after) ? [changeOf(event)] : [];
  if (event.word === "unprovisioned" && before.who.provisioned === false) return [];
  if (event.word === "phrase") return [{ ...changeOf(event), text: phraseText(event.number) }];
  return [changeOf(event)];
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

/** @returns `TIME WORD field=value ...` */
export function changeLine(change: Change, time: string): string {
  return `${time} ${changeText(change)}`;
}

/** @returns the same as one JSON object */
export function changeJson(change: Change, time: string): string {
  return JSON.stringify({ time, ...change });
}
