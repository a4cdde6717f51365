// Secrets and certificates that a configuration names: each in a file of its own, secrets readable by their owner only.
import { readFileSync } from "node:fs";
import { messageOf } from "./errors";
import { readPrivate } from "./private-file";
import type { Section } from "./yaml-reader";

/** @returns a path, relative to the configuration's folder */
export type At = (name: string) => string;

const SECRET_PREFIX = "whsec_";
/** Bytes of a secret, Standard Webhooks 1.0, "Signature scheme". */
const SECRET_BYTES_MIN = 24;
const SECRET_BYTES_MAX = 64;

/** @returns what a private file holds; undefined where none is named or something is wrong, which is noted */
export function secretFrom(section: Section, name: string, at: At, needed = false): Buffer | undefined {
  const path = section.text(name, needed);
  if (path === undefined) return undefined;
  const secret = readPrivate(at(path));
  if (Buffer.isBuffer(secret) && secret.length > 0) return secret;
  section.complain(`${name} ${Buffer.isBuffer(secret) ? "is empty" : secret}`);
  return undefined;
}

/** @returns what a file holds that is no secret */
export function publicFrom(section: Section, name: string, at: At, needed = false): Buffer | undefined {
  const path = section.text(name, needed);
  if (path === undefined) return undefined;
  try {
    return readFileSync(at(path));
  } catch (cause) {
    section.complain(`${name} cannot be read: ${messageOf(cause)}`);
    return undefined;
  }
}

/** @returns the secrets of a webhook, of which any may have signed */
export function webhookSecrets(webhook: Section, at: At): Buffer[] {
  const files = webhook.texts("secretFiles");
  if (files.length === 0) webhook.complain("needs secretFiles: a list of at least one, the newest first");
  return files.flatMap(({ text, complain }) => {
    const secret = webhookSecret(at(text));
    if (Buffer.isBuffer(secret)) return [secret];
    complain(secret);
    return [];
  });
}

/** @returns the secret, or what is wrong with its file. Never tells its content. */
function webhookSecret(path: string): Buffer | string {
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
