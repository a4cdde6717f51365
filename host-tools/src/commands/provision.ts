// `salestag provision`: makes a badge the team's own.
import { randomBytes } from "node:crypto";
import type { Command } from "commander";
import { readPhrasesForBadge } from "../phrases/phrase-list";
import { checkRelayUrl, provisionBadge } from "../provision";
import { BadgePort } from "../usb/badge-port";
import { resolveBadge } from "../usb/resolve-badge";
import { Vault } from "../vault/vault";
import { jsonOr, type Output } from "./output";
import { badgeOption } from "./values";

interface Flags {
  badge?: string;
  vault: string;
  registry: string;
  relay: string;
  label: string;
  phrases?: string;
  force: boolean;
  json: boolean;
}

const HELP = `
Example, with an emulated badge that 'rig badge --state badge1' offers:
  salestag provision --badge tcp:127.0.0.1:4001 --vault ~/salestag-vault \\
                     --registry registry.json --relay tcp://127.0.0.1:7788 --label 'Kim'`;

export function addProvision(parent: Command, output: Output): void {
  parent
    .command("provision")
    .description(
      "Make new keys for a badge, keep them in the vault, register the badge with the relay, and write them into it.",
    )
    .addOption(badgeOption())
    .requiredOption("--vault <dir>", "the team's vault")
    .requiredOption("--registry <file>", "the relay's registry file, made if missing")
    .requiredOption(
      "--relay <url>",
      "where the badge finds the relay: tls://HOST:PORT, or tcp:// on this machine",
    )
    .option("--label <name>", "whose badge it is", "")
    .option("--phrases <file>", "the team's list of key phrases, as 'salestag phrases' makes it")
    .option("--force", "give a provisioned badge new keys", false)
    .option("--json", "print the result as JSON", false)
    .addHelpText("after", HELP)
    .action(async (flags: Flags) => {
      checkRelayUrl(flags.relay);
      const phrases = flags.phrases === undefined ? undefined : readPhrasesForBadge(flags.phrases);
      const vault = Vault.open(flags.vault);
      const port = await BadgePort.open(await resolveBadge(flags.badge));
      try {
        const { badge, deviceId } = await provisionBadge({
          client: port.client,
          vault,
          registryPath: flags.registry,
          relayUrl: flags.relay,
          label: flags.label,
          random: randomBytes,
          nowMs: Date.now,
          force: flags.force,
          phrases,
        });
        const written = { badge, deviceId, relay: flags.relay, label: flags.label, phrases: phrases?.length };
        jsonOr(output, flags.json, written, [
          `badge     ${badge}`,
          `hardware  ${deviceId}`,
          `relay     ${flags.relay}`,
          ...(phrases === undefined ? [] : [`phrases   ${phrases.length}`]),
        ]);
      } finally {
        await port.close();
      }
    });
}
