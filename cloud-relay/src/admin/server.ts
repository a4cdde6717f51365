// The relay's door for its operator: HTTP on loopback, with a token (docs/relay-admin.md). Says whether the relay lives and is ready and how it is,
// shows that as a page, changes the registry and takes letters.
import { createHash, timingSafeEqual } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Log } from "@salestag/protocol/service";
import { ExitCode, messageOf, RelayError } from "../errors";
import type { Redelivery } from "../sinks/dead-letters";
import { answerForBadges, type BadgeBook } from "./badges";
import { type Answer, Refusal } from "./http";
import { answerForLetters, type LetterParts } from "./letters";
import { EXPOSITION_TYPE, exposition, type Metric } from "./metrics";
import { HARDENING_HEADERS, type PageFile, readPageFiles } from "./page-files";
import type { Status } from "./status";
import { answerAsWatch, type WatchParts } from "./watch-answer";

/** Where the door is, and who may come in. */
export interface AdminOptions {
  /** A loopback address. */
  host: string;
  /** 0: the system chooses. */
  port: number;
  /** At least 24 bytes. */
  token: Buffer;
}

/** What the door needs of the relay. */
export interface AdminParts extends LetterParts, WatchParts {
  log: Log;
  /** Why the relay takes nothing now; empty when it does. */
  notReady: () => string;
  metrics: () => Metric[];
  status: () => Status;
  badges: BadgeBook;
  /** Delivers a sink's dead letters again. @returns undefined when there is no sink of this name */
  redeliver: (sink: string) => Promise<Redelivery> | undefined;
}

/** A door that is open. */
export interface AdminDoor {
  /** Such as `http://127.0.0.1:7780`. */
  url: string;
  close(): Promise<void>;
}

const CONNECTIONS_MAX = 64;
const REQUEST_MS_MAX = 10_000;

/** What answers need. */
interface Door extends AdminParts {
  token: Buffer;
  page: ReadonlyMap<string, PageFile>;
}

/** @throws RelayError when the address cannot be used */
export async function openAdmin({ host, port, token }: AdminOptions, parts: AdminParts): Promise<AdminDoor> {
  const door = { ...parts, token, page: readPageFiles() };
  const server = createServer((request, response) => {
    answer(request, response, door).catch((cause) => {
      parts.log.error("admin request failed", { why: messageOf(cause) });
      response.destroy();
    });
  });
  server.maxConnections = CONNECTIONS_MAX;
  server.requestTimeout = REQUEST_MS_MAX;
  server.headersTimeout = REQUEST_MS_MAX;
  await listen(server, host, port);
  const { port: bound } = server.address() as AddressInfo;
  return {
    url: `http://${host.includes(":") ? `[${host}]` : host}:${bound}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function listen(server: Server, host: string, port: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", (cause) =>
      reject(
        new RelayError(
          ExitCode.Listen,
          `cannot listen on ${host} port ${port} for the operator: ${cause.message}`,
        ),
      ),
    );
    server.listen(port, host, resolve);
  });
}

async function answer(request: IncomingMessage, response: ServerResponse, door: Door): Promise<void> {
  try {
    const url = new URL(request.url ?? "/", "http://relay");
    const said = await route(request, response, url, door);
    if (said === undefined) return;
    const { status, body, type } = said;
    if (typeof body === "string") tell(response, status, body, type);
    else tell(response, status, `${JSON.stringify(body)}\n`);
  } catch (cause) {
    if (!(cause instanceof Refusal)) throw cause;
    tell(response, cause.status, `${JSON.stringify({ error: cause.message })}\n`);
  }
}

function tell(response: ServerResponse, status: number, text: string, type = "application/json"): void {
  const headers = { ...HARDENING_HEADERS, "content-type": type, "cache-control": "no-store" };
  response.writeHead(status, headers).end(text);
}

/** @returns the answer; undefined for a watch, which answers as long as it lasts */
async function route(
  request: IncomingMessage,
  response: ServerResponse,
  url: URL,
  door: Door,
): Promise<Answer | undefined> {
  const asked = request.method === "GET" ? url.pathname : undefined;
  const open = openToAll(asked, door);
  if (open !== undefined) return open;
  if (!mayEnter(request, door.token))
    throw new Refusal(401, "this needs the header 'authorization: Bearer TOKEN'");
  if (asked === "/metrics") return { status: 200, body: exposition(door.metrics()), type: EXPOSITION_TYPE };
  if (asked === "/status") return { status: 200, body: door.status() };
  if (url.pathname === "/dead-letters") return await redeliver(request, url.searchParams.get("sink"), door);
  if (answerAsWatch(request, response, url, door)) return undefined;
  const answer =
    (await answerForBadges(request, url.pathname, door.badges)) ??
    (await answerForLetters(request, url, door));
  if (answer !== undefined) return answer;
  throw new Refusal(404, "there is nothing here; see docs/relay-admin.md");
}

/** @returns what needs no token; undefined for everything else */
function openToAll(asked: string | undefined, { page, notReady }: Door): Answer | undefined {
  if (asked === undefined) return undefined;
  if (asked === "/healthz") return { status: 200, body: { alive: true } };
  if (asked === "/readyz") {
    const why = notReady();
    return why === "" ? { status: 200, body: { ready: true } } : { status: 503, body: { ready: false, why } };
  }
  const file = page.get(asked);
  return file === undefined ? undefined : { status: 200, body: file.text, type: file.type };
}

async function redeliver(request: IncomingMessage, sink: string | null, parts: AdminParts): Promise<Answer> {
  if (request.method !== "POST") throw new Refusal(405, "dead letters are delivered again with POST");
  const redelivery = sink === null ? undefined : parts.redeliver(sink);
  if (redelivery === undefined)
    throw new Refusal(404, "name one of the relay's sinks: /dead-letters?sink=NAME");
  return { status: 200, body: await redelivery };
}

/** Compares digests, in a time that tells nothing. */
function mayEnter({ headers }: IncomingMessage, token: Buffer): boolean {
  const given = /^Bearer (.+)$/.exec(headers.authorization ?? "")?.[1] ?? "";
  const digest = (bytes: Buffer) => createHash("sha256").update(bytes).digest();
  return timingSafeEqual(digest(Buffer.from(given, "utf8")), digest(token));
}
