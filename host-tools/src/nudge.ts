// Seals a nudge for a badge and hands it to the relay.
import { NUDGE_TEXT_BYTES_MAX, nodeCrypto, sealNudge } from "@salestag/protocol/host";
import type { Vault } from "@salestag/protocol/team";
import { ExitCode, inboxKeyFor, ToolError } from "@salestag/protocol/team";
import type { RelayDoor } from "./relay-door";

export interface NudgeOptions {
  door: RelayDoor;
  vault: Vault;
  /** age secret keys. */
  identities: string[];
  /** 16 hexadecimal digits. */
  badge: string;
  text: string;
  /** How often the badge vibrates, 1 to 5. */
  buzzes: number;
  expiresUnixMs: number;
  nowUnixMs: number;
}

export interface SentNudge {
  id: number;
  /** True when the badge was connected; otherwise it gets the nudge when it comes. */
  sent: boolean;
}

const BUZZES_MAX = 5;

/**
 * @returns the nudge's number: the time in seconds, so that it rises from nudge to nudge
 * @throws ToolError when something cannot be used, the keys do not fit, or the relay does not take it
 */
export async function sendNudge(options: NudgeOptions): Promise<SentNudge> {
  const { door, vault, identities, badge, text, buzzes, expiresUnixMs, nowUnixMs } = options;
  if (Buffer.byteLength(text, "utf8") > NUDGE_TEXT_BYTES_MAX)
    throw new ToolError(ExitCode.Usage, `the text has more than ${NUDGE_TEXT_BYTES_MAX} bytes: shorten it.`);
  if (!Number.isInteger(buzzes) || buzzes < 1 || buzzes > BUZZES_MAX)
    throw new ToolError(ExitCode.Usage, `--buzzes goes from 1 to ${BUZZES_MAX}, not ${buzzes}.`);
  const inboxKey = inboxKeyFor(await vault.read(badge, identities));
  const id = Math.floor(nowUnixMs / 1000);
  const nudge = { id, expiresUnixMs, pattern: buzzes, text };
  const body = sealNudge(nodeCrypto(), inboxKey, Buffer.from(badge, "hex"), nudge);
  const path = `/badges/${badge}/nudges?expiresUnixMs=${expiresUnixMs}`;
  return { id, sent: await door.postLetter(path, "nudge", body) };
}
