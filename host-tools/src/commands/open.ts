// `salestag open`: conversations out of a relay's folder.

import type { Timeline } from "@salestag/protocol/team";
import { ExitCode, ToolError } from "@salestag/protocol/team";
import { type Command, InvalidArgumentError } from "commander";
import { openConversations } from "../open/open";
import type { Output } from "./output";
import { identitiesOf, openVault, type TeamFlags, withTeam } from "./team";

interface Flags extends TeamFlags {
  out: string;
  badge?: string;
  epoch?: number;
  json: boolean;
}

const BAR_CHARACTERS = 40;

export function addOpen(parent: Command, output: Output): void {
  withTeam(parent.command("open <folder>"))
    .description("Open the conversations in a relay's folder: an Ogg Opus file and a JSON timeline for each.")
    .requiredOption("--out <dir>", "folder for the results, made if missing")
    .option("--badge <id>", "only this badge, 16 hexadecimal digits")
    .option("--epoch <n>", "only this conversation", wholeNumber)
    .option("--json", "print one JSON line for each conversation", false)
    .addHelpText("after", "\nExample:\n  salestag open /srv/salestag --vault ~/salestag-vault --out opened")
    .action(async (folder: string, flags: Flags) => {
      const identities = await identitiesOf(flags);
      const { out, badge, epoch } = flags;
      const unopened: ToolError[] = [];
      const opened = await openConversations({
        folder,
        vault: openVault(output, flags),
        identities,
        out,
        badge,
        epoch,
        onUnopened: (_badge, _epoch, why) => unopened.push(why),
      });
      for (const { timeline, timelineFile, opusFile } of opened) {
        if (flags.json) output.line(JSON.stringify({ opusFile, timelineFile, ...summary(timeline) }));
        else printConversation(output, timeline, opusFile ?? "no audio", timelineFile);
      }
      if (unopened.length > 0) {
        if (opened.length === 0) throw unopened[0];
        for (const why of unopened.slice(1)) output.notice(`not opened: ${why.message}`);
        throw new ToolError(
          unopened[0].exitCode,
          `${unopened.length} of ${opened.length + unopened.length} conversations were not opened, the others were: ${unopened[0].message}`,
        );
      }
      const damaged = opened.filter(
        ({ timeline }) => timeline.problems.length > 0 || timeline.missing.length > 0,
      );
      if (damaged.length > 0)
        throw new ToolError(
          ExitCode.Damaged,
          `${damaged.length} of ${opened.length} conversations are damaged or have chunks missing; everything that opens was written, the timelines say what does not.`,
        );
    });
}

function wholeNumber(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 0) throw new InvalidArgumentError("It must be a whole number.");
  return value;
}

function summary(timeline: Timeline) {
  const { badge, epoch, durationMs, speech, phrases, missing, problems, complete } = timeline;
  return { badge, epoch, durationMs, speechMs: speechMs(speech), phrases, missing, problems, complete };
}

function speechMs(speech: Timeline["speech"]): number {
  return speech.reduce((sum, { startMs, endMs }) => sum + endMs - startMs, 0);
}

/** @returns where the sound ends; the silence by which the badge knew the end comes after it */
function soundMs({ chunks }: Timeline): number {
  const audio = chunks.filter(({ kind }) => kind === "audio");
  return Math.max(0, ...audio.map(({ startMs, durationMs }) => startMs + durationMs));
}

function printConversation(output: Output, timeline: Timeline, opusFile: string, timelineFile: string): void {
  const { colors } = output;
  const { badge, epoch, startUnixMs, startUnixSource, speech, missing, problems, complete } = timeline;
  const when =
    startUnixSource === "unknown"
      ? "at an unknown time"
      : new Date(startUnixMs).toISOString().replace(/\.\d+Z$/, "Z");
  const heardMs = soundMs(timeline);
  const share = heardMs > 0 ? Math.round((100 * speechMs(speech)) / heardMs) : 0;
  output.line(
    `${colors.bold(`${badge} ${epoch}`)}  ${when}  ${clock(heardMs)}  ${speechBar({ speech, durationMs: heardMs }, BAR_CHARACTERS)}  ${share}% speech`,
  );
  output.line(`  ${opusFile}`);
  output.line(`  ${timelineFile}`);
  for (const { startMs, text } of timeline.phrases) output.line(`  ${clock(startMs)}  "${text}"`);
  if (missing.length > 0) output.line(colors.red(`  chunks missing: ${missing.slice(0, 20).join(", ")}`));
  for (const problem of problems) output.line(colors.red(`  ${problem}`));
  if (!complete)
    output.line(colors.yellow("  not complete: its end has not arrived, or something is missing"));
}

/** @returns a line of `characters` blocks, each filled by its share of speech */
export function speechBar(
  { speech, durationMs }: Pick<Timeline, "speech" | "durationMs">,
  characters: number,
): string {
  const blocks = " ▁▂▃▄▅▆▇█";
  const stepMs = Math.max(1, durationMs / characters);
  return Array.from({ length: characters }, (_, i) => {
    const [fromMs, toMs] = [i * stepMs, (i + 1) * stepMs];
    const spoken = speech.reduce(
      (sum, { startMs, endMs }) => sum + Math.max(0, Math.min(endMs, toMs) - Math.max(startMs, fromMs)),
      0,
    );
    return blocks[Math.round((8 * spoken) / stepMs)];
  }).join("");
}

function clock(ms: number): string {
  const seconds = Math.round(ms / 1000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}
