// `salestag keys import`: an export into a vault, new or not.

import { importVault } from "@salestag/protocol/team";
import type { Command } from "commander";
import { jsonOr, type Output } from "./output";
import { identitiesOf, openVault, type TeamFlags, withTeam } from "./team";

interface Flags extends TeamFlags {
  json: boolean;
}

const HELP = `
A conversation that was shredded in the vault or in the export stays shredded. Who can open the vault does not change; a new vault gets the
recipients of the one that was exported, and you.

Examples:
  salestag keys import vault-backup.age --vault ~/salestag-vault
  salestag keys import from-the-other-office.age --vault ~/salestag-vault --identity identity.txt`;

export function addKeysImport(parent: Command, output: Output): void {
  withTeam(parent.command("import <file>"))
    .description("Take an exported vault into a vault, or make a new vault of it.")
    .option("--json", "print the result as JSON", false)
    .addHelpText("after", HELP)
    .action(async (file: string, flags: Flags) => {
      const result = await importVault(file, flags.vault, await identitiesOf(flags));
      openVault(output, flags); // what is wrong with it is told
      const { created, added, changed, unchanged } = result;
      jsonOr(output, flags.json, { vault: flags.vault, ...result }, [
        `vault      ${flags.vault}${created ? " (new)" : ""}`,
        `added      ${added.length}`,
        `changed    ${changed.length}`,
        `unchanged  ${unchanged.length}`,
      ]);
    });
}
