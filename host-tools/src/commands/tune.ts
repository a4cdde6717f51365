// `salestag tune`: how easily a badge takes sound for speech, what it keeps around it, when it nudges its wearer, how often it sends, what a full one does.
import { FRAME_MS, TUNING_DEFAULT, type Tuning } from "@salestag/protocol";
import { ExitCode, ToolError } from "@salestag/protocol/team";
import type { Command } from "commander";
import { writeTuning } from "../provision/settings";
import { BadgePort } from "../usb/badge-port";
import { resolveBadge } from "../usb/resolve-badge";
import { jsonOr, type Output } from "./output";
import { badgeOption, whole } from "./values";

interface Flags {
  badge?: string;
  sensitivity: number;
  preRollMs: number;
  hangoverMs: number;
  gapS: number;
  talkShareMax: number;
  monologueS: number;
  talkWindowMin: number;
  uploadEveryS: number;
  dropOldest: boolean;
  json: boolean;
}

/** A step of sensitivity, in sixteenths of a nat: half a nat. */
const SENSITIVITY_STEP = 8;

const HELP = `
What is not named goes back to its default.

Examples:
  salestag tune --badge tcp:127.0.0.1:4001 --sensitivity 2      # quiet talkers are missed
  salestag tune --badge tcp:127.0.0.1:4001 --sensitivity -2     # noise is recorded as speech
  salestag tune --badge tcp:127.0.0.1:4001 --hangover-ms 800    # ends of sentences are cut
  salestag tune --badge tcp:127.0.0.1:4001 --talk-share-max 60 --monologue-s 90
  salestag tune --badge tcp:127.0.0.1:4001 --upload-every-s 300 # saves battery: what was said is known minutes later
  salestag tune --badge tcp:127.0.0.1:4001                      # all back to the defaults`;

export function addTune(parent: Command, output: Output): void {
  parent
    .command("tune")
    .description(
      "Set how easily a badge takes sound for speech, what it keeps around it, when it nudges, how often it sends, what it does when full.",
    )
    .addOption(badgeOption())
    .option("--sensitivity <n>", "-5 (only what is surely speech) to 5 (all that may be)", whole, 0)
    .option(
      "--pre-roll-ms <ms>",
      "kept from before speech begins",
      whole,
      TUNING_DEFAULT.preRollFrames * FRAME_MS,
    )
    .option("--hangover-ms <ms>", "kept after it ends", whole, TUNING_DEFAULT.hangoverFrames * FRAME_MS)
    .option("--gap-s <s>", "silence that ends a conversation", whole, TUNING_DEFAULT.conversationGapMs / 1000)
    .option("--talk-share-max <percent>", "nudge when the wearer talks more than this; 0: never", whole, 0)
    .option("--talk-window-min <min>", "looking back so far", whole, TUNING_DEFAULT.talkWindowMs / 60_000)
    .option("--monologue-s <s>", "nudge when the wearer talks on for so long; 0: never", whole, 0)
    .option("--upload-every-s <s>", "connect so often, send all and leave again; 0: stay connected", whole, 0)
    .option("--drop-oldest", "a full badge gives up its oldest recordings, instead of taking no more", false)
    .option("--json", "print the result as JSON", false)
    .addHelpText("after", HELP)
    .action(async (flags: Flags) => {
      const tuning = tuningOf(flags);
      const port = await BadgePort.open(await resolveBadge(flags.badge));
      try {
        const deviceId = await writeTuning(port.client, tuning);
        const lines = Object.entries(tuning).map(([name, value]) => `${name.padEnd(18)} ${value}`);
        jsonOr(output, flags.json, { deviceId, tuning }, [`badge ${deviceId}`, ...lines]);
      } finally {
        await port.close();
      }
    });
}

function tuningOf({ sensitivity, preRollMs, hangoverMs, gapS, ...flags }: Flags): Partial<Tuning> {
  if (Math.abs(sensitivity) > 5)
    throw new ToolError(ExitCode.Usage, `--sensitivity goes from -5 to 5, not ${sensitivity}.`);
  const by = SENSITIVITY_STEP * sensitivity;
  return {
    onsetScore: TUNING_DEFAULT.onsetScore - by,
    releaseScore: TUNING_DEFAULT.releaseScore - by,
    preRollFrames: Math.round(preRollMs / FRAME_MS),
    hangoverFrames: Math.round(hangoverMs / FRAME_MS),
    conversationGapMs: gapS * 1000,
    ...(flags.talkShareMax > 0 ? { talkShareMax: flags.talkShareMax } : {}),
    ...(flags.monologueS > 0 ? { monologueMsMax: flags.monologueS * 1000 } : {}),
    ...(flags.talkWindowMin * 60_000 === TUNING_DEFAULT.talkWindowMs
      ? {}
      : { talkWindowMs: flags.talkWindowMin * 60_000 }),
    ...(flags.uploadEveryS > 0 ? { uploadEveryMs: flags.uploadEveryS * 1000 } : {}),
    ...(flags.dropOldest ? { dropOldest: 1 } : {}),
  };
}
