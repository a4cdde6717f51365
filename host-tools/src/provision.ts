// Makes a badge a team's own: new keys, kept in the vault, registered with the relay, written into the badge. In this order, so
// that an interruption never leaves a badge whose recordings nobody can open.
import {
  addBadge,
  BADGE_ID_BYTES,
  type ConsentPolicy,
  KEY_BYTES,
  LABEL_CHARACTERS_MAX,
  PHRASES_MAX,
  RegistryFileError,
  readConsentPolicy,
  type Tuning,
  tuningWith,
} from "@salestag/protocol/host";
import {
  BadgeSettings,
  type JacdacClient,
  JD_CLASS_DEVICESCRIPT_MANAGER,
  JD_CLASS_SETTINGS,
  type JdService,
  setProgramRunning,
} from "@salestag/protocol/jacdac";
import { ExitCode, messageOf, ToolError } from "./errors";
import { type ListedPhrase, phraseSettings } from "./phrases/phrase-list";
import type { Vault } from "./vault/vault";

export interface ProvisionOptions {
  /** Client on the badge's bus. */
  client: JacdacClient;
  vault: Vault;
  /** Path of the relay's registry file. */
  registryPath: string;
  /** `tcp://host:port` or `tls://host:port`. */
  relayUrl: string;
  /** For people: whose badge it is. */
  label: string;
  random: (lengthBytes: number) => Buffer;
  /** Unix time in ms. */
  nowMs: () => number;
  /** Provision a badge that was provisioned before. */
  force?: boolean;
  /** Key phrases, in the place of those that it has; without them it keeps its own. */
  phrases?: ListedPhrase[];
}

export interface ProvisionedBadge {
  /** New badge id, 16 hexadecimal digits. */
  badge: string;
  /** Hardware id, 16 hexadecimal digits. */
  deviceId: string;
}

const FIND_MS = 5000;

/**
 * Provisions the badge on the client's bus.
 * @throws ToolError when there is no badge, it has keys already, or it does not take them
 */
export async function provisionBadge(options: ProvisionOptions): Promise<ProvisionedBadge> {
  const { client } = options;
  checkRelayUrl(options.relayUrl);
  checkLabel(options.label);
  let badge = "";
  const deviceId = await withSettings(client, async (settings, id) => {
    const earlier = await settings.read("badge");
    if (earlier !== undefined && !options.force)
      throw new ToolError(
        ExitCode.Usage,
        `this badge is provisioned already, as ${earlier.toString("utf8")}; add --force to give it new keys (its recordings stay readable).`,
      );
    if (options.phrases !== undefined) await replacePhrases(settings, options.phrases);
    badge = await writeKeys(options, settings, id);
  });
  return { badge, deviceId };
}

/**
 * Writes a list of key phrases into the badge on the client's bus, in the place of those that it had.
 * @returns its hardware id
 * @throws ToolError when there is no badge, or it does not take them
 */
export async function writePhrases(client: JacdacClient, phrases: ListedPhrase[]): Promise<string> {
  return await withSettings(client, (settings) => replacePhrases(settings, phrases));
}

/**
 * The list ends at the first number without a setting: until the new first one is there, the badge listens for nothing. Every other
 * number is written or cleared, because an interruption may have left phrases behind a gap.
 */
async function replacePhrases(settings: BadgeSettings, phrases: ListedPhrase[]): Promise<void> {
  const [first, ...others] = phraseSettings(phrases);
  await settings.delete(first[0]);
  for (const [key, value] of [...others.reverse(), first])
    if (value === undefined) await settings.delete(key);
    else await settings.write(key, Buffer.from(value));
}

/**
 * Writes a badge's tuning, in the place of what it had; nothing of it in `set` puts the defaults back.
 * @returns its hardware id
 * @throws ToolError when a value is out of its range, there is no badge, or it does not take it
 */
export async function writeTuning(client: JacdacClient, set: Partial<Tuning>): Promise<string> {
  try {
    tuningWith(set);
  } catch (cause) {
    throw new ToolError(ExitCode.Usage, `${messageOf(cause)}.`, { cause });
  }
  return await withSettings(client, async (settings) => {
    await settings.write("tuning", Buffer.from(JSON.stringify(set)));
  });
}

/**
 * Writes what the team decided about consent, in the place of what the badge had.
 * @returns its hardware id
 * @throws ToolError when it is no policy, there is no badge, or it does not take it
 */
export async function writeConsent(client: JacdacClient, policy: Partial<ConsentPolicy>): Promise<string> {
  try {
    readConsentPolicy(policy);
  } catch (cause) {
    throw new ToolError(ExitCode.Usage, `${messageOf(cause)}.`, { cause });
  }
  return await withSettings(client, async (settings) => {
    const listed = new Set<string>();
    for (let number = 0; number < PHRASES_MAX; number++) {
      const value = await settings.read(`phrase${number}`);
      if (value === undefined) break;
      listed.add((JSON.parse(value.toString("utf8")) as [string])[0]);
    }
    for (const text of [...(policy.yes ?? []), ...(policy.no ?? [])])
      if (!listed.has(text))
        throw new ToolError(
          ExitCode.Usage,
          `the badge does not listen for "${text}": add it with 'salestag phrases add' and write the list first.`,
        );
    await settings.write("consent", Buffer.from(JSON.stringify(policy)));
  });
}

/** Stops the badge's program, lets `work` use its settings, and starts it again, whatever happened. @returns its hardware id */
export async function withSettings(
  client: JacdacClient,
  work: (settings: BadgeSettings, deviceId: string) => Promise<void>,
): Promise<string> {
  const { settingsService, manager } = await findBadge(client);
  let failure: ToolError | undefined;
  try {
    await setProgramRunning(client, manager, false);
    await work(new BadgeSettings(client, settingsService), settingsService.deviceId);
  } catch (cause) {
    failure = asToolError(cause);
  }
  await setProgramRunning(client, manager, true).catch((cause) => {
    const first = failure === undefined ? "" : `${failure.message.replace(/\.$/, "")}, and then `;
    throw new ToolError(failure?.exitCode ?? ExitCode.Badge, `${first}${messageOf(cause)}.`, { cause });
  });
  if (failure !== undefined) throw failure;
  return settingsService.deviceId;
}

function asToolError(cause: unknown): ToolError {
  if (cause instanceof ToolError) return cause;
  if (cause instanceof RegistryFileError)
    return new ToolError(ExitCode.Usage, `${cause.message}.`, { cause });
  return new ToolError(ExitCode.Badge, `the badge was not set up: ${messageOf(cause)}.`, { cause });
}

async function writeKeys(
  options: ProvisionOptions,
  settings: BadgeSettings,
  deviceId: string,
): Promise<string> {
  const { vault, registryPath, relayUrl, label, random, nowMs } = options;
  const badge = random(BADGE_ID_BYTES).toString("hex");
  const authKey = random(KEY_BYTES);
  const root = random(KEY_BYTES).toString("hex");
  const createdMs = nowMs();
  const chain = { epoch: 0, key: root };
  await vault.add({
    version: 1,
    badge,
    deviceId,
    label,
    createdMs,
    authKey: authKey.toString("hex"),
    chain,
    epochKeys: {},
  });
  addBadge(registryPath, { badge, authKey, label, addedMs: createdMs });
  const entries = { authKey: authKey.toString("hex"), chain: { n: 0, k: root }, relay: relayUrl, badge };
  await settings.delete("badge"); // without its id it records nothing: never an old id with a new chain
  for (const [key, value] of Object.entries(entries))
    await settings.write(key, Buffer.from(JSON.stringify(value)));
  return badge;
}

async function findBadge(client: JacdacClient): Promise<{ settingsService: JdService; manager: JdService }> {
  try {
    const manager = await client.find(JD_CLASS_DEVICESCRIPT_MANAGER, FIND_MS);
    const settingsService = client
      .servicesOf(JD_CLASS_SETTINGS)
      .find(({ deviceId }) => deviceId === manager.deviceId);
    if (settingsService === undefined) throw new Error(`device ${manager.deviceId} has no settings`);
    return { settingsService, manager };
  } catch (cause) {
    throw new ToolError(
      ExitCode.Badge,
      `no badge answers (${messageOf(cause)}); check the cable and that the badge is switched on.`,
    );
  }
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
