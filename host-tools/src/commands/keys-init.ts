// `salestag keys init`: the team's identity and its vault.
import { existsSync, mkdirSync, rmdirSync } from "node:fs";
import type { Command } from "commander";
import { ExitCode, ToolError } from "../errors";
import { createIdentity, defaultIdentityPath } from "../vault/identity";
import { Vault } from "../vault/vault";
import { jsonOr, type Output } from "./output";

interface Flags {
  identity: string;
  vault: string;
  label: string;
  json: boolean;
}

export function addKeysInit(parent: Command, output: Output): void {
  parent
    .command("init")
    .description("Make the team's identity (an age key file) and a vault for the keys of its badges.")
    .option("--identity <file>", "identity file to make", defaultIdentityPath(process.env))
    .requiredOption("--vault <dir>", "vault folder to make")
    .option("--label <name>", "name of the team", "")
    .option("--json", "print the result as JSON", false)
    .addHelpText("after", "\nExample:\n  salestag keys init --vault ~/salestag-vault --label 'Sunny Roofs'")
    .action(async (flags: Flags) => {
      if (existsSync(flags.vault))
        throw new ToolError(
          ExitCode.Usage,
          `'${flags.vault}' is there already; choose another folder for the new vault.`,
        );
      mkdirSync(flags.vault, { recursive: true, mode: 0o700 }); // before there is an identity that a second try would find
      const recipient = await createIdentity(flags.identity, Date.now()).catch((cause) => {
        rmdirSync(flags.vault);
        throw cause;
      });
      Vault.create(flags.vault, flags.label, [recipient]);
      jsonOr(output, flags.json, { identity: flags.identity, vault: flags.vault, recipient }, [
        `identity   ${flags.identity}`,
        `recipient  ${recipient}`,
        `vault      ${flags.vault}`,
      ]);
      output.notice(
        "Keep a copy of the identity file in a safe place: without it nobody opens the team's recordings.",
      );
    });
}
