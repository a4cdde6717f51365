// The relay's door for its operator: HTTP on loopback, with a token (docs/relay-admin.md). Says whether the relay lives and is ready, and takes nudges.
import { createHash, timingSafeEqual } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { ExitCode, messageOf, RelayError } from "../errors";
import type { Log } from "../log";
import type { Redelivery } from "../sinks/dead-letters";
import { answerForBadges, type BadgeBook } from "./badges";
import { type Answer, Refusal } from "./http";
import { answerForLetters, type LetterParts } from "./letters";
import { EXPOSITION_TYPE, exposition, type Metric } from "./metrics";

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
export interface AdminParts extends LetterParts {
  log: Log;
  /** Why the relay takes nothing now; empty when it does. */
  notReady: () => string;
  metrics: () => Metric[];
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

/** @throws RelayError when the address cannot be used */
export async function openAdmin({ host, port, token }: AdminOptions, parts: AdminParts): Promise<AdminDoor> {
  const server = createServer((request, response) => {
    answer(request, response, token, parts).catch((cause) => {
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

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  token: Buffer,
  parts: AdminParts,
): Promise<void> {
  try {
    const { status, body, type } = await route(request, token, parts);
    if (typeof body === "string") tell(response, status, body, type);
    else tell(response, status, `${JSON.stringify(body)}\n`);
  } catch (cause) {
    if (!(cause instanceof Refusal)) throw cause;
    tell(response, cause.status, `${JSON.stringify({ error: cause.message })}\n`);
  }
}

function tell(response: ServerResponse, status: number, text: string, type = "application/json"): void {
  response.writeHead(status, { "content-type": type, "cache-control": "no-store" }).end(text);
}

async function route(request: IncomingMessage, token: Buffer, parts: AdminParts): Promise<Answer> {
  const url = new URL(request.url ?? "/", "http://relay");
  if (request.method === "GET" && url.pathname === "/healthz") return { status: 200, body: { alive: true } };
  if (request.method === "GET" && url.pathname === "/readyz") {
    const why = parts.notReady();
    return why === "" ? { status: 200, body: { ready: true } } : { status: 503, body: { ready: false, why } };
  }
  if (!mayEnter(request, token))
    throw new Refusal(401, "this needs the header 'authorization: Bearer TOKEN'");
  if (request.method === "GET" && url.pathname === "/metrics")
    return { status: 200, body: exposition(parts.metrics()), type: EXPOSITION_TYPE };
  const forBadges = await answerForBadges(request, url.pathname, parts.badges);
  if (forBadges !== undefined) return forBadges;
  if (url.pathname === "/dead-letters") return await redeliver(request, url.searchParams.get("sink"), parts);
  const forLetters = await answerForLetters(request, url, parts);
  if (forLetters !== undefined) return forLetters;
  throw new Refusal(404, "there is nothing here; see docs/relay-admin.md");
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
