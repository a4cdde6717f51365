// The HTTP server: limits, who may come in, what every answer carries, and the OpenAPI document that its routes make.
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import swagger from "@fastify/swagger";
import { messageOf } from "@salestag/protocol/service";
import Fastify, { type FastifyReply, type FastifyRequest, type RouteOptions } from "fastify";
import { type Api, ApiContext, PurposeHeaders } from "./context";
import { asAsked, document } from "./document";
import { LIMITS, type Limits } from "./limits";
import type { ApiParts } from "./parts";
import { PROBLEM_TYPE, Problem, ProblemAnswer, problemAnswer, refusalOf } from "./problem";
import { addRoutes } from "./routes";
import { tokenVerifier } from "./tokens";
import { answerCompiler, requestCompiler } from "./validation";

export interface ListenOptions {
  host: string;
  /** 0: any that is free. */
  port: number;
  /** PEM. */
  tls?: { cert: Buffer; key: Buffer };
  /** LIMITS where they are left out. */
  limits?: Limits;
}

/** A server that listens. */
export interface ApiServer {
  /** Such as `http://127.0.0.1:7790`, without a slash at its end. */
  url: string;
  /** Ends all connections, streams too. */
  close(): Promise<void>;
}

/**
 * @param seen is told of each route, of the server's own mouth
 * @returns routes, ready, that nobody can reach yet
 */
export async function buildApi(
  parts: ApiParts,
  { tls, limits = LIMITS }: Pick<ListenOptions, "tls" | "limits"> = {},
  seen: (route: RouteOptions) => void = () => {},
): Promise<Api> {
  const app = makeServer(tls, limits);
  app.addHook("onRoute", seen);
  app.setValidatorCompiler(requestCompiler);
  app.setSerializerCompiler(answerCompiler);
  app.decorateRequest("token", null);
  app.addHook("onRoute", completeRoute);
  app.addHook("onRequest", async (_request, reply) => {
    reply.headers(securityHeaders(tls !== undefined));
  });
  app.addHook("onRequest", signIn(parts));
  app.setErrorHandler(handleError(parts));
  app.setNotFoundHandler((_request, reply) => sendProblem(reply, noRoute()));
  await app.register(swagger, { openapi: document(versionOfPackage()), transform: asAsked });
  await app.register(async (routes) => addRoutes(routes as unknown as Api, new ApiContext(parts)));
  app.get("/openapi.json", { config: { open: true }, schema: { hide: true } }, async (_request, reply) =>
    reply.type("application/json").serializer(JSON.stringify).send(app.swagger()),
  );
  await app.ready();
  return app;
}

/** Serves until closed. */
export async function startApi(parts: ApiParts, options: ListenOptions): Promise<ApiServer> {
  const { host, port, tls, limits = LIMITS } = options;
  const app = await buildApi(parts, options);
  app.server.maxConnections = limits.connections;
  await app.listen({ host, port });
  const { port: taken } = app.server.address() as AddressInfo;
  const shown = host.includes(":") ? `[${host}]` : host;
  return { url: `${tls === undefined ? "http" : "https"}://${shown}:${taken}`, close: () => app.close() };
}

function makeServer(tls: ListenOptions["tls"], limits: Limits): Api {
  const http = {
    maxHeaderSize: limits.headerBytes,
    headersTimeout: limits.headersMs,
    connectionsCheckingInterval: Math.min(1_000, limits.headersMs),
  };
  const options = {
    bodyLimit: limits.bodyBytes,
    requestTimeout: limits.requestMs,
    connectionTimeout: limits.idleMs,
    forceCloseConnections: true,
    exposeHeadRoutes: false,
    trustProxy: false,
    logger: false,
    clientErrorHandler: refuseConnection,
    frameworkErrors: (_error: Error, _request: FastifyRequest, reply: FastifyReply) => {
      reply.headers(securityHeaders(tls !== undefined));
      sendProblem(reply, new Problem(400, "The address is malformed: check its % signs and its length."));
    },
  };
  const app =
    tls === undefined ? Fastify({ ...options, http }) : Fastify({ ...options, https: { ...http, ...tls } });
  return app as unknown as Api;
}

function versionOfPackage(): string {
  return (createRequire(import.meta.url)("../../package.json") as { version: string }).version;
}

/** Adds to each route's schema what all have: problems, the token, the purpose. */
function completeRoute(route: RouteOptions): void {
  const { open, content } = route.config ?? {};
  const schema = route.schema ?? {};
  const problems = Object.fromEntries(["4XX", "5XX"].map((status) => [status, problemContent(status)]));
  route.schema = {
    ...schema,
    ...(content && { headers: PurposeHeaders }),
    security: open ? [] : [{ token: [] }],
    response: { ...(schema.response as object), ...problems },
  };
}

function problemContent(status: string) {
  const description = status === "4XX" ? "The request cannot be answered as asked." : "The fault is here.";
  return { description, content: { [PROBLEM_TYPE]: { schema: ProblemAnswer } } };
}

function signIn(parts: ApiParts) {
  const verify = tokenVerifier(parts.tokens, parts.clock);
  return async (request: FastifyRequest): Promise<void> => {
    if (request.is404) return;
    if (request.routeOptions.config.open) return;
    const [, token] = /^Bearer ([\w-]+\.[\w-]+\.[\w-]+)$/.exec(request.headers.authorization ?? "") ?? [];
    if (token === undefined)
      throw new Problem(401, "No token: send one that you signed in for, as 'Authorization: Bearer ...'.");
    request.token = await verify(token);
  };
}

/** What browsers are told: nothing here is a page, nothing may be kept, framed or guessed at. */
function securityHeaders(tls: boolean): Record<string, string> {
  return {
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    ...(tls && { "strict-transport-security": "max-age=31536000" }),
  };
}

function noRoute(): Problem {
  return new Problem(404, "There is nothing at this address with this method: see /openapi.json.");
}

function sendProblem(reply: FastifyReply, problem: Problem): FastifyReply {
  if (problem.status === 401) reply.header("www-authenticate", "Bearer");
  return reply
    .code(problem.status)
    .type(PROBLEM_TYPE)
    .serializer(JSON.stringify)
    .send(problemAnswer(problem));
}

function handleError(parts: ApiParts) {
  return (error: unknown, request: FastifyRequest, reply: FastifyReply): void => {
    const problem = problemOf(error);
    if (problem.status >= 500) logFault(parts, error, request);
    sendProblem(reply, problem);
  };
}

function problemOf(error: unknown): Problem {
  if (error instanceof Problem) return error;
  const refusal = refusalOf(error);
  if (refusal !== undefined) return refusal;
  const { statusCode, code } = error as { statusCode?: number; code?: string };
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500)
    return new Problem(statusCode, sentenceOf(code));
  return new Problem(500, "Something went wrong here; the memory's log says what. Try again later.");
}

/** For what Fastify refuses by itself. */
function sentenceOf(code: string | undefined): string {
  switch (code) {
    case "FST_ERR_CTP_BODY_TOO_LARGE":
      return `The body is too large: at most ${LIMITS.bodyBytes} bytes are taken.`;
    case "FST_ERR_CTP_INVALID_MEDIA_TYPE":
      return "The body's media type is not taken here: send application/json.";
    case "FST_ERR_CTP_EMPTY_JSON_BODY":
      return "The body is empty: send JSON.";
    default:
      return "The body cannot be read: send JSON (RFC 8259) of the length that the request names.";
  }
}

/** Not the whole error: a database tells values, and these are what was said. */
function logFault({ log }: ApiParts, error: unknown, request: FastifyRequest): void {
  const { code } = error as { code?: unknown };
  const fromDatabase = typeof code === "string" && /^[0-9A-Z]{5}$/.test(code);
  log.error("request failed", {
    method: request.method,
    route: request.routeOptions.url ?? "",
    ...(fromDatabase ? { state: code } : { why: messageOf(error) }),
  });
}

/** Answers what is no HTTP, too large or too slow, and ends the connection. */
function refuseConnection(error: Error & { code?: string }, socket: NodeJS.WritableStream): void {
  const stream = socket as unknown as {
    writable: boolean;
    destroyed: boolean;
    end(text: string): void;
    destroy(): void;
  };
  if (error.code === "ECONNRESET" || stream.destroyed) return;
  const problem =
    error.code === "HPE_HEADER_OVERFLOW"
      ? new Problem(431, `The headers are too large: at most ${LIMITS.headerBytes} bytes are taken.`)
      : error.code === "ERR_HTTP_REQUEST_TIMEOUT"
        ? new Problem(408, `The request took too long: send it faster, or in parts.`)
        : new Problem(400, "This is no HTTP request that can be read.");
  const body = JSON.stringify(problemAnswer(problem));
  const head = `HTTP/1.1 ${problem.status} ${problemAnswer(problem).title}\r\nContent-Type: ${PROBLEM_TYPE}`;
  if (stream.writable)
    stream.end(`${head}\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`);
  else stream.destroy();
}
