// The options that commands with the team's vault and identity share, and what stands behind them.

import { defaultIdentityPath, readIdentities, Vault } from "@salestag/protocol/team";
import { type Command, InvalidArgumentError } from "commander";
import { passphraseFrom } from "../passphrase";
import type { Output } from "./output";

export interface TeamFlags {
  vault: string;
  identity: string;
  passphraseFd?: number;
}

/** Adds --vault, --identity and --passphrase-fd. */
export function withTeam(command: Command): Command {
  return withPassphrase(
    command
      .requiredOption("--vault <dir>", "the team's vault")
      .option("--identity <file>", "the team's identity", defaultIdentityPath(process.env)),
  );
}

/** Adds --passphrase-fd. */
export function withPassphrase(command: Command): Command {
  return command.option(
    "--passphrase-fd <n>",
    "read the identity's passphrase from this open file descriptor",
    descriptor,
  );
}

/** @returns the secret keys, after asking for a passphrase where the identity has one. @throws ToolError */
export async function identitiesOf({ identity, passphraseFd }: Omit<TeamFlags, "vault">): Promise<string[]> {
  return await readIdentities(identity, passphraseFrom(passphraseFd, identity));
}

/** Opens the vault and tells what is wrong with it. @throws ToolError when it is none */
export function openVault(output: Output, { vault: folder }: Pick<TeamFlags, "vault">): Vault {
  const vault = Vault.open(folder);
  for (const warning of vault.warnings()) output.notice(`warning: ${warning}`);
  return vault;
}

function descriptor(text: string): number {
  if (!/^\d{1,5}$/.test(text) || text === "1" || text === "2")
    throw new InvalidArgumentError("It must be 0, 3 or a higher number.");
  return Number(text);
}
