// `salestag keys list`: who can open a vault, and what it has of each badge.

import type { UnfinishedChange, Vault } from "@salestag/protocol/team";
import {
  type BadgeKeys,
  type EpochRange,
  ownEpochs,
  shreddedRanges,
  ToolError,
} from "@salestag/protocol/team";
import type { Command } from "commander";
import { jsonOr, type Output } from "./output";
import { identitiesOf, openVault, type TeamFlags, withPassphrase } from "./team";

interface Flags extends Omit<TeamFlags, "identity"> {
  identity?: string;
  json: boolean;
}

/** A badge as it is listed; without an identity only its id is known. */
interface ListedBadge {
  badge: string;
  deviceId?: string;
  label?: string;
  createdMs?: number;
  /** Id of the entry that the same hardware got after this one; null for the newest. */
  replacedBy?: string | null;
  /** Number of conversations with a key of their own. */
  ownKeys?: number;
  /** Runs of conversations that were shredded. */
  shredded?: EpochRange[];
}

const HELP = `
A badge that was given new keys has an entry for each time; the newest of its hardware is the current one.

Examples:
  salestag keys list --vault ~/salestag-vault
  salestag keys list --vault ~/salestag-vault --identity ~/.config/salestag/identity.txt --json`;

export function addKeysList(parent: Command, output: Output): void {
  withPassphrase(parent.command("list"))
    .description(
      "List who can open a vault and the badges in it; with an identity also whose badges they are.",
    )
    .requiredOption("--vault <dir>", "the team's vault")
    .option("--identity <file>", "the team's identity, to tell more than ids")
    .option("--json", "print the result as JSON", false)
    .addHelpText("after", HELP)
    .action(async (flags: Flags) => {
      const vault = openVault(output, flags);
      const unopened: ToolError[] = [];
      const badges = await listedBadges(vault, flags, unopened);
      const list = {
        label: vault.label,
        recipients: vault.recipients(),
        unfinished: vault.unfinished() ?? null,
        badges,
      };
      jsonOr(output, flags.json, list, linesOf(output, list));
      for (const { message } of unopened.slice(1)) output.notice(`not opened: ${message}`);
      if (unopened.length > 0) throw unopened[0];
    });
}

async function listedBadges(
  vault: Vault,
  { identity, passphraseFd }: Flags,
  unopened: ToolError[],
): Promise<ListedBadge[]> {
  if (identity === undefined) return vault.badges().map((badge) => ({ badge }));
  const identities = await identitiesOf({ identity, passphraseFd });
  const opened: BadgeKeys[] = [];
  const closed: ListedBadge[] = [];
  for (const badge of vault.badges())
    try {
      opened.push(await vault.read(badge, identities));
    } catch (cause) {
      if (!(cause instanceof ToolError)) throw cause;
      unopened.push(cause);
      closed.push({ badge });
    }
  return [...byHardware(opened), ...closed];
}

/** @returns the badges in order of their first provisioning, entries of the same hardware one after the other */
function byHardware(opened: BadgeKeys[]): ListedBadge[] {
  const inTime = [...opened].sort((a, b) => a.createdMs - b.createdMs);
  const devices = [...new Set(inTime.map(({ deviceId }) => deviceId))];
  return devices.flatMap((device) => {
    const group = inTime.filter(({ deviceId }) => deviceId === device);
    return group.map((keys, at) => ({
      badge: keys.badge,
      deviceId: keys.deviceId,
      label: keys.label,
      createdMs: keys.createdMs,
      replacedBy: group[at + 1]?.badge ?? null,
      ownKeys: ownEpochs(keys).length,
      shredded: shreddedRanges(keys),
    }));
  });
}

interface List {
  recipients: { recipient: string; name: string }[];
  unfinished: UnfinishedChange | null;
  badges: ListedBadge[];
}

function linesOf({ colors }: Output, { recipients, badges }: List): string[] {
  return [
    colors.bold("recipients"),
    ...recipients.map(({ recipient, name }) => `  ${recipient}  ${printable(name)}`.trimEnd()),
    colors.bold("badges"),
    ...badges.map((badge) => `  ${lineOf(badge)}`),
  ];
}

function lineOf({ badge, label, createdMs, replacedBy, ownKeys, shredded }: ListedBadge): string {
  if (createdMs === undefined || shredded === undefined) return badge;
  const parts = [badge, new Date(createdMs).toISOString().slice(0, 10), printable(label ?? "")];
  if (replacedBy) parts.push(`replaced by ${replacedBy}`);
  if (shredded.length > 0) parts.push(`shredded ${shredded.map(rangeText).join(", ")}`);
  if (ownKeys) parts.push(`own keys ${ownKeys}`);
  return parts.filter((part) => part !== "").join("  ");
}

function rangeText([first, last]: EpochRange): string {
  return first === last ? `${first}` : `${first}-${last}`;
}

/** Whoever can write into the vault chooses this text: it must not steer the terminal. */
function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, "?");
}
