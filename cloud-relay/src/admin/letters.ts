// Letters at the operator's door: sealed nudges and configurations, kept for the badge and sent at once when it is connected.
import type { IncomingMessage } from "node:http";
import {
  FormatError,
  FrameType,
  type LetterHeader,
  readConfigurationHeader,
  readNudgeHeader,
} from "@salestag/protocol/host";
import type { Clock } from "@salestag/protocol/service";
import { KEEP_MS_MAX, type Letter, type LetterType } from "../mail/mailbox";
import { type Answer, bodyOf, Refusal } from "./http";

/** What the door needs of the letters. */
export interface LetterParts {
  clock: Clock;
  knows: (badge: string) => boolean;
  /** Keeps a letter and sends it if the badge is connected here. @returns true when it was sent */
  keep: (badge: string, letter: Letter) => Promise<boolean>;
}

const BODY_BYTES_MAX = 1024;
const NUDGE_EXPIRES_DEFAULT_MS = 86_400_000;
/** A configuration counts until a newer one comes. */
const CONFIGURATION_KEPT_MS = 3650 * 86_400_000;
const PATH = /^\/badges\/([0-9a-f]{16})\/(nudges|config)$/;

interface Kind {
  what: string;
  type: LetterType;
  read: (body: Buffer) => LetterHeader;
}

const KINDS: Record<string, Kind> = {
  nudges: { what: "nudge", type: FrameType.Nudge, read: readNudgeHeader },
  config: { what: "configuration", type: FrameType.Config, read: readConfigurationHeader },
};

/** @returns the answer; undefined when the path is another's */
export async function answerForLetters(
  request: IncomingMessage,
  url: URL,
  parts: LetterParts,
): Promise<Answer | undefined> {
  const [, badge, name] = PATH.exec(url.pathname) ?? [];
  if (badge === undefined) return undefined;
  if (request.method !== "POST") throw new Refusal(405, "nudges and configurations are posted");
  if (!parts.knows(badge)) throw new Refusal(404, `badge ${badge} is not registered with this relay`);
  const kind = KINDS[name];
  const nowMs = parts.clock.unixMs();
  const expiresUnixMs = kind.type === FrameType.Nudge ? expiryOf(url, nowMs) : nowMs + CONFIGURATION_KEPT_MS;
  const body = await bodyOf(request, BODY_BYTES_MAX);
  const id = numberOf(kind, body, badge);
  const sent = await parts.keep(badge, { type: kind.type, id, expiresUnixMs, body });
  return { status: 201, body: { id, sent } };
}

function expiryOf(url: URL, nowMs: number): number {
  const text = url.searchParams.get("expiresUnixMs");
  const expiresUnixMs = text === null ? nowMs + NUDGE_EXPIRES_DEFAULT_MS : Number(text);
  if (Number.isSafeInteger(expiresUnixMs) && expiresUnixMs > nowMs && expiresUnixMs <= nowMs + KEEP_MS_MAX)
    return expiresUnixMs;
  throw new Refusal(400, `expiresUnixMs must lie within the next ${KEEP_MS_MAX / 86_400_000} days`);
}

function numberOf({ what, read }: Kind, body: Buffer, badge: string): number {
  try {
    const { badgeId, id } = read(body);
    if (badgeId.toString("hex") === badge) return id;
  } catch (cause) {
    if (!(cause instanceof FormatError)) throw cause;
    throw new Refusal(400, `the body is no sealed ${what}: ${cause.message}`);
  }
  throw new Refusal(400, `the ${what} is for another badge`);
}
