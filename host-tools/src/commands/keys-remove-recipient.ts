// `salestag keys remove-recipient`: somebody is not to open the vault any more.

import { removeRecipient } from "@salestag/protocol/team";
import type { Command } from "commander";
import { jsonOr, type Output } from "./output";
import { identitiesOf, openVault, type TeamFlags, withTeam } from "./team";

interface Flags extends TeamFlags {
  json: boolean;
}

const HELP = `
Use the identity of somebody who stays: one cannot take oneself off the list, so that it is sure that somebody is left. To replace your own
key, add the new one first and remove the old one with the new identity.

Examples:
  salestag keys remove-recipient age1... --vault ~/salestag-vault
  salestag keys remove-recipient age1... --vault ~/salestag-vault --identity new-identity.txt`;

export function addKeysRemoveRecipient(parent: Command, output: Output): void {
  withTeam(parent.command("remove-recipient <recipient>"))
    .description("Encrypt the vault so that somebody does not open it any more.")
    .option("--json", "print the result as JSON", false)
    .addHelpText("after", HELP)
    .action(async (recipient: string, flags: Flags) => {
      const vault = openVault(output, flags);
      const changed = await removeRecipient(vault, await identitiesOf(flags), recipient);
      jsonOr(output, flags.json, changed, [
        `${recipient} does not open the vault any more, with ${changed.badges} ${changed.badges === 1 ? "badge" : "badges"}`,
        `recipients  ${changed.recipients.length}`,
      ]);
      output.notice(
        "Whoever kept a copy of the vault or of an export still opens that copy, and what its badges record from now on: give the badges new keys ('salestag provision --force').",
      );
    });
}
