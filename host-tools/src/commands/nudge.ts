// `salestag nudge`: a word from the team to the one who wears a badge.
import { type Command, InvalidArgumentError } from "commander";
import { sendNudge } from "../nudge";
import { RelayDoor, readToken } from "../relay-door";
import { jsonOr, type Output } from "./output";
import { identitiesOf, openVault, type TeamFlags, withTeam } from "./team";

interface Flags extends TeamFlags {
  relay: string;
  tokenFile: string;
  text: string;
  buzzes: number;
  expiresMin: number;
  json: boolean;
}

const HELP = `
The badge vibrates; its light shows nothing to others. It is sealed for that badge: the relay can neither read nor make it.

Example:
  salestag nudge 0123456789abcdef --vault ~/salestag-vault --token-file admin.token --text "Ask about the roof" --buzzes 2`;

export function addNudge(parent: Command, output: Output): void {
  withTeam(parent.command("nudge <badge>"))
    .description("Send the wearer of a badge a nudge.")
    .option("--relay <url>", "the relay's door for its operator", "http://127.0.0.1:7780")
    .requiredOption("--token-file <file>", "file with the door's token")
    .option("--text <text>", "what it is about, for the record", "")
    .option("--buzzes <n>", "how often the badge vibrates, 1 to 5", whole, 2)
    .option("--expires-min <min>", "not shown after so many minutes", whole, 30)
    .option("--json", "print the result as JSON", false)
    .addHelpText("after", HELP)
    .action(async (badge: string, flags: Flags) => {
      const { relay, text, buzzes, expiresMin, json } = flags;
      const nowUnixMs = Date.now();
      const result = await sendNudge({
        vault: openVault(output, flags),
        identities: await identitiesOf(flags),
        badge,
        door: new RelayDoor({ relay, token: readToken(flags.tokenFile) }),
        text,
        buzzes,
        expiresUnixMs: nowUnixMs + expiresMin * 60_000,
        nowUnixMs,
      });
      const line = result.sent ? "sent" : "kept until the badge comes";
      jsonOr(output, json, { badge, ...result }, [`nudge ${result.id} for badge ${badge}: ${line}`]);
    });
}

function whole(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1)
    throw new InvalidArgumentError("It must be a whole number of at least 1.");
  return value;
}
