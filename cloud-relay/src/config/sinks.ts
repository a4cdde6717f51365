// The sinks of a configuration: one section each, whose only name is its kind.
import {
  type At,
  type Clock,
  type NatsServer,
  publicFrom,
  readNatsServer,
  type Section,
  secretFrom,
  webhookSecrets,
} from "@salestag/protocol/service";
import type { Disk } from "../disk";
import type { StreamSettings } from "../nats/connection";
import { folderSink } from "../sinks/folder";
import { natsSink } from "../sinks/nats";
import { postgresSink } from "../sinks/postgres";
import { s3Sink } from "../sinks/s3";
import type { Sink } from "../sinks/sink";
import { WEBHOOK_DEFAULTS, WEBHOOK_MODES, webhookSink } from "../sinks/webhook";

/** What reading a sink needs besides its section. */
export interface SinkParts {
  /** @returns a path, relative to the configuration's folder */
  at: At;
  disk: Disk;
  clock: Clock;
}

const TIMEOUT_MS_MAX = 300_000;
const BATCH_MAX = 256;
const LOOPBACK_HOSTS = ["127.0.0.1", "::1", "[::1]", "localhost"];
const POSTGRES_PORT = 5432;
const REPLICAS_MAX = 5;
const DUPLICATE_WINDOW_MS = 600_000;

const KINDS: Record<string, (section: Section, parts: SinkParts) => Sink | undefined> = {
  folder: readFolder,
  webhook: (section, parts) => inside(section, "webhook", (inner) => readWebhook(inner, parts)),
  nats: (section, parts) => inside(section, "nats", (inner) => readNats(inner, parts)),
  s3: (section, parts) => inside(section, "s3", (inner) => readS3(inner, parts)),
  postgres: (section, parts) => inside(section, "postgres", (inner) => readPostgres(inner, parts)),
};

/** @returns the sink; none where something is wrong, which is noted */
export function readSink(section: Section, parts: SinkParts): Sink[] {
  const names = section.names();
  const read = names.length === 1 ? KINDS[names[0]] : undefined;
  if (read === undefined) {
    section.complain(
      `must be one sink, ${Object.keys(KINDS).join(", ")}, got ${names.join(" and ") || "nothing"}`,
    );
    return [];
  }
  const sink = read(section, parts);
  return sink === undefined ? [] : [sink];
}

function inside(
  section: Section,
  name: string,
  read: (inner: Section) => Sink | undefined,
): Sink | undefined {
  const inner = section.section(name);
  if (inner === undefined) return undefined;
  const sink = read(inner);
  inner.end();
  return sink;
}

function readFolder(section: Section, { at, disk }: SinkParts): Sink | undefined {
  const folder = section.text("folder", true);
  return folder === undefined ? undefined : folderSink(at(folder), disk);
}

function readWebhook(webhook: Section, { at, clock }: SinkParts): Sink | undefined {
  const url = secureUrl(webhook, "url", "requests are signed with the secret");
  const mode = webhook.oneOf("mode", WEBHOOK_MODES) ?? WEBHOOK_DEFAULTS.mode;
  const timeoutMs = webhook.whole("timeoutMs", 100, TIMEOUT_MS_MAX) ?? WEBHOOK_DEFAULTS.timeoutMs;
  const batchMax = webhook.whole("batchMax", 1, BATCH_MAX) ?? WEBHOOK_DEFAULTS.batchMax;
  const secrets = webhookSecrets(webhook, at);
  return url === undefined ? undefined : webhookSink({ url, mode, secrets, timeoutMs, batchMax }, clock);
}

function readNats(nats: Section, { at }: SinkParts): Sink | undefined {
  const found = readStream(nats, at, "salestag.chunks");
  return found === undefined ? undefined : natsSink(found.place, found.stream);
}

/** @returns a stream of JetStream and where it is; undefined where something is wrong, which is noted */
export function readStream(
  nats: Section,
  at: At,
  subjectDefault: string,
): { place: NatsServer; stream: StreamSettings } | undefined {
  const place = readNatsServer(nats, at);
  const stream = natsName(nats, "stream", true);
  const subject = natsName(nats, "subject", false) ?? subjectDefault;
  const replicas = nats.whole("replicas", 1, REPLICAS_MAX) ?? 1;
  if (place === undefined || stream === undefined) return undefined;
  return { place, stream: { stream, subject, replicas, duplicateWindowMs: DUPLICATE_WINDOW_MS } };
}

/** Names of streams and subjects. */
function natsName(section: Section, name: string, needed: boolean): string | undefined {
  const text = section.text(name, needed);
  if (text === undefined) return undefined;
  const parts = name === "stream" ? /^[A-Za-z0-9_-]{1,64}$/ : /^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$/;
  if (parts.test(text)) return text;
  section.complain(`${name} must be letters, digits, - and _, got ${JSON.stringify(text)}`);
  return undefined;
}

function readS3(s3: Section, { at, clock }: SinkParts): Sink | undefined {
  const endpoint = secureUrl(s3, "endpoint", "name accessKeyId and secretKeyFile");
  const region = s3.text("region", true);
  const bucket = s3.text("bucket", true);
  const prefix = s3.text("prefix", false) ?? "";
  const accessKeyId = s3.text("accessKeyId", true);
  const secret = secretFrom(s3, "secretKeyFile", at, true);
  if (bucket !== undefined && !/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(bucket))
    s3.complain(`bucket must be the name of a bucket, got ${JSON.stringify(bucket)}`);
  if (prefix !== "" && !/^([A-Za-z0-9_.-]+\/)+$/.test(prefix))
    s3.complain(
      `prefix must end in a slash and have letters, digits, -, _ and . before it, got ${JSON.stringify(prefix)}`,
    );
  const known = endpoint !== undefined && region !== undefined && bucket !== undefined;
  if (!known || accessKeyId === undefined || secret === undefined) return undefined;
  const secretAccessKey = secret.toString("utf8");
  const origin = endpoint.replace(/\/+$/, "");
  return s3Sink({ endpoint: origin, region, bucket, prefix, accessKeyId, secretAccessKey }, clock);
}

function readPostgres(postgres: Section, { at }: SinkParts): Sink | undefined {
  const host = postgres.text("host", true);
  const port = postgres.whole("port", 1, 65535) ?? POSTGRES_PORT;
  const database = postgres.text("database", true);
  const user = postgres.text("user", true);
  const password = secretFrom(postgres, "passwordFile", at)?.toString("utf8");
  const ca = publicFrom(postgres, "caFile", at)?.toString("utf8");
  const table = postgres.text("table", false) ?? "salestag_chunks";
  if (!/^[a-z_][a-z0-9_]{0,62}(\.[a-z_][a-z0-9_]{0,62})?$/.test(table))
    postgres.complain(
      `table must be small letters, digits and _, maybe behind a schema, got ${JSON.stringify(table)}`,
    );
  if (host === undefined || database === undefined || user === undefined) return undefined;
  // A directory is that of a socket on this machine.
  const tls = !LOOPBACK_HOSTS.includes(host) && !host.startsWith("/");
  return postgresSink({ host, port, database, user, password, tls, ca }, table);
}

/** HTTPS anywhere, plain HTTP on loopback. */
function secureUrl(section: Section, name: string, instead: string): string | undefined {
  const text = section.text(name, true);
  if (text === undefined) return undefined;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const loopback = url !== undefined && LOOPBACK_HOSTS.includes(url.hostname);
  if (url === undefined || !(url.protocol === "https:" || (url.protocol === "http:" && loopback)))
    section.complain(`${name} must be https://, or http:// on this machine`);
  else if (url.username !== "" || url.password !== "")
    section.complain(`${name} must not hold a password: ${instead}`);
  else return text;
  return undefined;
}
