// Where NATS is, and how a service proves itself there, as a configuration names it.
import { type At, publicFrom, secretFrom } from "./config-files";
import type { Section } from "./yaml-reader";

/** A NATS server or a cluster of them. */
export interface NatsServer {
  /** `nats://HOST:PORT` on this machine, `tls://HOST:PORT` elsewhere. */
  servers: string[];
  /** Content of a credentials file. */
  creds?: Buffer;
  token?: string;
  user?: string;
  password?: string;
  /** Certificate that is trusted, PEM; left out: the system's. */
  ca?: string;
}

const LOOPBACK_HOSTS = ["127.0.0.1", "::1", "[::1]", "localhost"];

/** @returns what the section names; undefined where something is wrong, which is noted. Does not end the section */
export function readNatsServer(section: Section, at: At): NatsServer | undefined {
  const servers = section.texts("servers").flatMap(({ text, complain }) => {
    const wrong = wrongWith(text);
    if (wrong !== undefined) complain(wrong);
    return wrong === undefined ? [text] : [];
  });
  if (servers.length === 0) section.complain("needs servers: a list of at least one");
  const creds = secretFrom(section, "credsFile", at);
  const token = secretFrom(section, "tokenFile", at)?.toString("utf8");
  const user = section.text("user", false);
  const password = secretFrom(section, "passwordFile", at)?.toString("utf8");
  const ca = publicFrom(section, "caFile", at)?.toString("utf8");
  return servers.length === 0 ? undefined : { servers, creds, token, user, password, ca };
}

function wrongWith(text: string): string | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || url.hostname === "" || !["nats:", "tls:"].includes(url.protocol))
    return "must be nats://HOST:PORT or tls://HOST:PORT";
  if (url.password !== "" || url.username !== "")
    return "must hold no user or password: name credsFile, tokenFile, or user and passwordFile";
  if (url.protocol === "nats:" && !LOOPBACK_HOSTS.includes(url.hostname))
    return "must be tls:// where it is not on this machine";
  return undefined;
}
