// Options that `salestag provision` and `salestag provision-box` share: the team's vault, its relay, what a badge is to be, and what is made of them.
import { existsSync } from "node:fs";
import type { Tuning } from "@salestag/protocol";
import { ExitCode, readSecretFile, ToolError } from "@salestag/protocol/team";
import { type Command, Option } from "commander";
import { readPhrasesForBadge } from "../phrases/phrase-list";
import { doorArrivals, folderArrivals } from "../provision/arrivals";
import type { BadgePlan } from "../provision/badge";
import type { Arrivals } from "../provision/proof";
import { doorRegistration, type Registration, registryFile } from "../provision/registration";
import type { WifiNetwork } from "../provision/wifi";
import { RelayDoor, readToken } from "../relay-door";
import { type ConsentFlags, consentOf } from "./consent-flags";
import { another, whole } from "./values";

export interface SharedFlags extends ConsentFlags {
  vault: string;
  relay: string;
  registry?: string;
  relayDoor?: string;
  tokenFile?: string;
  delivered?: string;
  wifi?: string;
  wifiPasswordFile?: string;
  phrases?: string;
  talkShareMax?: number;
  monologueS?: number;
  check: boolean;
  json: boolean;
}

/** The relay's side of provisioning. */
export interface RelaySide {
  registration: Registration;
  /** Undefined where chunks cannot be seen to arrive. */
  arrivalsOf?: (badge: string) => Promise<Arrivals>;
}

/** Longer ones are no password of a Wi-Fi. */
const PASSWORD_FILE_BYTES_MAX = 4096;
const WATCH_S = 120;

export const SHARED_HELP = `
Order: Wi-Fi is joined; phrases, tuning and consent are written; then new keys are made, encrypted to the vault's recipients, registered with the
relay, written into the badge and read back. Then the badge proves itself: it reaches its relay, records two seconds, uploads them, and they are opened
here. One that does not is taken back, so that no badge is left half provisioned.

The badge's runtime keeps one Wi-Fi network with one password (WPA2-Personal) or none (open), on 2.4 GHz. A login for each person (WPA2-Enterprise,
eduroam) and a page to click through cannot work.`;

export function addSharedOptions(command: Command): Command {
  return command
    .requiredOption("--vault <dir>", "the team's vault")
    .requiredOption(
      "--relay <url>",
      "where the badge finds the relay: tls://HOST:PORT, or tcp:// on this machine",
    )
    .option("--registry <file>", "the relay's registry file on this machine, made if missing")
    .option(
      "--relay-door <url>",
      "or the relay's door for its operator: https://..., or http:// on this machine",
    )
    .option("--token-file <file>", "file with the door's token")
    .option(
      "--delivered <dir>",
      "with --registry: folder of the relay's sink 'folder:DIR', where the live check finds the sound",
    )
    .option("--wifi <ssid>", "the network that the badge joins; without it, it keeps what it has")
    .option("--wifi-password-file <file>", "file with its password (mode 600); left out for an open network")
    .addOption(new Option("--policy <name>", "consent").choices(["announce", "verbal", "off"]))
    .option("--within-s <s>", "time to consent, for verbal", whole, 60)
    .option("--yes <phrase>", "a key phrase that consents; repeatable", another, [])
    .option("--no <phrase>", "a key phrase that refuses; repeatable", another, [])
    .option("--phrases <file>", "the team's list of key phrases, as 'salestag phrases' makes it")
    .option("--talk-share-max <percent>", "nudge when the wearer talks more than this; 0: never", whole)
    .option("--monologue-s <s>", "nudge when the wearer talks on for so long; 0: never", whole)
    .option("--no-check", "leave the live check out")
    .option("--json", "print the result as JSON", false);
}

/** @returns what every badge is to be. @throws ToolError */
export function planOf(flags: SharedFlags, label: string): BadgePlan {
  const plan: BadgePlan = { relayUrl: flags.relay, label };
  plan.wifi = networkOf(flags);
  plan.consent = consentOf(flags);
  if (flags.phrases !== undefined) plan.phrases = readPhrasesForBadge(flags.phrases);
  const tuning: Partial<Tuning> = {};
  if (flags.talkShareMax !== undefined) tuning.talkShareMax = flags.talkShareMax;
  if (flags.monologueS !== undefined) tuning.monologueMsMax = flags.monologueS * 1000;
  if (Object.keys(tuning).length > 0) plan.tuning = tuning;
  return plan;
}

/** @returns the Wi-Fi that --wifi and --wifi-password-file name, if they do @throws ToolError when the password cannot be used */
export function networkOf({
  wifi,
  wifiPasswordFile,
}: Pick<SharedFlags, "wifi" | "wifiPasswordFile">): WifiNetwork | undefined {
  if (wifi !== undefined) return { ssid: wifi, password: passwordIn(wifiPasswordFile) };
  if (wifiPasswordFile === undefined) return undefined;
  throw new ToolError(ExitCode.Usage, "--wifi-password-file belongs to --wifi.");
}

/** @returns the Wi-Fi's password in a file; "" without one @throws ToolError when it cannot be read, or others may read it */
function passwordIn(path: string | undefined): string {
  if (path === undefined) return "";
  if (!existsSync(path))
    throw new ToolError(
      ExitCode.Usage,
      `there is no file '${path}'; write the Wi-Fi's password into one, mode 600.`,
    );
  return readSecretFile(path, PASSWORD_FILE_BYTES_MAX)
    .toString("utf8")
    .replace(/\r?\n$/, "");
}

/** @throws ToolError unless exactly one way to the relay is named */
export function relaySideOf({ registry, relayDoor, tokenFile, delivered }: SharedFlags): RelaySide {
  if ((registry === undefined) === (relayDoor === undefined))
    throw new ToolError(
      ExitCode.Usage,
      "name where the badge is registered: --registry FILE on the relay's machine, or --relay-door URL with --token-file.",
    );
  if (registry !== undefined)
    return {
      registration: registryFile(registry, Date.now),
      arrivalsOf: delivered === undefined ? undefined : async (badge) => folderArrivals(delivered, badge),
    };
  if (tokenFile === undefined || delivered !== undefined)
    throw new ToolError(ExitCode.Usage, "--relay-door needs --token-file, and no --delivered.");
  const door = new RelayDoor({ relay: relayDoor as string, token: readToken(tokenFile) });
  return {
    registration: doorRegistration(door),
    arrivalsOf: (badge) => doorArrivals(door, badge, WATCH_S),
  };
}
