// The doctor's look at what the team has: the vault's files, its entry for the badge, whether the badge has the keys in it. Keys are
// compared in constant time and never shown.
import { timingSafeEqual } from "node:crypto";
import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import type { BadgeKeys, Vault } from "@salestag/protocol/team";
import { clauseOf } from "@salestag/protocol/team";
import { type Finding, failed, ok, skipped, warning } from "./finding";
import type { StoredSettings } from "./settings-check";

export interface Team {
  vault: Vault;
  /** The vault's folder. */
  folder: string;
  /** Secret keys of the identity; undefined when there is none at hand. */
  identities?: string[];
}

const OTHERS_MODE = 0o077;

/** @param badge its id; undefined when it did not tell it */
export function checkVault({ vault, folder }: Team, badge: string | undefined): Finding {
  const check = "vault";
  const wide = readableByOthers(folder);
  if (wide.length > 0)
    return failed(
      check,
      `other users of this computer may read ${wide[0]} (${wide.length} such)`,
      "take their rights away",
      [`chmod -R go-rwx ${quoted(folder)}`],
    );
  if (badge === undefined) return skipped(check, "the badge did not tell its id", "mend what is above first");
  if (!vault.badges().includes(badge))
    return failed(
      check,
      `it has no badge ${badge}: what that records nobody opens with it`,
      "name the vault that it was provisioned with, or provision it again",
    );
  return ok(check, `it has badge ${badge}, among ${vault.badges().length}`);
}

function readableByOthers(folder: string): string[] {
  if (process.platform === "win32") return [];
  const badges = join(folder, "badges");
  const files = existsSync(badges) ? readdirSync(badges).map((name) => join(badges, name)) : [];
  const all = [folder, join(folder, "vault.json"), join(folder, "recipients.txt"), badges, ...files];
  return all.filter((path) => ((statSync(path, { throwIfNoEntry: false })?.mode ?? 0) & OTHERS_MODE) !== 0);
}

function quoted(path: string): string {
  return `'${path.replaceAll("'", "'\\''")}'`;
}

/**
 * Whether the badge has the keys that the vault has.
 * @param stored undefined when the settings were not read
 */
export async function checkKeys(
  team: Team,
  badge: string | undefined,
  deviceId: string | undefined,
  stored: StoredSettings | undefined,
): Promise<Finding> {
  const check = "keys";
  if (badge === undefined) return skipped(check, "the badge did not tell its id", "mend what is above first");
  if (team.identities === undefined)
    return skipped(check, "there is no identity to open the vault's entry with", "name it with --identity");
  let keys: BadgeKeys;
  try {
    keys = await team.vault.read(badge, team.identities);
  } catch (cause) {
    return failed(check, clauseOf(cause), "use the team's own vault and identity");
  }
  if (deviceId !== undefined && keys.deviceId !== deviceId)
    return failed(
      check,
      `badge ${badge} was provisioned on the hardware ${keys.deviceId}, and this is ${deviceId}: two have the same keys`,
      "provision this one again",
    );
  if (stored === undefined)
    return skipped(
      check,
      "the vault's entry opens; whether the badge has the same keys is seen in its settings",
      "add --settings, which interrupts a recording",
    );
  return compare(check, keys, stored);
}

function compare(check: string, keys: BadgeKeys, stored: StoredSettings): Finding {
  const todo = "provision the badge again: what it records now nobody opens";
  if (!sameKey(textOf(stored.get("authKey")), keys.authKey))
    return failed(check, "the badge's authentication key is not the vault's", todo);
  const chain = chainOf(stored.get("chain"));
  if (chain === undefined)
    return ok(
      check,
      "the badge's authentication key is the vault's; its chain is in its flash, where nobody reads it",
    );
  if (chain.n !== keys.chain.epoch)
    return warning(
      check,
      `the authentication key is the vault's; the chain is at conversation ${chain.n}, the vault's at ${keys.chain.epoch}`,
      "nothing, if conversations were shredded; else provision the badge again",
    );
  if (!sameKey(chain.k, keys.chain.key))
    return failed(check, "the badge's chain key is not the vault's", todo);
  return ok(check, "the badge has the keys that the vault has");
}

function textOf(value: Buffer | undefined): string {
  const parsed = value === undefined ? undefined : json(value);
  return typeof parsed === "string" ? parsed : "";
}

function chainOf(value: Buffer | undefined): { n: number; k: string } | undefined {
  if (value === undefined) return undefined;
  const { n, k } = (json(value) ?? {}) as { n?: unknown; k?: unknown };
  return { n: typeof n === "number" ? n : -1, k: typeof k === "string" ? k : "" };
}

/** Its form is checked elsewhere. */
function json(value: Buffer): unknown {
  try {
    return JSON.parse(value.toString("utf8"));
  } catch {
    return undefined;
  }
}

function sameKey(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a, "hex"), Buffer.from(b, "hex")];
  return left.length === right.length && left.length > 0 && timingSafeEqual(left, right);
}
