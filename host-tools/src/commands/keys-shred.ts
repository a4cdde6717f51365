// `salestag keys shred`: makes single conversations unopenable for good.

import type { BadgeKeys } from "@salestag/protocol/team";
import { ExitCode, shredEpochs, ToolError } from "@salestag/protocol/team";
import type { Command } from "commander";
import { askTerminal } from "../terminal";
import { jsonOr, type Output } from "./output";
import { identitiesOf, openVault, type TeamFlags, withTeam } from "./team";
import { anotherEpoch } from "./values";

interface Flags extends TeamFlags {
  yes: boolean;
  json: boolean;
}

const HELP = `
The number of a conversation is its epoch, as 'salestag open' shows it behind the badge. All other conversations open as before. It cannot be undone.

Examples:
  salestag keys shred 0123456789abcdef 17 --vault ~/salestag-vault
  salestag keys shred 0123456789abcdef 17 18 21 --vault ~/salestag-vault --yes`;

export function addKeysShred(parent: Command, output: Output): void {
  withTeam(parent.command("shred"))
    .argument("<badge>", "its id, 16 hexadecimal digits")
    .argument("<epoch...>", "numbers of conversations", anotherEpoch)
    .description("Delete the keys of single conversations: nobody opens them any more.")
    .option("--yes", "do not ask", false)
    .option("--json", "print the result as JSON", false)
    .addHelpText("after", HELP)
    .action(async (badge: string, epochs: number[], flags: Flags) => {
      const vault = openVault(output, flags);
      const identities = await identitiesOf(flags);
      const before = shredEpochs(await vault.read(badge, identities), epochs);
      if (!flags.yes && before.shredded.length > 0) await confirm(before.keys, before.shredded);
      const { shredded, already } = await vault.change(async (change) => {
        const after = shredEpochs(await vault.read(badge, identities), epochs);
        if (after.shredded.length > 0) await change.replace(after.keys);
        return after;
      });
      jsonOr(output, flags.json, { badge, shredded, already }, [
        `shredded   ${shredded.join(", ") || "nothing"}`,
        ...(already.length > 0 ? [`before     ${already.join(", ")}`] : []),
      ]);
      output.notice(
        "This does not reach copies of the vault that were made before, exports, and what was opened and saved: whoever has them opens these conversations still.",
      );
    });
}

async function confirm({ badge, label }: BadgeKeys, epochs: number[]): Promise<void> {
  const named = label === "" ? badge : `${JSON.stringify(label)} (${badge})`;
  const which = epochs.length === 1 ? `conversation ${epochs[0]}` : `conversations ${epochs.join(", ")}`;
  const answer = await askTerminal(
    `Nobody will be able to open ${which} of ${named} again. Type the badge's ${label === "" ? "id" : "label or id"}: `,
    false,
    "a confirmation; use --yes",
  );
  if (answer.trim() !== badge && (label === "" || answer.trim() !== label.trim()))
    throw new ToolError(ExitCode.Usage, "that is not the badge; nothing was shredded.");
}
