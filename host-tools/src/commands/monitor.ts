// `salestag monitor`: what a badge does, live, on a screen or line by line.

import { ExitCode, ToolError } from "@salestag/protocol/team";
import type { Command } from "commander";
import { changeJson, changeLine, type PhraseText } from "../monitor/changes";
import { monitorPlainly } from "../monitor/plain";
import { readPhraseList } from "../phrases/phrase-list";
import { resolveBadge } from "../usb/resolve-badge";
import type { Output } from "./output";
import { badgeOption, whole } from "./values";

interface Flags {
  badge?: string;
  phrases?: string;
  plain: boolean;
  json: boolean;
  seconds?: number;
}

const SECONDS_MAX = 2_000_000;

const HELP = `
On a terminal it draws a screen: q quits, p pauses it, l shows the log alone. A badge that is unplugged is waited for.
Without a terminal, with --plain or with --json it says a change a line until the badge is gone (exit 5), Ctrl-C (exit 0) or --seconds.

Examples:
  salestag monitor
  salestag monitor --badge tcp:127.0.0.1:4001 --phrases phrases.json
  salestag monitor --badge /dev/ttyACM0 --plain | grep -E ' (warning|error|down|refused) '
  salestag monitor --badge /dev/ttyACM0 --json --seconds 60 > minute.jsonl`;

export function addMonitor(parent: Command, output: Output): void {
  parent
    .command("monitor")
    .description("Show live what a badge hears, keeps and sends, and how it is.")
    .addOption(badgeOption())
    .option("--phrases <file>", "the team's list of key phrases: a badge tells only their numbers")
    .option("--plain", "a change a line, also on a terminal", false)
    .option("--json", "a change a line, as a JSON object", false)
    .option("--seconds <s>", "end after so many seconds", whole)
    .addHelpText("after", HELP)
    .action((flags: Flags) => run(flags, output));
}

async function run(flags: Flags, output: Output): Promise<void> {
  const { phrases, seconds } = flags;
  if (seconds !== undefined && (seconds < 1 || seconds > SECONDS_MAX))
    throw new ToolError(ExitCode.Usage, `--seconds goes from 1 to ${SECONDS_MAX}, not ${seconds}.`);
  const phraseText = phraseTexts(phrases);
  const port = await resolveBadge(flags.badge);
  const ending = new Ending(seconds);
  const nowMs = () => performance.timeOrigin + performance.now();
  const { signal } = ending;
  try {
    if (isScreen(flags)) {
      const { monitorOnScreen } = await loadScreen();
      await monitorOnScreen({ port, phraseText, nowMs, signal, quit: () => ending.end() });
    } else {
      const asText = flags.json ? changeJson : changeLine;
      const say: Parameters<typeof monitorPlainly>[0]["say"] = (change, atMs) =>
        output.line(asText(change, new Date(atMs).toISOString()));
      await monitorPlainly({ port, phraseText, say, nowMs, signal });
    }
  } finally {
    ending.forget();
  }
}

/** A terminal of a build machine is no screen: nobody looks. */
function isScreen({ plain, json }: Flags): boolean {
  const { stdin, stdout, env } = process;
  return !plain && !json && stdin.isTTY === true && stdout.isTTY === true && env.CI === undefined;
}

/** Loaded by this command alone. The library's development build would remember every drawing, and it knows of FORCE_COLOR only. */
async function loadScreen() {
  process.env.NODE_ENV = "production";
  if (process.env.NO_COLOR) process.env.FORCE_COLOR = "0";
  return await import("../monitor/screen");
}

function phraseTexts(file: string | undefined): PhraseText {
  if (file === undefined) return () => undefined;
  const phrases = readPhraseList(file);
  if (phrases.length === 0)
    throw new ToolError(ExitCode.Usage, `'${file}' has no phrases; name the list that is in the badge.`);
  return (number) => phrases[number]?.text;
}

/** What ends a monitor: the user, the time, or a reader of its lines that has enough. */
class Ending {
  private readonly controller = new AbortController();
  private readonly timer: NodeJS.Timeout | undefined;

  constructor(seconds: number | undefined) {
    if (seconds !== undefined) this.timer = setTimeout(this.end, seconds * 1000);
    process.on("SIGINT", this.end).on("SIGTERM", this.end).on("SIGHUP", this.end);
    process.stdout.on("error", this.stdoutFailed);
  }

  get signal(): AbortSignal {
    return this.controller.signal;
  }

  readonly end = (): void => this.controller.abort();

  forget(): void {
    clearTimeout(this.timer);
    process.off("SIGINT", this.end).off("SIGTERM", this.end).off("SIGHUP", this.end);
  }

  private readonly stdoutFailed = (error: NodeJS.ErrnoException): void => {
    this.end();
    if (error.code !== "EPIPE" && error.code !== "EIO") throw error;
  };
}
