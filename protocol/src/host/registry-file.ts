// The registry file: which badges a relay lets in, and the key by which each proves itself. JSON, mode 0600:
//
//   { "version": 1, "badges": { "<id, 16 hex>": { "authKey": "<64 hex>", "label": "...", "addedMs": 1750000000000 } } }
//
// Written by provisioning, read by the relay. No error of this file names a key.
import {
  closeSync,
  fstatSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname } from "node:path";
import { BADGE_ID_BYTES, KEY_BYTES } from "../shared";

/** What the registry knows of one badge. */
export interface RegisteredBadge {
  /** 32 bytes. */
  authKey: Buffer;
  /** For people: whose badge it is. At most LABEL_CHARACTERS_MAX characters. */
  label: string;
  /** Unix time in ms. */
  addedMs: number;
}

/** Registered badges by id, 16 lower-case hexadecimal digits. */
export type Registry = Map<string, RegisteredBadge>;

/** Longest label of a badge. */
export const LABEL_CHARACTERS_MAX = 100;

const VERSION = 1;
const FILE_BYTES_MAX = 32 * 1024 * 1024;
const MISTAKES_SHOWN_MAX = 20;
const FILE_MODE = 0o600;
const OTHERS_MODE = 0o077;
const BADGE_ID = new RegExp(`^[0-9a-f]{${BADGE_ID_BYTES * 2}}$`);
const AUTH_KEY = new RegExp(`^[0-9a-f]{${KEY_BYTES * 2}}$`);
const CONTROL_CHARACTERS = /\p{Cc}/u;

/** A registry file that cannot be used. `mistakes` has one sentence for each thing that is wrong. */
export class RegistryFileError extends Error {
  constructor(
    readonly path: string,
    readonly mistakes: string[],
  ) {
    const shown = mistakes.slice(0, MISTAKES_SHOWN_MAX).join("; ");
    const more = mistakes.length - MISTAKES_SHOWN_MAX;
    super(`registry ${path}: ${shown}${more > 0 ? `; and ${more} more mistakes` : ""}`);
    this.name = "RegistryFileError";
  }
}

/**
 * Reads and checks a registry file.
 * @throws RegistryFileError when others may read the file or anything in it is wrong; the error of node:fs when it cannot be read
 */
export function readRegistry(path: string): Registry {
  const file = openSync(path, "r");
  let text: string;
  try {
    const { mode, size } = fstatSync(file);
    if (process.platform !== "win32" && (mode & OTHERS_MODE) !== 0) {
      const octal = (mode & 0o777).toString(8).padStart(4, "0");
      throw new RegistryFileError(path, [
        `it holds keys but its mode is ${octal}, so that other users can use it; run: chmod 600 ${path}`,
      ]);
    }
    if (size > FILE_BYTES_MAX)
      throw new RegistryFileError(path, [`it must be at most ${FILE_BYTES_MAX} bytes, it has ${size}`]);
    text = readFileSync(file, "utf8");
  } finally {
    closeSync(file);
  }
  return parseRegistry(path, text);
}

/**
 * Adds one badge and keeps the others, atomically; makes the file when there is none.
 * @throws RegistryFileError when the badge is there already, a value is not allowed, another program is changing the file or
 * the file that is there is wrong
 */
export function addBadge(path: string, added: { badge: string } & RegisteredBadge): void {
  const { badge, authKey, label, addedMs } = added;
  changeRegistry(path, (registry) => {
    const mistakes = badgeMistakes(badge, { authKey: authKey.toString("hex"), label, addedMs });
    if (registry.has(badge)) mistakes.push(`badge ${badge} is registered already; remove it first`);
    if (mistakes.length > 0) throw new RegistryFileError(path, mistakes);
    registry.set(badge, { authKey, label, addedMs });
    return true;
  });
}

/**
 * Gives one badge another key, atomically; label and time stay.
 * @returns false when the registry has no such badge
 * @throws RegistryFileError when the key is none, another program is changing the file or the file is wrong
 */
export function rotateBadge(path: string, badge: string, authKey: Buffer): boolean {
  return changeRegistry(path, (registry) => {
    const known = registry.get(badge);
    if (known === undefined) return false;
    const mistakes = badgeMistakes(badge, { ...known, authKey: authKey.toString("hex") });
    if (mistakes.length > 0) throw new RegistryFileError(path, mistakes);
    registry.set(badge, { ...known, authKey });
    return true;
  });
}

/**
 * Removes one badge, atomically.
 * @returns false when the registry had no such badge
 * @throws RegistryFileError when another program is changing the file or the file is wrong
 */
export function removeBadge(path: string, badge: string): boolean {
  return changeRegistry(path, (registry) => registry.delete(badge));
}

function parseRegistry(path: string, text: string): Registry {
  let file: unknown;
  try {
    file = JSON.parse(text);
  } catch {
    // The parser's own message quotes the text, which may be a key.
    throw new RegistryFileError(path, ["it is not JSON"]);
  }
  if (!isObject(file)) throw new RegistryFileError(path, ["it must be a JSON object"]);
  const mistakes = unknownFields(file, ["version", "badges"], "the file");
  if (file.version !== VERSION)
    mistakes.push(`"version" must be ${VERSION}, got ${JSON.stringify(file.version)}`);
  const registry: Registry = new Map();
  if (!isObject(file.badges)) mistakes.push('"badges" must be an object of badges by id');
  else
    for (const [badge, entry] of Object.entries(file.badges)) {
      const found = badgeMistakes(badge, entry);
      mistakes.push(...found);
      if (found.length > 0) continue;
      const { authKey, label, addedMs } = entry as { authKey: string; label: string; addedMs: number };
      registry.set(badge, { authKey: Buffer.from(authKey, "hex"), label, addedMs });
    }
  if (mistakes.length > 0) throw new RegistryFileError(path, mistakes);
  return registry;
}

function badgeMistakes(badge: string, entry: unknown): string[] {
  const who = `badge ${JSON.stringify(badge.slice(0, 40))}`;
  const mistakes: string[] = [];
  if (!BADGE_ID.test(badge)) mistakes.push(`${who} must be named by 16 lower-case hexadecimal digits`);
  if (!isObject(entry)) return [...mistakes, `${who} must be an object`];
  mistakes.push(...unknownFields(entry, ["authKey", "label", "addedMs"], who));
  const { authKey, label, addedMs } = entry;
  if (typeof authKey !== "string" || !AUTH_KEY.test(authKey))
    mistakes.push(`"authKey" of ${who} must be 64 lower-case hexadecimal digits`);
  if (typeof label !== "string" || label.length > LABEL_CHARACTERS_MAX || CONTROL_CHARACTERS.test(label))
    mistakes.push(
      `"label" of ${who} must be text of at most ${LABEL_CHARACTERS_MAX} characters without line breaks`,
    );
  if (typeof addedMs !== "number" || !Number.isSafeInteger(addedMs) || addedMs < 0)
    mistakes.push(`"addedMs" of ${who} must be a Unix time in whole ms`);
  return mistakes;
}

function unknownFields(value: Record<string, unknown>, known: string[], who: string): string[] {
  return Object.keys(value)
    .filter((name) => !known.includes(name))
    .map((name) => `${who} has the unknown field ${JSON.stringify(name.slice(0, 40))}`);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The new file's temporary name is the lock as well: whoever makes it has the registry until it is renamed or removed. */
function changeRegistry(path: string, change: (registry: Registry) => boolean): boolean {
  const temporary = `${path}.new`;
  const file = openNew(path, temporary);
  try {
    try {
      const registry = readOrEmpty(path);
      if (!change(registry)) {
        unlinkSync(temporary);
        return false;
      }
      writeFileSync(file, formatRegistry(registry));
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(temporary, path);
  } catch (cause) {
    unlinkSync(temporary);
    throw cause;
  }
  syncDirectory(dirname(path));
  return true;
}

function openNew(path: string, temporary: string): number {
  try {
    return openSync(temporary, "wx", FILE_MODE);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "EEXIST") throw cause;
    throw new RegistryFileError(path, [
      `another program is changing it; if none is, an interrupted one left ${temporary}: delete that file`,
    ]);
  }
}

function readOrEmpty(path: string): Registry {
  try {
    return readRegistry(path);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return new Map();
    throw cause;
  }
}

function formatRegistry(registry: Registry): string {
  const badges: Record<string, unknown> = {};
  for (const [badge, { authKey, label, addedMs }] of registry)
    badges[badge] = { authKey: authKey.toString("hex"), label, addedMs };
  return `${JSON.stringify({ version: VERSION, badges }, null, 2)}\n`;
}

function syncDirectory(path: string): void {
  if (process.platform === "win32") return; // a directory cannot be opened there
  const directory = openSync(path, "r");
  try {
    fsyncSync(directory);
  } finally {
    closeSync(directory);
  }
}
