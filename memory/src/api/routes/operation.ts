// For whoever runs the memory: whether it is well, what could not be opened, metrics; and where the relay delivers.
import { createHash, timingSafeEqual } from "node:crypto";
import type { FastifyReply, FastifyRequest } from "fastify";
import { Type } from "typebox";
import type { Api, ApiContext } from "../context";
import { Problem } from "../problem";
import { exactly, oneOf, Time } from "../schemas";

/** Most bytes of one delivery of a relay: its largest batch. */
export const DELIVERY_BYTES_MAX = 32 * 1024 * 1024;
const LOOPBACK = ["127.0.0.1", "::1", "::ffff:127.0.0.1"];
const METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8";
const tags = ["operation"];

export function addOperationRoutes(app: Api, context: ApiContext): void {
  addHealth(app, context);
  addProblems(app, context);
  addMetrics(app, context);
  addIngest(app, context);
}

function addHealth(app: Api, { parts }: ApiContext): void {
  app.get(
    "/health",
    {
      config: { open: true },
      schema: {
        tags,
        operationId: "health",
        summary: "Whether the database answers",
        response: { 200: exactly({ status: oneOf(["ok"] as const) }) },
      },
    },
    async () => {
      try {
        await parts.database.system((session) => session.query("select 1"));
      } catch {
        throw new Problem(503, "The database does not answer; the memory's log says why.");
      }
      return { status: "ok" as const };
    },
  );
}

function addProblems(app: Api, context: ApiContext): void {
  app.get(
    "/v1/problems",
    {
      schema: {
        tags,
        operationId: "listProblems",
        summary: "What could not be opened or done (managers)",
        response: {
          200: exactly({ problems: Type.Array(exactly({ since: Time, what: Type.String() })) }),
        },
      },
    },
    (request) =>
      context.asManager(request, async (_session, { teamId }) => ({
        problems: (teamId === context.parts.teamId ? context.parts.problems() : []).map(
          ({ sinceUnixMs, what }) => ({
            since: new Date(sinceUnixMs).toISOString(),
            what,
          }),
        ),
      })),
  );
}

function addMetrics(app: Api, { parts }: ApiContext): void {
  app.get(
    "/metrics",
    {
      config: { open: true },
      schema: {
        tags,
        operationId: "metrics",
        summary: "Prometheus text; from loopback, or with the token for metrics",
        response: {
          200: { description: "Metrics.", content: { "text/plain": { schema: Type.String() } } },
        },
      },
    },
    async (request, reply) => {
      mayRead(request, parts.metricsToken);
      const text = `# HELP salestag_memory_up The memory answers.\n# TYPE salestag_memory_up gauge\nsalestag_memory_up 1\n${parts.metrics?.() ?? ""}`;
      return reply
        .type(METRICS_TYPE)
        .serializer((body: string) => body)
        .send(text);
    },
  );
}

/** A proxy on this machine is no reason to trust whom it speaks for. @throws Problem 401 */
function mayRead({ headers, socket }: FastifyRequest, token: Buffer | undefined): void {
  const given = /^Bearer (\S+)$/.exec(headers.authorization ?? "")?.[1];
  if (token !== undefined && given !== undefined && sameSecret(Buffer.from(given), token)) return;
  const forwarded = headers["x-forwarded-for"] !== undefined || headers.forwarded !== undefined;
  if (token === undefined && !forwarded && LOOPBACK.includes(socket.remoteAddress ?? "")) return;
  throw new Problem(401, "Metrics are for programs on this machine, or with the token that is set for them.");
}

function sameSecret(given: Buffer, secret: Buffer): boolean {
  const hash = (bytes: Buffer) => createHash("sha256").update(bytes).digest();
  return timingSafeEqual(hash(given), hash(secret));
}

function addIngest(app: Api, { parts }: ApiContext): void {
  const { ingest } = parts;
  if (ingest === undefined) return;
  void app.register(async (inner) => {
    inner.removeAllContentTypeParsers();
    inner.addContentTypeParser(
      "*",
      { parseAs: "buffer" },
      (_request: unknown, body: Buffer, done: (error: null, body: Buffer) => void) => done(null, body),
    );
    inner.post(
      "/ingest",
      {
        config: { open: true },
        bodyLimit: DELIVERY_BYTES_MAX,
        schema: {
          tags,
          operationId: "ingest",
          summary: "Where a relay delivers sealed chunks: CloudEvents, signed as Standard Webhooks",
          response: { 204: { description: "All chunks are durable here.", type: "null" } },
        },
      },
      async (request: FastifyRequest, reply: FastifyReply) => {
        const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
        const { status, detail } = await ingest(request.method, request.headers, body);
        if (status >= 400) throw new Problem(status, detail ?? "The delivery is not taken.");
        return reply.code(status).send();
      },
    );
  });
}
