// `salestag consent`: on whose word a badge keeps what it hears.
import type { ConsentPolicy } from "@salestag/protocol";
import { ExitCode, ToolError } from "@salestag/protocol/team";
import { type Command, Option } from "commander";
import { writeConsent } from "../provision/settings";
import { BadgePort } from "../usb/badge-port";
import { resolveBadge } from "../usb/resolve-badge";
import { jsonOr, type Output } from "./output";
import { another, badgeOption, whole } from "./values";

interface Flags {
  badge?: string;
  policy: ConsentPolicy["policy"];
  withinS: number;
  yes: string[];
  no: string[];
  json: boolean;
}

const HELP = `
announce: light and tone tell everybody that the badge records; everything is kept.
verbal:   nothing leaves the badge until somebody says one of the --yes phrases or the wearer presses the button twice; when that does not
          happen in time, somebody says one of the --no phrases or the wearer holds the button, all of it is destroyed.
off:      the badge records nothing.
Which of them the law asks for differs from place to place: ask somebody who knows.

Examples:
  salestag consent --badge tcp:127.0.0.1:4001 --policy announce
  salestag consent --badge tcp:127.0.0.1:4001 --policy verbal --within-s 60 --yes "you may record this" --no "please do not record"`;

export function addConsent(parent: Command, output: Output): void {
  parent
    .command("consent")
    .description("Set on whose word a badge keeps what it hears.")
    .addOption(badgeOption())
    .addOption(
      new Option("--policy <name>", "what the team decided")
        .choices(["announce", "verbal", "off"])
        .makeOptionMandatory(),
    )
    .option("--within-s <s>", "time to consent from the first word on, for verbal", whole, 60)
    .option(
      "--yes <phrase>",
      "a key phrase of the badge that consents; may be given more than once",
      another,
      [],
    )
    .option(
      "--no <phrase>",
      "a key phrase of the badge that refuses; may be given more than once",
      another,
      [],
    )
    .option("--json", "print the result as JSON", false)
    .addHelpText("after", HELP)
    .action(async ({ badge, policy, withinS, yes, no, json }: Flags) => {
      if (policy !== "verbal" && yes.length + no.length > 0)
        throw new ToolError(ExitCode.Usage, `--yes and --no belong to --policy verbal, not to ${policy}.`);
      const consent: Partial<ConsentPolicy> =
        policy === "verbal" ? { policy, withinMs: withinS * 1000, yes, no } : { policy };
      const port = await BadgePort.open(await resolveBadge(badge));
      try {
        const deviceId = await writeConsent(port.client, consent);
        jsonOr(output, json, { deviceId, consent }, [`badge ${deviceId}`, `policy   ${policy}`]);
      } finally {
        await port.close();
      }
    });
}
