// The memory's configuration: one YAML file (docs/memory.md). Every mistake is named with its line; a file with one is not used at all.
import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import {
  type At,
  messageOf,
  publicFrom,
  type Section,
  secretFrom,
  webhookSecrets,
  YamlReader,
} from "@salestag/protocol/service";
import type { ListenOptions } from "../api/server";
import { AUDIENCE_DEFAULT, ISSUER_DEFAULT, SECRET_BYTES_MIN, type TokenSettings } from "../api/tokens";
import { type Embedder, embedderOf } from "../embed";
import { ExitCode, MemoryError } from "../errors";
import { type MemorySettings, SETTINGS_DEFAULT } from "../memory";
import type { Structurer } from "../model/structure";
import { localStructurer } from "../tagger";
import { type Transcriber, transcriberOf } from "../transcribe";
import { readNats } from "./nats";
import { structurerOf } from "./structurer";

/** What a configuration says. Paths are absolute. */
export interface MemoryConfig {
  settings: MemorySettings;
  transcriber?: Transcriber;
  structurer: Structurer;
  embedder: Embedder;
  /** Log lines as JSON. */
  json: boolean;
}

export type Environment = Record<string, string | undefined>;

const LISTEN_DEFAULT = "127.0.0.1:7790";
const LOOPBACK = ["127.0.0.1", "::1", "localhost"];
const METRICS_TOKEN_BYTES_MIN = 24;
const MISTAKES_SHOWN_MAX = 20;
const MINUTES_MAX = 7 * 24 * 60;
const HOURS_MAX = 365 * 24;

/**
 * @param path of the file; paths in it are relative to its folder
 * @param environment DATABASE_URL and DATABASE_PERSONS_URL put the database on PostgreSQL
 * @throws MemoryError that names every mistake
 */
export function readConfig(path: string, environment: Environment, nowUnixMs: () => number): MemoryConfig {
  const reader = new YamlReader(path, readText(path));
  const root = reader.root();
  const at = (name: string) => resolve(dirname(path), name);
  const parts = readParts(root, at, nowUnixMs);
  const settings = { ...readFolders(root, at), ...readIngest(root, at), ...readTimes(root) };
  const { listen, tokens, metricsToken } = readApi(root, at);
  const language = root.text("language", false) ?? SETTINGS_DEFAULT.language;
  const log = root.section("log");
  const json = log?.flag("json") ?? false;
  log?.end();
  root.end();
  if (reader.mistakes.length > 0) throw mistaken(reader.mistakes);
  const { DATABASE_URL: url, DATABASE_PERSONS_URL: personsUrl } = environment;
  const postgres = url === undefined ? undefined : { url, personsUrl };
  return {
    settings: { ...settings, language, listen, tokens, metricsToken, postgres } as MemorySettings,
    ...(parts as Pick<MemoryConfig, "transcriber" | "structurer" | "embedder">),
    json,
  };
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    throw new MemoryError(ExitCode.Usage, `cannot read the configuration ${path}: ${messageOf(cause)}`);
  }
}

function mistaken(mistakes: string[]): MemoryError {
  const shown = mistakes.slice(0, MISTAKES_SHOWN_MAX).join("\n");
  const more = mistakes.length - MISTAKES_SHOWN_MAX;
  return new MemoryError(ExitCode.Usage, more > 0 ? `${shown}\nand ${more} more mistakes` : shown);
}

function readFolders(root: Section, at: At) {
  const path = (name: string) => {
    const text = root.text(name, true);
    return text === undefined ? undefined : at(text);
  };
  return {
    data: path("data"),
    vault: path("vault"),
    identity: path("identity"),
    team: root.text("team", true),
  };
}

/** Who works on conversations: each by one setting. */
function readParts(root: Section, at: At, nowUnixMs: () => number) {
  const made = <T>(name: string, make: (setting: string) => T, otherwise: T): T => {
    const setting = root.text(name, false);
    if (setting === undefined) return otherwise;
    try {
      return make(keyFileAt(setting, at));
    } catch (cause) {
      root.complain(`${name}: ${messageOf(cause)}`);
      return otherwise;
    }
  };
  return {
    transcriber: made("transcriber", (text) => transcriberOf(text, nowUnixMs), undefined),
    structurer: made("structurer", structurerOf, localStructurer()),
    embedder: made("embeddings", embedderOf, embedderOf("local")),
  };
}

/** A key file's path is relative to the configuration, as all paths in it are. */
function keyFileAt(setting: string, at: At): string {
  return setting.replace(/([?&]key-file=)([^&]+)/, (_, name: string, path: string) => {
    return `${name}${encodeURIComponent(at(decodeURIComponent(path)))}`;
  });
}

function readIngest(root: Section, at: At) {
  const section = root.section("ingest");
  if (section === undefined) {
    root.complain("has no ingest: name webhook, folder or nats");
    return { webhookSecrets: [] };
  }
  const webhook = section.section("webhook");
  const secrets = webhook === undefined ? [] : webhookSecrets(webhook, at);
  webhook?.end();
  const folder = section.text("folder", false);
  const place = section.section("nats");
  const nats = place === undefined ? undefined : readNats(place, at);
  section.end();
  if (webhook === undefined && folder === undefined && place === undefined)
    section.complain("names no source: webhook, folder or nats");
  return { webhookSecrets: secrets, relayFolder: folder === undefined ? undefined : at(folder), nats };
}

function readTimes(root: Section) {
  const retention = root.section("retention");
  const text = retention?.text("at", false) ?? "03:00";
  const clock = /^([01]\d|2[0-3]):([0-5]\d)$/.exec(text);
  if (clock === null)
    retention?.complain(`at must be a time of day (UTC) such as 03:00, got ${JSON.stringify(text)}`);
  retention?.end();
  return {
    quietMinutes: root.whole("quietMinutes", 1, MINUTES_MAX) ?? SETTINGS_DEFAULT.quietMinutes,
    consentWaitHours: root.whole("consentWaitHours", 1, HOURS_MAX) ?? SETTINGS_DEFAULT.consentWaitHours,
    retentionAtMs: clock === null ? 0 : (Number(clock[1]) * 60 + Number(clock[2])) * 60_000,
  };
}

function readApi(root: Section, at: At) {
  const api = root.section("api");
  if (api === undefined) {
    root.complain("has no api: name at least api.jwt");
    return {};
  }
  const listen = readListen(api, at);
  const tokens = readTokens(api, at);
  const metricsToken = secretFrom(api, "metricsTokenFile", at);
  if (metricsToken !== undefined && metricsToken.length < METRICS_TOKEN_BYTES_MIN)
    api.complain(`metricsTokenFile must hold at least ${METRICS_TOKEN_BYTES_MIN} characters`);
  api.end();
  return { listen, tokens, metricsToken };
}

function readListen(api: Section, at: At): ListenOptions | undefined {
  const text = api.text("listen", false) ?? LISTEN_DEFAULT;
  const section = api.section("tls");
  const cert = section === undefined ? undefined : publicFrom(section, "cert", at, true);
  const key = section === undefined ? undefined : secretFrom(section, "key", at, true);
  section?.end();
  const parts = /^(\[[0-9a-f:]+\]|[^\s:]+):(\d{1,5})$/i.exec(text);
  const port = Number(parts?.[2]);
  if (parts === null || port > 65_535) {
    api.complain(`listen must be HOST:PORT, got ${JSON.stringify(text)}`);
    return undefined;
  }
  const host = parts[1].replace(/^\[|\]$/g, "");
  if (!LOOPBACK.includes(host) && section === undefined)
    api.complain(`listen is ${host}, which is not this machine alone: name tls.cert and tls.key`);
  return cert === undefined || key === undefined ? { host, port } : { host, port, tls: { cert, key } };
}

function readTokens(api: Section, at: At): TokenSettings | undefined {
  const jwt = api.section("jwt");
  if (jwt === undefined) {
    api.complain("has no jwt: name secretFile or jwksUrl, which say whose tokens count");
    return undefined;
  }
  const issuer = jwt.text("issuer", false) ?? ISSUER_DEFAULT;
  const audience = jwt.text("audience", false) ?? AUDIENCE_DEFAULT;
  const jwksUrl = jwt.text("jwksUrl", false);
  const secret = secretFrom(jwt, "secretFile", at);
  jwt.end();
  if (secret !== undefined && secret.length < SECRET_BYTES_MIN)
    jwt.complain(`secretFile must hold at least ${SECRET_BYTES_MIN} bytes`);
  if ((jwksUrl === undefined) === (secret === undefined)) {
    jwt.complain("must have either secretFile or jwksUrl");
    return undefined;
  }
  return secret !== undefined
    ? { issuer, audience, secret }
    : { issuer, audience, jwksUrl: jwksUrl as string };
}
