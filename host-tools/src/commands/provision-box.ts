// `salestag provision-box`: a whole box of badges from a list, as they are plugged in.
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { basename } from "node:path";
import { setTimeout } from "node:timers/promises";
import type { Vault } from "@salestag/protocol/team";
import { ExitCode, replaceFile, ToolError } from "@salestag/protocol/team";
import { type Command, InvalidArgumentError } from "commander";
import { listenForInterrupt } from "../interrupt";
import { type PluggedBadge, provisionBox } from "../provision/box";
import { BoxTable } from "../provision/box-table";
import { readyBadge } from "../provision/one";
import { findBadge } from "../provision/settings";
import { BadgePort } from "../usb/badge-port";
import { PortError } from "../usb/byte-line";
import { watchPorts } from "../usb/port-watch";
import type { Output } from "./output";
import { addSharedOptions, planOf, relaySideOf, SHARED_HELP, type SharedFlags } from "./provision-options";
import { openVault } from "./team";
import { whole } from "./values";

interface Flags extends SharedFlags {
  report: string;
  page?: string;
  parallel: number;
  force: boolean;
}

/** The relay's door lets so many badges be watched at the same time. */
const PARALLEL_MAX = 8;
const FREE_EVERY_MS = 200;
const FREE_MS_MAX = 5000;

const HELP = `
The list is a CSV with a line for each badge, the names of its columns in the first: label (whose badge; needed), hardware (hardware id of the badge
that is meant; empty: the next one that is plugged in), wifi_ssid, wifi_password, relay, policy, within_s, yes, no (phrases, with ; between), phrases (a
file), talk_share_max, monologue_s. What a line leaves empty is as the flags say. A list with passwords must have mode 600.

Badges are worked on as they are plugged in, several at a time. The report is whole at every moment: run the same command again to go on where it ended;
badges that failed are tried again. --page makes a page to print, with a QR code for each badge.
${SHARED_HELP}

Example:
  salestag provision-box badges.csv --report report.csv --page labels.html --vault ~/salestag-vault \\
                     --relay tls://relay.example:7789 --relay-door https://relay.example/door --token-file admin.token`;

export function addProvisionBox(parent: Command, output: Output): void {
  const command = parent
    .command("provision-box <list>")
    .description("Provision and prove a whole box of badges from a CSV list, as they are plugged in.")
    .requiredOption("--report <file>", "CSV with what became of each; made, or gone on with")
    .option("--page <file>", "HTML page to print, with a QR code for each badge")
    .option("--parallel <n>", "badges that are worked on at the same time, 1 to 8", parallel, 4)
    .option("--force", "give provisioned badges new keys", false);
  addSharedOptions(command)
    .addHelpText("after", HELP)
    .action((list: string, flags: Flags) => run(list, flags, output));
}

function parallel(text: string): number {
  const value = whole(text);
  if (value < 1 || value > PARALLEL_MAX) throw new InvalidArgumentError("It must be 1 to 8.");
  return value;
}

async function run(list: string, flags: Flags, output: Output): Promise<void> {
  const [{ readBoxFile }, { BoxReport }, { labelPage }] = await boxFiles();
  const rows = readBoxFile(list, planOf(flags, ""));
  const report = BoxReport.open(flags.report);
  const vault = openVault(output, flags);
  const relay = relaySideOf(flags);
  const { signal, end } = listenForInterrupt(output.notice);
  const table = new BoxTable(output, flags.json, rows.length, report.all());
  try {
    await provisionBox({
      rows,
      report,
      changes: (until) => watchPorts(until),
      connect: (port) => connect(port, { flags, vault, relay, signal }),
      parallel: flags.parallel,
      nowMs: Date.now,
      onEvent: (event) => table.event(event),
      onStranger: (port, why) => table.stranger(port, why),
      signal,
    });
  } finally {
    end();
    table.end();
    if (flags.page !== undefined && existsSync(flags.report))
      replaceFile(flags.page, labelPage(basename(list), report.all()), 0o644);
  }
  if (signal.aborted)
    throw new ToolError(ExitCode.Interrupted, "it was interrupted; the same command goes on from here.");
  const failed = report.all().filter(({ state }) => state === "failed").length;
  if (failed > 0)
    throw new ToolError(
      ExitCode.Badge,
      `${failed} of ${rows.length} badges are not ready; the report '${flags.report}' says why. Run it again to try them again.`,
    );
}

/** What reads and writes files of a box; their libraries are loaded for this command alone. */
const boxFiles = () =>
  Promise.all([
    import("../provision/box-file"),
    import("../provision/box-report"),
    import("../provision/box-page"),
  ]);

interface Team {
  flags: Flags;
  vault: Vault;
  relay: ReturnType<typeof relaySideOf>;
  signal: AbortSignal;
}

async function connect(path: string, { flags, vault, relay, signal }: Team): Promise<PluggedBadge> {
  const port = await openFree(path);
  const hardware = await findBadge(port.client)
    .then(({ manager }) => manager.deviceId)
    .catch(async (cause) => {
      await port.close();
      throw cause;
    });
  const { check } = flags;
  const { registration, arrivalsOf } = relay;
  return {
    hardware,
    ready: async ({ plan }, again, onStep) => {
      const force = flags.force || again;
      const made = { port, plan, vault, registration, arrivalsOf, check, force, signal, onStep };
      return (await readyBadge({ ...made, random: randomBytes, nowMs: Date.now })).badge;
    },
    close: () => port.close(),
  };
}

/** A port that has just come may need some ms until it may be opened, and ModemManager looks into each new one. */
async function openFree(path: string): Promise<BadgePort> {
  for (let waitedMs = 0; ; waitedMs += FREE_EVERY_MS)
    try {
      return await BadgePort.open(path);
    } catch (cause) {
      const passes = cause instanceof PortError && cause.trouble !== "absent";
      if (!passes || waitedMs >= FREE_MS_MAX) throw cause;
      await setTimeout(FREE_EVERY_MS);
    }
}
