// `salestag configure`: consent policy and tuning of a badge that is out in the field, through the relay.
import type { Tuning } from "@salestag/protocol";
import { type Command, InvalidArgumentError, Option } from "commander";
import { sendConfiguration } from "../configure";
import { RelayDoor, readToken } from "../relay-door";
import { type ConsentFlags, consentOf } from "./consent-flags";
import { jsonOr, type Output } from "./output";
import { identitiesOf, openVault, type TeamFlags, withTeam } from "./team";
import { another, whole } from "./values";

interface Flags extends TeamFlags, ConsentFlags {
  relay: string;
  tokenFile: string;
  set: Partial<Tuning>;
  json: boolean;
}

const HELP = `
Sealed for that badge: the relay can neither read nor make it. The badge uses it from the end of the conversation that runs, and says so in its timeline.
Each of the two settings is replaced as a whole: what is not named in it goes back to its default. docs/provisioning.md has their fields.

Examples:
  salestag configure 0123456789abcdef --vault ~/salestag-vault --token-file admin.token --policy off
  salestag configure 0123456789abcdef --vault ~/salestag-vault --token-file admin.token --set talkShareMax=60 --set monologueMsMax=90000`;

export function addConfigure(parent: Command, output: Output): void {
  withTeam(parent.command("configure <badge>"))
    .description("Set a badge's consent policy and tuning through the relay.")
    .option("--relay <url>", "the relay's door for its operator", "http://127.0.0.1:7780")
    .requiredOption("--token-file <file>", "file with the door's token")
    .addOption(new Option("--policy <name>", "consent").choices(["announce", "verbal", "off"]))
    .option("--within-s <s>", "time to consent, for verbal", whole, 60)
    .option("--yes <phrase>", "a key phrase of the badge that consents; repeatable", another, [])
    .option("--no <phrase>", "a key phrase of the badge that refuses; repeatable", another, [])
    .option("--set <name=value>", "a field of the tuning; repeatable", field, {})
    .option("--json", "print the result as JSON", false)
    .addHelpText("after", HELP)
    .action(async (badge: string, flags: Flags) => {
      const result = await sendConfiguration({
        vault: openVault(output, flags),
        identities: await identitiesOf(flags),
        badge,
        door: new RelayDoor({ relay: flags.relay, token: readToken(flags.tokenFile) }),
        consent: consentOf(flags),
        tuning: Object.keys(flags.set).length === 0 ? undefined : flags.set,
        nowUnixMs: Date.now(),
      });
      const line = result.sent ? "sent" : "kept until the badge comes";
      jsonOr(output, flags.json, { badge, ...result }, [
        `configuration ${result.version} for badge ${badge}: ${line}`,
      ]);
    });
}

function field(text: string, before: Partial<Tuning>): Partial<Tuning> {
  const [name, value, more] = text.split("=");
  const number = Number(value);
  if (
    name === "" ||
    value === undefined ||
    value === "" ||
    more !== undefined ||
    !Number.isSafeInteger(number)
  )
    throw new InvalidArgumentError("It must be NAME=NUMBER, with a whole number.");
  return { ...before, [name]: number };
}
