// Seals a nudge for a badge and hands it to the relay, which can neither read nor change it.
import { readFileSync, statSync } from "node:fs";
import { NUDGE_TEXT_BYTES_MAX, nodeCrypto, sealNudge } from "@salestag/protocol/host";
import { ExitCode, messageOf, ToolError } from "./errors";
import { inboxKeyFor, type Vault } from "./vault/vault";

export interface NudgeOptions {
  vault: Vault;
  /** age secret keys. */
  identities: string[];
  /** 16 hexadecimal digits. */
  badge: string;
  /** Address of the relay's door for its operator, such as http://127.0.0.1:7780. */
  relay: string;
  /** The door's token. */
  token: string;
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
const OTHERS_MODE = 0o077;
const ANSWER_MS_MAX = 10_000;

/**
 * @returns the nudge's number: the time in seconds, so that it rises from nudge to nudge
 * @throws ToolError when something cannot be used, the keys do not fit, or the relay does not take it
 */
export async function sendNudge(options: NudgeOptions): Promise<SentNudge> {
  const { vault, identities, badge, relay, token, text, buzzes, expiresUnixMs, nowUnixMs } = options;
  if (Buffer.byteLength(text, "utf8") > NUDGE_TEXT_BYTES_MAX)
    throw new ToolError(ExitCode.Usage, `the text has more than ${NUDGE_TEXT_BYTES_MAX} bytes: shorten it.`);
  if (!Number.isInteger(buzzes) || buzzes < 1 || buzzes > BUZZES_MAX)
    throw new ToolError(ExitCode.Usage, `--buzzes goes from 1 to ${BUZZES_MAX}, not ${buzzes}.`);
  const inboxKey = inboxKeyFor(await vault.read(badge, identities));
  const id = Math.floor(nowUnixMs / 1000);
  const nudge = { id, expiresUnixMs, pattern: buzzes, text };
  const body = sealNudge(nodeCrypto(), inboxKey, Buffer.from(badge, "hex"), nudge);
  const url = new URL(`/badges/${badge}/nudges?expiresUnixMs=${expiresUnixMs}`, doorOf(relay));
  let answer: Response;
  try {
    answer = await fetch(url, {
      method: "POST",
      headers: { authorization: `Bearer ${token}` },
      body: new Uint8Array(body),
      redirect: "error",
      signal: AbortSignal.timeout(ANSWER_MS_MAX),
    });
  } catch (cause) {
    const reason = cause instanceof TypeError && cause.cause instanceof Error ? cause.cause : cause;
    throw new ToolError(
      ExitCode.Usage,
      `no relay answers at ${url.origin} (${messageOf(reason)}); check its 'admin' section.`,
    );
  }
  const said = (await answer.json().catch(() => ({}))) as { id?: number; sent?: boolean; error?: string };
  if (answer.status !== 201)
    throw new ToolError(
      ExitCode.Usage,
      `the relay does not take the nudge: ${said.error ?? `it answered ${answer.status}`}.`,
    );
  return { id, sent: said.sent === true };
}

/** A token must not travel in the clear: HTTPS, or HTTP on this machine. */
function doorOf(relay: string): URL {
  const url = URL.canParse(relay) ? new URL(relay) : undefined;
  const loopback = url !== undefined && ["127.0.0.1", "[::1]", "localhost"].includes(url.hostname);
  if (url === undefined || !(url.protocol === "https:" || (url.protocol === "http:" && loopback)))
    throw new ToolError(
      ExitCode.Usage,
      `${JSON.stringify(relay)} is no address of a relay's door; write http://127.0.0.1:7780, or https://.`,
    );
  return url;
}

/** Reads a token from a file that nobody else may read. @throws ToolError */
export function readToken(path: string): string {
  try {
    if (process.platform !== "win32" && (statSync(path).mode & OTHERS_MODE) !== 0)
      throw new Error("other users can read it: run chmod 600 on it");
    return readFileSync(path, "utf8").trim();
  } catch (cause) {
    throw new ToolError(ExitCode.Usage, `the token in '${path}' cannot be used: ${messageOf(cause)}.`);
  }
}
