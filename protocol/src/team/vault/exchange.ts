// A whole vault as one age file, for a backup or to hand it over, and back. Format: docs/vault.md, "Export".
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
} from "node:fs";
import { dirname, join, resolve } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { ExitCode, messageOf, ToolError } from "../errors";
import { createFile } from "../files";
import { openSealed, recipientsOf, sealTo } from "./age";
import { type BadgeKeys, isBadgeKeys } from "./badge-keys";
import { mergeKeys } from "./merge";
import { checkRecipient, type NamedRecipient } from "./recipients";
import { Vault } from "./vault";

/** Content of an export. */
export interface VaultExport {
  format: typeof FORMAT;
  version: 1;
  /** Unix time in ms. */
  exportedMs: number;
  /** Name of the team. */
  label: string;
  /** Those who could open the vault. */
  recipients: NamedRecipient[];
  badges: BadgeKeys[];
}

/** What an import did with the badges that the file has, by id. */
export interface Imported {
  /** True when there was no vault before. */
  created: boolean;
  /** Were not in the vault. */
  added: string[];
  /** Were in the vault, and have fewer keys now. */
  changed: string[];
  /** Were in the vault, as they are. */
  unchanged: string[];
}

const FORMAT = "salestag vault export";
const FILE_MODE = 0o600;
/** Enough for some thousand badges. */
const EXPORT_BYTES_MAX = 256 << 20;
const BADGES_MAX = 100_000;
const RECIPIENTS_MAX = 10_000;

export interface ExportOptions {
  vault: Vault;
  /** age secret keys. */
  identities: string[];
  /** The file to make. */
  out: string;
  /** Who can open it; empty: those who can open the vault. */
  to: string[];
  /** Unix time in ms. */
  nowMs: number;
}

/**
 * Writes all of a vault into one age file, mode 0600.
 * @returns the ids of its badges
 * @throws ToolError when a badge does not open, there is such a file already, or a recipient is none
 */
export async function exportVault({ vault, identities, out, to, nowMs }: ExportOptions): Promise<string[]> {
  for (const recipient of to) checkRecipient(recipient);
  const recipients = vault.recipients();
  const badges = await vault.readAll(identities);
  const content: VaultExport = {
    format: FORMAT,
    version: 1,
    exportedMs: nowMs,
    label: vault.label,
    recipients,
    badges,
  };
  const sealed = await sealTo(
    to.length > 0 ? to : recipients.map(({ recipient }) => recipient),
    `${JSON.stringify(content)}\n`,
  );
  if (sealed.length > EXPORT_BYTES_MAX)
    throw new ToolError(
      ExitCode.Usage,
      `the export would have ${sealed.length} bytes, more than the ${EXPORT_BYTES_MAX} that an import takes; copy the vault folder instead.`,
    );
  createFile(out, sealed, FILE_MODE);
  return badges.map(({ badge }) => badge);
}

/**
 * Takes an export into a vault, which is made if there is none. A badge that both have keeps only what both can open.
 * @param identities age secret keys; they must open the file and the vault
 * @throws ToolError when something does not open or contradicts the vault; then nothing was changed
 */
export async function importVault(file: string, folder: string, identities: string[]): Promise<Imported> {
  const content = await readExport(file, identities);
  if (!isMissingOrEmpty(folder)) return await mergeInto(Vault.open(folder), content, identities);
  await createWhole(folder, content, identities);
  const added = content.badges.map(({ badge }) => badge);
  return { created: true, added, changed: [], unchanged: [] };
}

async function readExport(file: string, identities: string[]): Promise<VaultExport> {
  const stat = statSync(file, { throwIfNoEntry: false });
  if (stat === undefined || !stat.isFile())
    throw new ToolError(ExitCode.Usage, `There is no file '${file}'; 'salestag keys export' makes one.`);
  if (stat.size > EXPORT_BYTES_MAX) throw unusable(file, `it has ${stat.size} bytes`);
  const text = await openSealed(`'${file}'`, readFileSync(file), identities);
  let content: VaultExport;
  try {
    content = JSON.parse(text) as VaultExport;
  } catch {
    throw unusable(file, "it is not JSON"); // the parser's own words could quote a key
  }
  const mistake = mistakeIn(content);
  if (mistake !== undefined) throw unusable(file, mistake);
  return content;
}

/** @returns what is wrong with the content of an export, if something is */
function mistakeIn(content: VaultExport | null): string | undefined {
  if (content?.format !== FORMAT) return "it is something else";
  if (content.version !== 1) return `it has version ${String(content.version)}, this program reads version 1`;
  const { label, recipients, badges } = content;
  if (typeof label !== "string") return "its label is no text";
  if (!Array.isArray(recipients) || recipients.length > RECIPIENTS_MAX) return "its recipients are no list";
  if (!Array.isArray(badges) || badges.length > BADGES_MAX) return "its badges are no list";
  const wrong = badges.findIndex((keys) => !isBadgeKeys(keys));
  if (wrong >= 0) return `badge ${wrong + 1} of ${badges.length} cannot be used`;
  if (new Set(badges.map(({ badge }) => badge)).size < badges.length) return "it has a badge twice";
  return mistakeInRecipients(recipients);
}

function mistakeInRecipients(recipients: NamedRecipient[]): string | undefined {
  for (const one of recipients) {
    if (typeof one?.recipient !== "string" || typeof one.name !== "string")
      return "a recipient cannot be used";
    if (/\p{Cc}/u.test(one.name)) return "a recipient's name has a line break";
    try {
      checkRecipient(one.recipient);
    } catch (cause) {
      return messageOf(cause).replace(/;.*$/s, "");
    }
  }
  return undefined;
}

function unusable(file: string, why: string): ToolError {
  return new ToolError(
    ExitCode.Damaged,
    `'${file}' is no export of a vault that this program can use: ${why}; nothing was changed.`,
  );
}

function isMissingOrEmpty(folder: string): boolean {
  return !existsSync(folder) || (statSync(folder).isDirectory() && readdirSync(folder).length === 0);
}

/** Makes a vault beside the place where it belongs and moves it there: it appears whole or not at all. */
async function createWhole(folder: string, content: VaultExport, identities: string[]): Promise<void> {
  const { label, recipients, badges } = content;
  const listed = recipients.map(({ recipient }) => recipient);
  const own = (await recipientsOf(identities)).filter((recipient) => !listed.includes(recipient));
  const missing = own.length === identities.length ? own : []; // the importer must be able to open it
  const parent = dirname(resolve(folder));
  mkdirSync(parent, { recursive: true, mode: 0o700 });
  const staging = mkdtempSync(join(parent, ".salestag-import-"));
  try {
    const everybody = [...recipients, ...missing.map((recipient) => ({ recipient, name: "" }))];
    const vault = Vault.create(staging, label, everybody);
    await vault.change(async (change) => {
      for (const keys of badges) await change.add(keys);
    });
    renameSync(staging, resolve(folder));
  } catch (cause) {
    rmSync(staging, { recursive: true, force: true });
    throw cause;
  }
}

async function mergeInto(vault: Vault, { badges }: VaultExport, identities: string[]): Promise<Imported> {
  return await vault.change(async (change) => {
    const here = new Set(vault.badges());
    const result: Imported = { created: false, added: [], changed: [], unchanged: [] };
    const writes: (() => Promise<void>)[] = [];
    for (const theirs of badges) {
      const { badge } = theirs;
      if (!here.has(badge)) {
        result.added.push(badge);
        writes.push(() => change.add(theirs));
        continue;
      }
      const ours = await vault.read(badge, identities);
      const merged = mergeKeys(ours, theirs);
      const same = isDeepStrictEqual(merged, ours);
      result[same ? "unchanged" : "changed"].push(badge);
      if (!same) writes.push(() => change.replace(merged));
    }
    for (const write of writes) await write(); // only when all of it fits
    return result;
  });
}
