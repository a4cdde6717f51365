// The relay's door for its operator: HTTP on loopback, with a token (docs/relay-admin.md). Says whether the relay lives and is ready, and takes nudges.
import { createHash, timingSafeEqual } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { FormatError, FrameType, readNudgeHeader } from "@salestag/protocol/host";
import type { Clock } from "../clock";
import { ExitCode, messageOf, RelayError } from "../errors";
import type { Log } from "../log";
import { KEEP_MS_MAX, type Letter } from "../mail/mailbox";
import type { Redelivery } from "../sinks/dead-letters";
import { answerForBadges, type BadgeBook } from "./badges";
import { type Answer, bodyOf, Refusal } from "./http";
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
export interface AdminParts {
  clock: Clock;
  log: Log;
  /** Why the relay takes nothing now; empty when it does. */
  notReady: () => string;
  metrics: () => Metric[];
  badges: BadgeBook;
  /** Delivers a sink's dead letters again. @returns undefined when there is no sink of this name */
  redeliver: (sink: string) => Promise<Redelivery> | undefined;
  knows: (badge: string) => boolean;
  /** Keeps a letter and sends it if the badge is connected here. @returns true when it was sent */
  keep: (badge: string, letter: Letter) => Promise<boolean>;
}

/** A door that is open. */
export interface AdminDoor {
  /** Such as `http://127.0.0.1:7780`. */
  url: string;
  close(): Promise<void>;
}

const BODY_BYTES_MAX = 1024;
const CONNECTIONS_MAX = 64;
const REQUEST_MS_MAX = 10_000;
const EXPIRES_DEFAULT_MS = 86_400_000;
const NUDGES_PATH = /^\/badges\/([0-9a-f]{16})\/nudges$/;

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
  const badge = NUDGES_PATH.exec(url.pathname)?.[1];
  if (badge === undefined) throw new Refusal(404, "there is nothing here; see docs/relay-admin.md");
  if (request.method !== "POST") throw new Refusal(405, "nudges are posted");
  return await takeNudge(request, badge, url.searchParams.get("expiresUnixMs"), parts);
}

async function redeliver(request: IncomingMessage, sink: string | null, parts: AdminParts): Promise<Answer> {
  if (request.method !== "POST") throw new Refusal(405, "dead letters are delivered again with POST");
  const redelivery = sink === null ? undefined : parts.redeliver(sink);
  if (redelivery === undefined)
    throw new Refusal(404, "name one of the relay's sinks: /dead-letters?sink=NAME");
  return { status: 200, body: await redelivery };
}

async function takeNudge(request: IncomingMessage, badge: string, expires: string | null, parts: AdminParts) {
  if (!parts.knows(badge)) throw new Refusal(404, `badge ${badge} is not registered with this relay`);
  const nowMs = parts.clock.unixMs();
  const expiresUnixMs = expires === null ? nowMs + EXPIRES_DEFAULT_MS : Number(expires);
  if (!Number.isSafeInteger(expiresUnixMs) || expiresUnixMs <= nowMs || expiresUnixMs > nowMs + KEEP_MS_MAX)
    throw new Refusal(400, `expiresUnixMs must lie within the next ${KEEP_MS_MAX / 86_400_000} days`);
  const body = await bodyOf(request, BODY_BYTES_MAX);
  const id = numberOf(body, badge);
  const sent = await parts.keep(badge, { type: FrameType.Nudge, id, expiresUnixMs, body });
  return { status: 201, body: { id, sent } };
}

function numberOf(body: Buffer, badge: string): number {
  try {
    const { badgeId, id } = readNudgeHeader(body);
    if (badgeId.toString("hex") === badge) return id;
  } catch (cause) {
    if (!(cause instanceof FormatError)) throw cause;
    throw new Refusal(400, `the body is no sealed nudge: ${cause.message}`);
  }
  throw new Refusal(400, "the nudge is for another badge");
}

/** Compares digests, in a time that tells nothing. */
function mayEnter({ headers }: IncomingMessage, token: Buffer): boolean {
  const given = /^Bearer (.+)$/.exec(headers.authorization ?? "")?.[1] ?? "";
  const digest = (bytes: Buffer) => createHash("sha256").update(bytes).digest();
  return timingSafeEqual(digest(Buffer.from(given, "utf8")), digest(token));
}
