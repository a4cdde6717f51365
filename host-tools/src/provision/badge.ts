// Makes a badge a team's own: network, phrases, consent and tuning; then new keys, kept in the vault, registered with the relay,
// written into the badge. In this order, so that an interruption never leaves a badge whose recordings nobody can open.
import {
  BADGE_ID_BYTES,
  type ConsentPolicy,
  KEY_BYTES,
  LABEL_CHARACTERS_MAX,
  type Tuning,
} from "@salestag/protocol/host";
import type { BadgeSettings, JacdacClient } from "@salestag/protocol/jacdac";
import { type BadgeKeys, clauseOf, ExitCode, ToolError, type Vault } from "@salestag/protocol/team";
import type { ListedPhrase } from "../phrases/phrase-list";
import type { Registration } from "./registration";
import {
  checkConsent,
  checkTuning,
  findBadge,
  replaceConsent,
  replacePhrases,
  withSettings,
} from "./settings";
import { checkNetwork, joinNetwork, type WifiNetwork, wifiOf } from "./wifi";

/** What a badge is to be. What is left out stays as it is on the badge. */
export interface BadgePlan {
  /** `tcp://host:port` or `tls://host:port`. */
  relayUrl: string;
  /** For people: whose badge it is. */
  label: string;
  wifi?: WifiNetwork;
  phrases?: ListedPhrase[];
  consent?: Partial<ConsentPolicy>;
  tuning?: Partial<Tuning>;
}

export interface ProvisionOptions {
  plan: BadgePlan;
  /** Client on the badge's bus. */
  client: JacdacClient;
  vault: Vault;
  registration: Registration;
  random: (lengthBytes: number) => Buffer;
  /** Unix time in ms. */
  nowMs: () => number;
  /** Provision a badge that was provisioned before. */
  force?: boolean;
  /** The badge records so many ms when it starts, for a live check; 0 or left out: none. */
  checkMs?: number;
  /** Ends it, but not between the badge's first new key and its last. */
  signal?: AbortSignal;
  /** Called when the relay knows the badge, before the badge has its keys. */
  onRegistered?: (badge: string) => Promise<void>;
  /** Told what is done now, in a few words. */
  onStep?: (what: string) => void;
}

export interface ProvisionedBadge {
  /** New badge id, 16 hexadecimal digits. */
  badge: string;
  /** Hardware id, 16 hexadecimal digits. */
  deviceId: string;
  /** What the vault has of it: they open what the badge records from now on. */
  keys: BadgeKeys;
  /** Id that it had before; its entry in the vault stays, the relay has forgotten it. */
  replaced?: string;
  /** How strong the badge hears its Wi-Fi, dBm; undefined where no network was written. */
  wifiDbm?: number;
}

/**
 * Provisions the badge on the client's bus.
 * @throws ToolError when there is no badge, it has keys already, or it does not take them: it has its old ones then, or none, and the
 * relay does not know the new ones
 */
export async function provisionBadge(options: ProvisionOptions): Promise<ProvisionedBadge> {
  const { client, plan, signal, onStep = () => undefined } = options;
  checkPlan(plan);
  const { deviceId } = (await findBadge(client)).manager;
  signal?.throwIfAborted();
  const wifiDbm = await network(options, deviceId);
  const { keys, replaced } = await withSettings(client, async (settings) => {
    const replaced = await earlierId(settings);
    if (replaced !== undefined && !options.force)
      throw new ToolError(
        ExitCode.Usage,
        `this badge is provisioned already, as ${replaced}; add --force to give it new keys (its recordings stay readable).`,
      );
    onStep("settings");
    await writePlan(plan, settings);
    signal?.throwIfAborted();
    onStep("keys");
    return { keys: await giveKeys(options, settings, deviceId), replaced };
  });
  if (replaced !== undefined) await forgetEarlier(options, replaced);
  return { badge: keys.badge, keys, deviceId, replaced, wifiDbm };
}

async function earlierId(settings: BadgeSettings): Promise<string | undefined> {
  const text = (await settings.read("badge"))?.toString("utf8");
  if (text === undefined) return undefined;
  return /^"([0-9a-f]{16})"$/.exec(text)?.[1] ?? text;
}

/** Nothing will come from the earlier id any more: the badge gives up what it held of it. Another relay may have known it, or a tidy operator taken it out. */
async function forgetEarlier({ registration, onStep }: ProvisionOptions, badge: string): Promise<void> {
  await registration.remove(badge).catch((cause) => {
    onStep?.(`the relay was not made to forget badge ${badge}: ${clauseOf(cause)}`);
  });
}

/** @throws ToolError when no badge could take it */
export function checkPlan(plan: BadgePlan): void {
  checkRelayUrl(plan.relayUrl);
  checkLabel(plan.label);
  if (plan.wifi !== undefined) checkNetwork(plan.wifi);
  if (plan.tuning !== undefined) checkTuning(plan.tuning);
  if (plan.consent !== undefined) checkConsent(plan.consent);
}

async function network(
  { client, plan, onStep, signal }: ProvisionOptions,
  deviceId: string,
): Promise<number | undefined> {
  if (plan.wifi === undefined) return undefined;
  const wifi = wifiOf(client, deviceId);
  if (wifi === undefined)
    throw new ToolError(
      ExitCode.Badge,
      `the badge ${deviceId} has no Wi-Fi that can be set; leave the network out, or flash a board configuration with Wi-Fi.`,
    );
  onStep?.("Wi-Fi");
  return await joinNetwork(client, wifi, plan.wifi, signal);
}

async function writePlan({ phrases, tuning, consent }: BadgePlan, settings: BadgeSettings): Promise<void> {
  if (phrases !== undefined) await replacePhrases(settings, phrases);
  if (tuning !== undefined) await settings.write("tuning", Buffer.from(JSON.stringify(tuning)));
  if (consent !== undefined) await replaceConsent(settings, consent);
}

/** Until the badge's id is on its way, everything is taken back when something fails. */
async function giveKeys(
  options: ProvisionOptions,
  settings: BadgeSettings,
  deviceId: string,
): Promise<BadgeKeys> {
  const { vault, registration, plan, random, nowMs, checkMs = 0 } = options;
  const badge = random(BADGE_ID_BYTES).toString("hex");
  const authKey = random(KEY_BYTES);
  const keys: BadgeKeys = {
    version: 1,
    badge,
    deviceId,
    label: plan.label,
    createdMs: nowMs(),
    authKey: authKey.toString("hex"),
    chain: { epoch: 0, key: random(KEY_BYTES).toString("hex") },
    epochKeys: {},
  };
  await vault.add(keys);
  let registered = false;
  let complete = false;
  try {
    await registration.add(badge, authKey, plan.label);
    registered = true;
    await options.onRegistered?.(badge);
    await settings.delete("badge"); // without its id it records nothing: never an old id with a new chain
    const entries: Record<string, unknown> = {
      authKey: keys.authKey,
      chain: { n: 0, k: keys.chain.key },
      relay: plan.relayUrl,
    };
    if (checkMs > 0) entries.check = checkMs;
    for (const [key, value] of Object.entries(entries))
      await settings.write(key, Buffer.from(JSON.stringify(value)));
    complete = true;
  } finally {
    if (!complete) {
      vault.discard(badge);
      if (registered) await registration.remove(badge).catch(() => undefined); // an entry that no badge can prove itself with
    }
  }
  await settings.write("badge", Buffer.from(JSON.stringify(badge)));
  return keys;
}

/** The registry would refuse it, but only after the keys are in the vault. */
function checkLabel(label: string): void {
  if (label.length > LABEL_CHARACTERS_MAX || /\p{Cc}/u.test(label))
    throw new ToolError(
      ExitCode.Usage,
      `the label has ${label.length} characters or a line break; write at most ${LABEL_CHARACTERS_MAX} on one line.`,
    );
}

/** @throws ToolError unless it is an address that the badge can use */
export function checkRelayUrl(relayUrl: string): void {
  const parts = /^(tcp|tls):\/\/[^\s:/]+:(\d{1,5})$/.exec(relayUrl);
  const port = Number(parts?.[2]);
  if (parts === null || port < 1 || port > 65535 || relayUrl.length > 200)
    throw new ToolError(
      ExitCode.Usage,
      `${JSON.stringify(relayUrl)} is no address of a relay; write tls://relay.example.com:7789 or tcp://127.0.0.1:7788.`,
    );
}

/**
 * Takes the keys from a badge again, and its place at the relay: as if it had never been provisioned. What it recorded stays
 * readable by the vault.
 * @throws ToolError when the badge does not do it
 */
export async function unprovisionBadge(
  client: JacdacClient,
  registration: Registration,
  badge: string,
): Promise<void> {
  await withSettings(client, async (settings) => {
    for (const key of ["badge", "authKey", "chain", "check"]) await settings.delete(key);
  });
  await registration.remove(badge);
}
