// What provisioning wrote into the badge's settings: who it is, how it proves that, where its relay is. The names of the
// settings and their forms are in docs/provisioning.md.
import { deleteSetting, readSetting, writeSetting } from "@devicescript/settings";
import {
  BADGE_ID_BYTES,
  CONSENT_DEFAULT,
  type Configuration,
  type ConsentPolicy,
  KEY_BYTES,
  readConsentPolicy,
  TUNING_DEFAULT,
  type Tuning,
  tuningWith,
} from "@salestag/protocol";
import { CHECK_MS_MAX } from "./config";
import type { Identity, RelayAddress } from "./link";

/** @returns the identity, or undefined while the badge is not provisioned */
export async function readIdentity(): Promise<Identity | undefined> {
  const badge = await readSetting<string>("badge", "");
  const authKey = await readSetting<string>("authKey", "");
  const relay = parseRelay(await readSetting<string>("relay", ""));
  if (badge.length !== 2 * BADGE_ID_BYTES || authKey.length !== 2 * KEY_BYTES || relay === undefined)
    return undefined;
  return { badgeId: Buffer.from(badge, "hex"), authKey: Buffer.from(authKey, "hex"), relay };
}

/** @returns the defaults, with what the setting `tuning` says instead; a setting that cannot be used is named and left out */
export async function readTuning(): Promise<Tuning> {
  try {
    return tuningWith(await readSetting<Partial<Tuning>>("tuning", {}));
  } catch (error) {
    console.warn(`the setting tuning is left out: ${(error as Error).message}`);
    return TUNING_DEFAULT;
  }
}

/** @returns the team's policy; one that cannot be used is named, and nothing is recorded then: what nobody understands is no consent */
export async function readConsent(): Promise<ConsentPolicy> {
  try {
    return readConsentPolicy(await readSetting<unknown>("consent", {}));
  } catch (error) {
    console.warn(
      `nothing is recorded, because the setting consent cannot be used: ${(error as Error).message}`,
    );
    return { ...CONSENT_DEFAULT, policy: "off" };
  }
}

/** @returns version of the newest configuration that came over the relay; 0 for none */
export async function readConfigured(): Promise<number> {
  return await readSetting<number>("config", 0);
}

/**
 * Writes a configuration of the team into the settings, its version last.
 * @throws Error, with nothing written, when it cannot be used
 */
export async function keepConfiguration(configuration: Configuration): Promise<void> {
  const { version, tuning, consent } = configuration;
  if (tuning !== "") tuningWith(JSON.parse(tuning));
  if (consent !== "") readConsentPolicy(JSON.parse(consent));
  if (tuning !== "") await writeSetting("tuning", JSON.parse(tuning));
  if (consent !== "") await writeSetting("consent", JSON.parse(consent));
  await writeSetting("config", version);
}

/** @returns how many ms a technician wants to hear, once: the setting is gone then; 0 for none */
export async function takeCheck(): Promise<number> {
  const ms = await readSetting<number>("check", 0);
  if (ms === 0) return 0;
  await deleteSetting("check");
  return ms > 0 && ms <= CHECK_MS_MAX ? ms : 0;
}

/** @returns a setting's value; undefined when there is none */
export async function readAny(key: string): Promise<unknown> {
  return await readSetting<unknown>(key, undefined);
}

/** Reads `tcp://host:port` or `tls://host:port`. */
function parseRelay(address: string): RelayAddress | undefined {
  const scheme = address.slice(0, 6);
  if (scheme !== "tcp://" && scheme !== "tls://") return undefined;
  const colon = address.lastIndexOf(":");
  const port = +address.slice(colon + 1);
  if (colon < 7 || !(port > 0 && port < 65536)) return undefined;
  return { proto: scheme === "tls://" ? "tls" : "tcp", host: address.slice(6, colon), port };
}
