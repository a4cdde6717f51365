// `salestag keys add-recipient`: lets somebody else open the vault.

import { addRecipient } from "@salestag/protocol/team";
import type { Command } from "commander";
import { jsonOr, type Output } from "./output";
import { identitiesOf, openVault, type TeamFlags, withTeam } from "./team";

interface Flags extends TeamFlags {
  name: string;
  json: boolean;
}

const HELP = `
Everything in the vault is encrypted anew. For one who is a recipient already it does that too: after recipients.txt was changed by hand, or
after an interruption.

Examples:
  salestag keys add-recipient age1... --name "Kim's laptop" --vault ~/salestag-vault
  salestag keys add-recipient $(age-keygen -y backup.txt) --name "in the safe" --vault ~/salestag-vault`;

export function addKeysAddRecipient(parent: Command, output: Output): void {
  withTeam(parent.command("add-recipient <recipient>"))
    .description("Let somebody open the vault, with all that is in it.")
    .option("--name <name>", "whose it is, for the list", "")
    .option("--json", "print the result as JSON", false)
    .addHelpText("after", HELP)
    .action(async (recipient: string, flags: Flags) => {
      const vault = openVault(output, flags);
      const changed = await addRecipient(vault, await identitiesOf(flags), { recipient, name: flags.name });
      jsonOr(output, flags.json, changed, [
        `${recipient} opens the vault now, with ${changed.badges} ${changed.badges === 1 ? "badge" : "badges"}`,
        `recipients  ${changed.recipients.length}`,
      ]);
    });
}
