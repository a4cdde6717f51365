// A thing that happened as a word and its fields, and those as text: what lines, JSON and the screen's log have in common.
import { FRAME_MS, Talker } from "@salestag/protocol";
import type { TraceEvent } from "@salestag/protocol/host";

/** A word and its fields. */
export interface Change {
  what: string;
  [field: string]: string | number | boolean | undefined;
}

const TALKERS: Record<number, string> = {
  [Talker.Unsure]: "unsure",
  [Talker.Near]: "near",
  [Talker.Far]: "far",
};

/** @returns a trace line's fields, in the units of people: for how long, who, dB */
export function changeOf(event: TraceEvent): Change {
  const { word, ...fields } = event;
  const { fromSeq, toSeq } = fields as { fromSeq?: number; toSeq?: number };
  const durationMs = fromSeq === undefined || toSeq === undefined ? undefined : (toSeq - fromSeq) * FRAME_MS;
  if (event.word !== "turn") return { what: word, ...fields, durationMs };
  const talker = TALKERS[event.talker] ?? event.talker;
  return { what: word, ...fields, talker, level: undefined, levelDb: -event.level / 2, durationMs };
}

/** @returns `WORD field=value ...`; texts of more than a word are in quotation marks */
export function changeText({ what, ...fields }: Change): string {
  const told = Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}=${isPlain(value) ? value : JSON.stringify(value)}`);
  return [what, ...told].join(" ");
}

function isPlain(value: unknown): boolean {
  return typeof value !== "string" || /^[\w.:/-]+$/.test(value);
}
