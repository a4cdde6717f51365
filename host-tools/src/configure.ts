// Seals a configuration for a badge and hands it to the relay: what `salestag tune` and `salestag consent` write over a cable.
import {
  CONFIGURATION_TEXT_BYTES_MAX,
  type ConsentPolicy,
  FormatError,
  nodeCrypto,
  readConsentPolicy,
  sealConfiguration,
  type Tuning,
  tuningWith,
} from "@salestag/protocol/host";
import type { Vault } from "@salestag/protocol/team";
import { ExitCode, inboxKeyFor, ToolError } from "@salestag/protocol/team";
import type { RelayDoor } from "./relay-door";

export interface ConfigureOptions {
  door: RelayDoor;
  vault: Vault;
  /** age secret keys. */
  identities: string[];
  /** 16 hexadecimal digits. */
  badge: string;
  /** All of the setting; left out: the badge's stays as it is. */
  tuning?: Partial<Tuning>;
  /** All of the setting; left out: the badge's stays as it is. */
  consent?: Partial<ConsentPolicy>;
  nowUnixMs: number;
}

export interface SentConfiguration {
  version: number;
  /** True when the badge was connected; otherwise it gets the configuration when it comes. */
  sent: boolean;
}

/**
 * @returns the version: the time in seconds, so that it rises
 * @throws ToolError when something cannot be used, the keys do not fit, or the relay does not take it
 */
export async function sendConfiguration(options: ConfigureOptions): Promise<SentConfiguration> {
  const { door, vault, identities, badge, nowUnixMs } = options;
  const tuning = textOf("tuning", options.tuning, (value) => tuningWith(value as Partial<Tuning>));
  const consent = textOf("consent", options.consent, readConsentPolicy);
  if (tuning === "" && consent === "")
    throw new ToolError(ExitCode.Usage, "name something to set: --policy or --set.");
  const inboxKey = inboxKeyFor(await vault.read(badge, identities));
  const version = Math.floor(nowUnixMs / 1000);
  const configuration = { version, tuning, consent };
  const body = sealConfiguration(nodeCrypto(), inboxKey, Buffer.from(badge, "hex"), configuration);
  return { version, sent: await door.postLetter(`/badges/${badge}/config`, "configuration", body) };
}

/** Checked here as the badge checks it there. */
function textOf(name: string, value: object | undefined, check: (value: unknown) => unknown): string {
  if (value === undefined) return "";
  try {
    check(value);
  } catch (cause) {
    if (!(cause instanceof FormatError)) throw cause;
    throw new ToolError(ExitCode.Usage, `${cause.message}.`);
  }
  const text = JSON.stringify(value);
  if (Buffer.byteLength(text, "utf8") <= CONFIGURATION_TEXT_BYTES_MAX) return text;
  throw new ToolError(
    ExitCode.Usage,
    `the setting ${name} takes at most ${CONFIGURATION_TEXT_BYTES_MAX} bytes, this is ${Buffer.byteLength(text, "utf8")}: set less.`,
  );
}
