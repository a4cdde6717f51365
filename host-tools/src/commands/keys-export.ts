// `salestag keys export`: the whole vault as one encrypted file.

import { exportVault } from "@salestag/protocol/team";
import type { Command } from "commander";
import { jsonOr, type Output } from "./output";
import { identitiesOf, openVault, type TeamFlags, withTeam } from "./team";
import { another } from "./values";

interface Flags extends TeamFlags {
  out: string;
  to: string[];
  json: boolean;
}

const HELP = `
The file is an age file for those who can open the vault, or for those named with --to instead. It keeps what is shredded later: make a new
one then, and destroy the old.

Examples:
  salestag keys export --out vault-backup.age --vault ~/salestag-vault
  salestag keys export --out for-the-safe.age --to age1... --vault ~/salestag-vault`;

export function addKeysExport(parent: Command, output: Output): void {
  withTeam(parent.command("export"))
    .description("Write the whole vault into one encrypted file, as a backup or to hand it over.")
    .requiredOption("--out <file>", "the file to make")
    .option("--to <recipient>", "who opens it, age1...; repeatable", another, [])
    .option("--json", "print the result as JSON", false)
    .addHelpText("after", HELP)
    .action(async (flags: Flags) => {
      const vault = openVault(output, flags);
      const { out, to } = flags;
      const identities = await identitiesOf(flags);
      const badges = await exportVault({ vault, identities, out, to, nowMs: Date.now() });
      jsonOr(output, flags.json, { out, badges }, [`export  ${out}`, `badges  ${badges.length}`]);
    });
}
