// `salestag keys init`: the team's identity and its vault.
import { existsSync, mkdirSync, rmdirSync } from "node:fs";
import {
  checkPassphrase,
  createIdentity,
  defaultIdentityPath,
  ExitCode,
  ToolError,
  Vault,
} from "@salestag/protocol/team";
import type { Command } from "commander";
import { newPassphraseFrom } from "../passphrase";
import { jsonOr, type Output } from "./output";
import { withPassphrase } from "./team";

interface Flags {
  identity: string;
  vault: string;
  label: string;
  passphrase: boolean;
  passphraseFd?: number;
  json: boolean;
}

const HELP = `
With --passphrase the identity file is protected as 'age -p' does it, and commands that use it ask for the passphrase.

Examples:
  salestag keys init --vault ~/salestag-vault --label 'Sunny Roofs'
  salestag keys init --vault ~/salestag-vault --passphrase`;

export function addKeysInit(parent: Command, output: Output): void {
  withPassphrase(parent.command("init"))
    .description("Make the team's identity (an age key file) and a vault for the keys of its badges.")
    .option("--identity <file>", "identity file to make", defaultIdentityPath(process.env))
    .requiredOption("--vault <dir>", "vault folder to make")
    .option("--label <name>", "name of the team", "")
    .option("--passphrase", "protect the identity with a passphrase; asked for on the terminal", false)
    .option("--json", "print the result as JSON", false)
    .addHelpText("after", HELP)
    .action(async (flags: Flags) => {
      if (existsSync(flags.vault))
        throw new ToolError(
          ExitCode.Usage,
          `'${flags.vault}' is there already; choose another folder for the new vault.`,
        );
      const passphrase = await newPassphrase(flags);
      mkdirSync(flags.vault, { recursive: true, mode: 0o700 }); // before there is an identity that a second try would find
      const recipient = await createIdentity(flags.identity, Date.now(), passphrase).catch((cause) => {
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

async function newPassphrase({ identity, passphrase, passphraseFd }: Flags): Promise<string | undefined> {
  if (!passphrase && passphraseFd === undefined) return undefined;
  if (existsSync(identity))
    throw new ToolError(
      ExitCode.Usage,
      `'${identity}' is there already and is not overwritten; choose another name or move it away.`,
    );
  const given = await newPassphraseFrom(passphraseFd)();
  checkPassphrase(given);
  return given;
}
