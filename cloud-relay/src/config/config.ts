// The relay's configuration: one YAML file (docs/relay-config.md), some of it overridden by the environment. Every mistake is named with its line; a file
// with one is not used at all.
import { closeSync, fstatSync, openSync, readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import type { AdminOptions } from "../admin/server";
import type { Clock } from "../clock";
import type { Disk } from "../disk";
import { ExitCode, messageOf, RelayError } from "../errors";
import { type ListenAddress, parseListenAddress } from "../listen-address";
import type { TlsFiles } from "../listeners";
import { folderSink } from "../sinks/folder";
import type { Sink } from "../sinks/sink";
import {
  SECRET_BYTES_MAX,
  SECRET_BYTES_MIN,
  WEBHOOK_DEFAULTS,
  WEBHOOK_MODES,
  webhookSink,
} from "../sinks/webhook";
import { SPOOL_BYTES_MIN } from "../spool/spool";
import { type Section, YamlReader } from "./yaml-reader";

/** What a configuration says. Paths are absolute. */
export interface RelayConfig {
  listen: ListenAddress[];
  tls?: TlsFiles;
  registry: string;
  spool: string;
  spoolBytesMax?: number;
  sinks: Sink[];
  admin?: AdminOptions;
  /** Log lines as JSON. */
  json: boolean;
}

const LISTEN_DEFAULT = "tcp://127.0.0.1:7788";
const ADMIN_PORT_DEFAULT = 7780;
const LOOPBACK = ["127.0.0.1", "::1"] as const;
const TOKEN_BYTES_MIN = 24;
const SECRET_PREFIX = "whsec_";
const OTHERS_MODE = 0o077;
const TIMEOUT_MS_MAX = 300_000;
const BATCH_MAX = 256;
const MISTAKES_SHOWN_MAX = 20;
/** Environment variables and the places in the file that they stand for. */
export const ENVIRONMENT = {
  SALESTAG_RELAY_REGISTRY: "registry",
  SALESTAG_RELAY_SPOOL: "spool.folder",
  SALESTAG_RELAY_JSON: "log.json",
} as const;

/**
 * @param path of the file; paths in it are relative to its folder
 * @param environment overrides what ENVIRONMENT names
 * @throws RelayError that names every mistake
 */
export function readConfig(
  path: string,
  environment: Record<string, string | undefined>,
  disk: Disk,
  clock: Clock,
): RelayConfig {
  const reader = new YamlReader(path, readText(path));
  const root = reader.root();
  const at = (name: string) => resolve(dirname(path), name);
  const listen = root.texts("listen").flatMap(({ text, complain }) => {
    try {
      return [parseListenAddress(text)];
    } catch (cause) {
      complain(messageOf(cause));
      return [];
    }
  });
  if (listen.length === 0) listen.push(parseListenAddress(LISTEN_DEFAULT));
  const tls = readTls(root, listen, at);
  const registry = environment.SALESTAG_RELAY_REGISTRY ?? root.text("registry", true);
  if (environment.SALESTAG_RELAY_REGISTRY !== undefined) root.text("registry", false);
  const spool = root.section("spool");
  const spoolFolder = environment.SALESTAG_RELAY_SPOOL ?? spool?.text("folder", true);
  if (environment.SALESTAG_RELAY_SPOOL !== undefined) spool?.text("folder", false);
  else if (spool === undefined) root.complain("has no spool: name its folder");
  const spoolBytesMax = spool?.whole("bytesMax", SPOOL_BYTES_MIN, Number.MAX_SAFE_INTEGER);
  spool?.end();
  const sinks = root.sections("sinks").flatMap((section) => readSink(section, at, disk, clock));
  const admin = readAdmin(root.section("admin"), at);
  const log = root.section("log");
  const json = log?.flag("json") ?? false;
  log?.end();
  root.end();
  const names = sinks.map(({ name }) => name);
  for (const name of new Set(names.filter((name, place) => names.indexOf(name) !== place)))
    root.complain(`has the sink ${name} twice: they would share a cursor`);
  if (reader.mistakes.length > 0) throw mistaken(reader.mistakes);
  return {
    listen,
    tls,
    registry: at(registry as string),
    spool: at(spoolFolder as string),
    spoolBytesMax,
    sinks,
    admin,
    json: environment.SALESTAG_RELAY_JSON === undefined ? json : environment.SALESTAG_RELAY_JSON === "true",
  };
}

function mistaken(mistakes: string[]): RelayError {
  const shown = mistakes.slice(0, MISTAKES_SHOWN_MAX).join("\n");
  const more = mistakes.length - MISTAKES_SHOWN_MAX;
  return new RelayError(ExitCode.Usage, more > 0 ? `${shown}\nand ${more} more mistakes` : shown);
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    throw new RelayError(ExitCode.Usage, `cannot read the configuration ${path}: ${messageOf(cause)}`);
  }
}

function readTls(root: Section, listen: ListenAddress[], at: (name: string) => string): TlsFiles | undefined {
  const section = root.section("tls");
  const cert = section?.text("cert", true);
  const key = section?.text("key", true);
  section?.end();
  if (section === undefined) {
    if (listen.some(({ tls }) => tls))
      root.complain("listens on a tls:// address: name tls.cert and tls.key");
    return undefined;
  }
  const read = (name: string | undefined) => {
    if (name === undefined) return Buffer.alloc(0);
    try {
      return readFileSync(at(name));
    } catch (cause) {
      section.complain(`cannot be read: ${messageOf(cause)}`);
      return Buffer.alloc(0);
    }
  };
  return { cert: read(cert), key: read(key) };
}

function readSink(section: Section, at: (name: string) => string, disk: Disk, clock: Clock): Sink[] {
  const [kind, ...more] = section.names();
  if (more.length > 0 || (kind !== "folder" && kind !== "webhook")) {
    section.complain(`must be one sink, folder or webhook, got ${section.names().join(", ") || "nothing"}`);
    return [];
  }
  if (kind === "folder") {
    const folder = section.text("folder", true);
    return folder === undefined ? [] : [folderSink(at(folder), disk)];
  }
  const webhook = section.section("webhook");
  if (webhook === undefined) return [];
  const url = webhookUrl(webhook);
  const mode = webhook.oneOf("mode", WEBHOOK_MODES) ?? WEBHOOK_DEFAULTS.mode;
  const timeoutMs = webhook.whole("timeoutMs", 100, TIMEOUT_MS_MAX) ?? WEBHOOK_DEFAULTS.timeoutMs;
  const batchMax = webhook.whole("batchMax", 1, BATCH_MAX) ?? WEBHOOK_DEFAULTS.batchMax;
  const files = webhook.texts("secretFiles");
  if (files.length === 0) webhook.complain("needs secretFiles: a list of at least one, the newest first");
  const secrets = files.flatMap(({ text, complain }) => {
    const secret = readSecret(at(text));
    if (Buffer.isBuffer(secret)) return [secret];
    complain(secret);
    return [];
  });
  webhook.end();
  return url === undefined ? [] : [webhookSink({ url, mode, secrets, timeoutMs, batchMax }, clock)];
}

function readAdmin(section: Section | undefined, at: (name: string) => string): AdminOptions | undefined {
  if (section === undefined) return undefined;
  const port = section.whole("port", 0, 65535) ?? ADMIN_PORT_DEFAULT;
  const host = section.oneOf("host", LOOPBACK) ?? LOOPBACK[0];
  const file = section.text("tokenFile", true);
  section.end();
  const token = file === undefined ? "" : readPrivate(at(file));
  if (typeof token === "string") {
    if (file !== undefined) section.complain(`tokenFile ${token}`);
    return undefined;
  }
  if (token.length < TOKEN_BYTES_MIN)
    section.complain(`tokenFile must hold at least ${TOKEN_BYTES_MIN} characters`);
  return { host, port, token };
}

/** HTTPS anywhere, plain HTTP on loopback. */
function webhookUrl(webhook: Section): string | undefined {
  const text = webhook.text("url", true);
  if (text === undefined) return undefined;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const loopback = url !== undefined && ["127.0.0.1", "[::1]", "localhost"].includes(url.hostname);
  if (url === undefined || !(url.protocol === "https:" || (url.protocol === "http:" && loopback)))
    webhook.complain("url must be https://, or http:// on this machine");
  else if (url.username !== "" || url.password !== "")
    webhook.complain("url must not hold a password: requests are signed with the secret");
  else return text;
  return undefined;
}

/** @returns the secret, or what is wrong with its file. Never tells its content. */
function readSecret(path: string): Buffer | string {
  const content = readPrivate(path);
  if (typeof content === "string") return content;
  const text = content.toString("utf8");
  const digits = text.slice(SECRET_PREFIX.length);
  const secret = Buffer.from(digits, "base64");
  const whole = text.startsWith(SECRET_PREFIX) && secret.toString("base64") === digits;
  if (!whole || secret.length < SECRET_BYTES_MIN || secret.length > SECRET_BYTES_MAX)
    return `must hold ${SECRET_PREFIX} and ${SECRET_BYTES_MIN} to ${SECRET_BYTES_MAX} bytes in base64`;
  return secret;
}

/** @returns what a file holds that nobody else may read, without blanks around it; or what is wrong with it */
function readPrivate(path: string): Buffer | string {
  try {
    const file = openSync(path, "r");
    try {
      const { mode } = fstatSync(file);
      if (process.platform !== "win32" && (mode & OTHERS_MODE) !== 0)
        return "can be read by other users: run chmod 600 on it";
      return Buffer.from(readFileSync(file, "utf8").trim(), "utf8");
    } finally {
      closeSync(file);
    }
  } catch (cause) {
    return `cannot be read: ${messageOf(cause)}`;
  }
}
