// What a team may set on a badge over USB besides its keys: key phrases, tuning, consent. The badge's program is stopped meanwhile: the
// runtime tells the program of every setting that is read from outside, and that ends it.
import {
  type ConsentPolicy,
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
import { clauseOf, ExitCode, messageOf, ToolError } from "@salestag/protocol/team";
import { type ListedPhrase, phraseSettings } from "../phrases/phrase-list";

const FIND_MS = 10_000;

/**
 * Writes a list of key phrases into the badge on the client's bus, in the place of those that it had.
 * @returns its hardware id
 * @throws ToolError when there is no badge, or it does not take them
 */
export async function writePhrases(client: JacdacClient, phrases: ListedPhrase[]): Promise<string> {
  return await change(client, (settings) => replacePhrases(settings, phrases));
}

/**
 * The list ends at the first number without a setting: until the new first one is there, the badge listens for nothing. Every other
 * number is written or cleared, because an interruption may have left phrases behind a gap.
 */
export async function replacePhrases(settings: BadgeSettings, phrases: ListedPhrase[]): Promise<void> {
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
  checkTuning(set);
  return await change(client, (settings) => settings.write("tuning", Buffer.from(JSON.stringify(set))));
}

/** @throws ToolError when a value is out of its range */
export function checkTuning(set: Partial<Tuning>): void {
  try {
    tuningWith(set);
  } catch (cause) {
    throw new ToolError(ExitCode.Usage, `${messageOf(cause)}.`, { cause });
  }
}

/**
 * Writes what the team decided about consent, in the place of what the badge had.
 * @returns its hardware id
 * @throws ToolError when it is no policy, there is no badge, or it does not take it
 */
export async function writeConsent(client: JacdacClient, policy: Partial<ConsentPolicy>): Promise<string> {
  checkConsent(policy);
  return await change(client, (settings) => replaceConsent(settings, policy));
}

/** @throws ToolError when it is no policy */
export function checkConsent(policy: Partial<ConsentPolicy>): void {
  try {
    readConsentPolicy(policy);
  } catch (cause) {
    throw new ToolError(ExitCode.Usage, `${messageOf(cause)}.`, { cause });
  }
}

/** The phrases that it names must be on the badge. @throws ToolError when one is not */
export async function replaceConsent(settings: BadgeSettings, policy: Partial<ConsentPolicy>): Promise<void> {
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
}

/** @returns the badge's hardware id */
async function change(
  client: JacdacClient,
  work: (settings: BadgeSettings) => Promise<void>,
): Promise<string> {
  return await withSettings(client, async (settings, deviceId) => {
    await work(settings);
    return deviceId;
  });
}

/** Stops the badge's program, lets `work` use its settings, and starts it again, whatever happened. @returns what `work` gives */
export async function withSettings<T>(
  client: JacdacClient,
  work: (settings: BadgeSettings, deviceId: string) => Promise<T>,
): Promise<T> {
  const { settingsService, manager } = await findBadge(client);
  const running = setProgramRunning(client, manager, false).then(() =>
    work(new BadgeSettings(client, settingsService), settingsService.deviceId),
  );
  const [done] = await Promise.allSettled([running]);
  const failure = done.status === "rejected" ? asToolError(done.reason) : undefined;
  await setProgramRunning(client, manager, true).catch((cause) => {
    if (failure?.message === messageOf(cause)) throw failure; // the line is gone: once is enough
    const first = failure === undefined ? "" : `${clauseOf(failure)}, and then `;
    const then = clauseOf(cause);
    throw new ToolError(failure?.exitCode ?? ExitCode.Badge, `${first}${then}.`, { cause });
  });
  if (failure !== undefined) throw failure;
  return await running;
}

function asToolError(cause: unknown): ToolError {
  if (cause instanceof ToolError) return cause;
  if (cause instanceof RegistryFileError)
    return new ToolError(ExitCode.Usage, `${cause.message}.`, { cause });
  return new ToolError(ExitCode.Badge, `the badge was not set up: ${messageOf(cause)}.`, { cause });
}

export async function findBadge(
  client: JacdacClient,
): Promise<{ settingsService: JdService; manager: JdService }> {
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
