// The registry at the operator's door: who is in it, adding, another key, taking out.
import type { IncomingMessage } from "node:http";
import { RegistryFileError } from "@salestag/protocol/host";
import { type Answer, Refusal, textsOf } from "./http";

/** A badge, without its key. */
export interface ListedBadge {
  badge: string;
  label: string;
  /** Unix time in ms. */
  addedMs: number;
  connected: boolean;
}

/** What the door needs of the registry. Changes are durable when these return; connections that they end are ended then. */
export interface BadgeBook {
  list(): ListedBadge[];
  /** @throws RegistryFileError when the badge is there already, or a value is wrong */
  add(badge: string, authKey: Buffer, label: string): void;
  /** @returns false when there is no such badge @throws RegistryFileError */
  rotate(badge: string, authKey: Buffer): boolean;
  /** @returns false when there is no such badge @throws RegistryFileError */
  remove(badge: string): boolean;
}

const BODY_BYTES_MAX = 4096;
const BADGE_PATH = /^\/badges\/([0-9a-f]{16})$/;
const KEY_PATH = /^\/badges\/([0-9a-f]{16})\/key$/;
const AUTH_KEY = /^[0-9a-f]{64}$/;

/** @returns the answer; undefined when the path is another's */
export async function answerForBadges(
  request: IncomingMessage,
  path: string,
  book: BadgeBook,
): Promise<Answer | undefined> {
  if (path === "/badges" && request.method === "GET") return { status: 200, body: book.list() };
  const [, badge] = BADGE_PATH.exec(path) ?? [];
  const [, keyed] = KEY_PATH.exec(path) ?? [];
  if (badge !== undefined && request.method === "PUT") return await add(request, badge, book);
  if (badge !== undefined && request.method === "DELETE") return told(badge, () => book.remove(badge));
  if (keyed !== undefined && request.method === "PUT") {
    const { authKey } = await textsOf(request, BODY_BYTES_MAX, ["authKey"]);
    const key = keyOf(authKey);
    return told(keyed, () => book.rotate(keyed, key));
  }
  if (path === "/badges" || badge !== undefined || keyed !== undefined)
    throw new Refusal(405, "badges are listed with GET, put with PUT and taken out with DELETE");
  return undefined;
}

async function add(request: IncomingMessage, badge: string, book: BadgeBook): Promise<Answer> {
  const { authKey, label } = await textsOf(request, BODY_BYTES_MAX, ["authKey", "label"]);
  const key = keyOf(authKey);
  if (book.list().some((known) => known.badge === badge))
    throw new Refusal(409, `badge ${badge} is registered already: put its key, or take it out first`);
  changed(() => book.add(badge, key, label));
  return { status: 201, body: { badge } };
}

function told(badge: string, change: () => boolean): Answer {
  if (!changed(change)) throw new Refusal(404, `badge ${badge} is not registered with this relay`);
  return { status: 200, body: { badge } };
}

/** No error of the registry names a key. */
function changed<T>(change: () => T): T {
  try {
    return change();
  } catch (cause) {
    if (cause instanceof RegistryFileError) throw new Refusal(409, cause.message);
    throw cause;
  }
}

function keyOf(text: string): Buffer {
  if (!AUTH_KEY.test(text)) throw new Refusal(400, "authKey must be 64 lower-case hexadecimal digits");
  return Buffer.from(text, "hex");
}
