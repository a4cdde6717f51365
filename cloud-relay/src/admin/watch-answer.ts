// The answer to `GET /badges/<id>/chunks`: it stays open and gets a line for each chunk of the badge that becomes durable (docs/relay-admin.md).
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Clock, Log } from "@salestag/protocol/service";
import { Refusal } from "./http";
import { HARDENING_HEADERS } from "./page-files";
import { WATCHES_MAX, type Watches } from "./watches";

/** What the answer needs of the relay. */
export interface WatchParts {
  clock: Clock;
  log: Log;
  watches: Watches;
  knows: (badge: string) => boolean;
}

const PATH = /^\/badges\/([0-9a-f]{16})\/chunks$/;
const SECONDS_DEFAULT = 60;
const SECONDS_MAX = 600;
/** With more than this unsent the client does not read what it is told. */
const UNREAD_BYTES_MAX = 1024 * 1024;

/**
 * @returns true when it has taken the answer over; false when the path is another's
 * @throws Refusal when there is nothing to watch, or too much is watched already
 */
export function answerAsWatch(
  request: IncomingMessage,
  response: ServerResponse,
  url: URL,
  parts: WatchParts,
): boolean {
  const [, badge] = PATH.exec(url.pathname) ?? [];
  if (badge === undefined) return false;
  if (request.method !== "GET") throw new Refusal(405, "a badge's chunks are watched with GET");
  if (!parts.knows(badge)) throw new Refusal(404, `badge ${badge} is not registered with this relay`);
  const seconds = secondsOf(url);
  if (parts.watches.full)
    throw new Refusal(429, `${WATCHES_MAX} watches are open, and more are not allowed: end one first`);
  watch(badge, seconds, response, parts);
  return true;
}

function secondsOf(url: URL): number {
  const text = url.searchParams.get("seconds") ?? String(SECONDS_DEFAULT);
  const seconds = /^[0-9]{1,3}$/.test(text) ? Number(text) : 0;
  if (seconds >= 1 && seconds <= SECONDS_MAX) return seconds;
  throw new Refusal(400, `seconds must be a whole number from 1 to ${SECONDS_MAX}`);
}

function watch(badge: string, seconds: number, response: ServerResponse, parts: WatchParts): void {
  const { clock, log, watches } = parts;
  response.writeHead(200, {
    ...HARDENING_HEADERS,
    "content-type": "application/x-ndjson",
    "cache-control": "no-store",
  });
  log.info("badge is watched", { badge, seconds });
  let stop = () => {};
  const cancel = clock.after(seconds * 1000, () => {
    stop();
    response.end();
  });
  const cut = () => {
    stop();
    cancel();
    response.destroy();
  };
  response.on("error", cut);
  response.on("close", cut);
  const tell = (line: string) => {
    response.write(`${line}\n`);
    if (response.writableLength <= UNREAD_BYTES_MAX) return;
    log.warn("watch ended: its client does not read", { badge });
    cut();
  };
  stop = watches.begin(badge, { tell, cut });
}
