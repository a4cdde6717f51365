// The relay's configuration: one YAML file (docs/relay-config.md), some of it overridden by the environment. Every mistake is named with its line; a file
// with one is not used at all.
import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import type { Clock } from "@salestag/protocol/service";
import { readPrivate, type Section, YamlReader } from "@salestag/protocol/service";
import type { AdminOptions } from "../admin/server";
import { LIMITS_DEFAULT, type Limits } from "../admission";
import type { Disk } from "../disk";
import { ExitCode, messageOf, RelayError } from "../errors";
import { type ListenAddress, parseListenAddress } from "../listen-address";
import type { TlsFiles } from "../listeners";
import type { Sink } from "../sinks/sink";
import type { JetStreamSpoolSettings } from "../spool/jetstream-spool";
import { SPOOL_BYTES_MIN } from "../spool/spool";
import { readSink, readStream } from "./sinks";

/** What a configuration says. Paths are absolute. */
export interface RelayConfig {
  listen: ListenAddress[];
  tls?: TlsFiles;
  registry: string;
  /** A folder, or a stream of JetStream. */
  spool: string | JetStreamSpoolSettings;
  spoolBytesMax?: number;
  sinks: Sink[];
  limits: Limits;
  admin?: AdminOptions;
  /** Log lines as JSON. */
  json: boolean;
}

const LISTEN_DEFAULT = "tcp://127.0.0.1:7788";
const ADMIN_PORT_DEFAULT = 7780;
const LOOPBACK = ["127.0.0.1", "::1"] as const;
const TOKEN_BYTES_MIN = 24;
const CONNECTIONS_MAX = 1_000_000;
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
  const spool = readSpool(root, environment.SALESTAG_RELAY_SPOOL, at);
  const sinks = root.sections("sinks").flatMap((section) => readSink(section, { at, disk, clock }));
  const limits = readLimits(root.section("limits"));
  const admin = readAdmin(root.section("admin"), at);
  const log = root.section("log");
  const json = log?.flag("json") ?? false;
  log?.end();
  root.end();
  if (sinks.length > 0 && typeof spool?.place === "object" && spool.place.folder === undefined)
    root.complain("has sinks and no spool.folder: what they refuse for good lies there");
  const names = sinks.map(({ name }) => name);
  for (const name of new Set(names.filter((name, place) => names.indexOf(name) !== place)))
    root.complain(`has the sink ${name} twice: they would share a cursor`);
  if (reader.mistakes.length > 0) throw mistaken(reader.mistakes);
  return {
    listen,
    tls,
    registry: at(registry as string),
    spool: spool?.place as string | JetStreamSpoolSettings,
    spoolBytesMax: spool?.bytesMax,
    sinks,
    limits,
    admin,
    json: environment.SALESTAG_RELAY_JSON === undefined ? json : environment.SALESTAG_RELAY_JSON === "true",
  };
}

/** @param folder that the environment says */
function readSpool(root: Section, folder: string | undefined, at: (name: string) => string) {
  const section = root.section("spool");
  if (section === undefined) {
    if (folder !== undefined) return { place: at(folder) };
    root.complain("has no spool: name its folder, or its stream in NATS");
    return undefined;
  }
  const nats = section.section("nats");
  const named = section.text("folder", nats === undefined && folder === undefined);
  const directory = folder ?? named;
  const bytesMax = section.whole("bytesMax", SPOOL_BYTES_MIN, Number.MAX_SAFE_INTEGER);
  section.end();
  if (nats === undefined) return directory === undefined ? undefined : { place: at(directory), bytesMax };
  if (bytesMax !== undefined) section.complain("bytesMax is for a folder; a stream has limits of its own");
  const stream = readStream(nats, at, "salestag.spool");
  nats.end();
  return stream === undefined
    ? undefined
    : { place: { ...stream, folder: directory === undefined ? undefined : at(directory) } };
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

function readLimits(section: Section | undefined): Limits {
  const limits = { ...LIMITS_DEFAULT };
  for (const name of Object.keys(limits) as (keyof Limits)[])
    limits[name] = section?.whole(name, 1, CONNECTIONS_MAX) ?? limits[name];
  section?.end();
  return limits;
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
