// The vault: a folder with the keys of every badge of a team, each in a file encrypted to the team's age recipients. Format:
// docs/vault.md. Safe to back up and to share among those who have an identity.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, unlinkSync } from "node:fs";
import { join } from "node:path";
import { FolderInUse, lockFolder } from "../../service/folder-lock";
import { ExitCode, messageOf, ToolError } from "../errors";
import { createFile, moveFile, replaceFile } from "../files";
import { openSealed, sealTo } from "./age";
import { type BadgeKeys, isBadgeKeys } from "./badge-keys";
import {
  formatRecipients,
  linesWithNames,
  type NamedRecipient,
  noRecipient,
  RECIPIENTS_BYTES_MAX,
  readRecipients,
} from "./recipients";

/** A change of recipients that began and did not end. */
export interface UnfinishedChange {
  /** `age1...`, each */
  added: string[];
  /** `age1...`, each; they may still open some of the files. */
  removed: string[];
}

/** What may be done to a vault while it is locked. */
export interface VaultChange {
  /** Puts a new badge's keys into the vault, durably. @throws ToolError when it has that badge already */
  add(keys: BadgeKeys): Promise<void>;
  /** Puts other keys in the place of those of a badge that is there, durably. */
  replace(keys: BadgeKeys): Promise<void>;
  /** Text of the list of recipients that files are encrypted to from now on: the new one, while a change is not finished. */
  recipientsText(): string;
  /** Begins a change of recipients: files are encrypted to this list from now on. */
  beginRecipients(text: string): void;
  /** Ends it, when every file was replaced. */
  endRecipients(): void;
}

const FILE_MODE = 0o600;
const OTHERS_MODE = 0o077;
const LOCK_WAIT_MS = 5000;
/** Of a badge's file: some 100,000 keys of single conversations. */
const BADGE_FILE_BYTES_MAX = 16 << 20;
/** What an interruption leaves of a file that was being written (files.ts). It may hold keys that were shredded since. */
const PART = /^\.([0-9a-f]{16}\.age|recipients\.next)\.[0-9a-f]{8}$/;

export class Vault {
  private constructor(
    private readonly folder: string,
    /** Name of the team. */
    readonly label: string,
  ) {}

  /** Makes a new vault folder. @throws ToolError when there is one already */
  static create(folder: string, label: string, recipients: (string | NamedRecipient)[]): Vault {
    mkdirSync(join(folder, "badges"), { recursive: true, mode: 0o700 });
    const named = recipients.map((one) => (typeof one === "string" ? { recipient: one, name: "" } : one));
    createFile(join(folder, "vault.json"), `${JSON.stringify({ version: 1, label }, null, 2)}\n`, FILE_MODE);
    createFile(join(folder, "recipients.txt"), formatRecipients(named), FILE_MODE);
    return new Vault(folder, label);
  }

  /** @throws ToolError when the folder is no vault of this version */
  static open(folder: string): Vault {
    const file = join(folder, "vault.json");
    if (!existsSync(file))
      throw new ToolError(
        ExitCode.Usage,
        `'${folder}' is no vault; make one with 'salestag keys init --vault ${folder}'.`,
      );
    let content: { version?: unknown; label?: unknown };
    try {
      content = JSON.parse(readFileSync(file, "utf8")) as typeof content;
      if (content === null) throw new Error("vault.json holds null");
    } catch (cause) {
      throw unreadable(folder, cause);
    }
    if (content.version !== 1)
      throw new ToolError(
        ExitCode.Usage,
        `the vault '${folder}' has version ${String(content.version)}, this program reads version 1; update it.`,
      );
    const vault = new Vault(folder, typeof content.label === "string" ? content.label : "");
    const path = vault.currentListPath();
    if (linesWithNames(vault.readList(path)).length === 0) throw noRecipient(path);
    return vault;
  }

  /** @returns ids of all badges, in order */
  badges(): string[] {
    const names = readdirSync(join(this.folder, "badges")).sort();
    return names.filter((name) => /^[0-9a-f]{16}\.age$/.test(name)).map((name) => name.slice(0, 16));
  }

  /** @returns those that new files are encrypted to. @throws ToolError when the list cannot be used */
  recipients(): NamedRecipient[] {
    const path = this.currentListPath();
    return readRecipients(path, this.readList(path));
  }

  /** @returns the change of recipients that was interrupted, if one was or one is running */
  unfinished(): UnfinishedChange | undefined {
    if (!existsSync(this.nextPath())) return undefined;
    const [before, after] = [this.listPath(), this.nextPath()].map((path) =>
      linesWithNames(this.readList(path)).map(({ recipient }) => recipient),
    );
    return {
      added: after.filter((recipient) => !before.includes(recipient)),
      removed: before.filter((recipient) => !after.includes(recipient)),
    };
  }

  /** @returns sentences on what should be put right */
  warnings(): string[] {
    const warnings: string[] = [];
    const mode = statSync(this.folder).mode;
    if (process.platform !== "win32" && (mode & OTHERS_MODE) !== 0)
      warnings.push(
        `other users may look into the vault (mode ${(mode & 0o777).toString(8)}); run: chmod -R go= ${this.folder}`,
      );
    const unfinished = this.unfinished();
    if (unfinished !== undefined) warnings.push(unfinishedSentence(this.folder, unfinished));
    return warnings;
  }

  /** Puts a new badge's keys into the vault, durably. @throws ToolError when it has that badge already */
  async add(keys: BadgeKeys): Promise<void> {
    await this.change((change) => change.add(keys));
  }

  /** Takes a new badge's keys out again, which the badge was never given. */
  discard(badge: string): void {
    rmSync(this.path(badge), { force: true });
  }

  /**
   * Opens a badge's keys.
   * @param identities age secret keys
   * @throws ToolError when the vault has no such badge, the identity does not fit or the file is damaged
   */
  async read(badge: string, identities: string[]): Promise<BadgeKeys> {
    const path = this.path(badge);
    const stat = statSync(path, { throwIfNoEntry: false });
    if (stat === undefined)
      throw new ToolError(
        ExitCode.Keys,
        `the vault has no badge ${badge}; use the vault that it was provisioned with.`,
      );
    if (stat.size > BADGE_FILE_BYTES_MAX) throw unusable(path, badge);
    return parseKeys(path, badge, await openSealed(`'${path}'`, readFileSync(path), identities));
  }

  /** @returns the keys of all badges. @throws ToolError when one of them does not open */
  async readAll(identities: string[]): Promise<BadgeKeys[]> {
    const all: BadgeKeys[] = [];
    for (const badge of this.badges()) all.push(await this.read(badge, identities));
    return all;
  }

  /**
   * Locks the vault, clears away what interrupted changes left, and lets `work` change it.
   * @throws ToolError when another program has it locked, and whatever `work` throws
   */
  async change<T>(work: (change: VaultChange) => Promise<T>): Promise<T> {
    const unlock = await lockFolder(this.folder, LOCK_WAIT_MS).catch((cause) => {
      throw cause instanceof FolderInUse ? inUse(cause) : cause;
    });
    try {
      this.sweep();
      return await work({
        add: async (keys) => createFile(this.path(keys.badge), await this.seal(keys), FILE_MODE),
        replace: async (keys) => replaceFile(this.path(keys.badge), await this.seal(keys), FILE_MODE),
        recipientsText: () => this.readList(this.currentListPath()),
        beginRecipients: (text) => replaceFile(this.nextPath(), text, FILE_MODE),
        endRecipients: () => moveFile(this.nextPath(), this.listPath()),
      });
    } finally {
      unlock();
    }
  }

  private sweep(): void {
    for (const place of [this.folder, join(this.folder, "badges")])
      for (const name of readdirSync(place)) if (PART.test(name)) unlinkSync(join(place, name));
  }

  private async seal(keys: BadgeKeys): Promise<Buffer> {
    const recipients = this.recipients().map(({ recipient }) => recipient);
    return await sealTo(recipients, `${JSON.stringify(keys)}\n`);
  }

  private readList(path: string): string {
    try {
      if (statSync(path).size > RECIPIENTS_BYTES_MAX) throw new Error(`'${path}' is too long`);
      return readFileSync(path, "utf8");
    } catch (cause) {
      throw unreadable(this.folder, cause);
    }
  }

  private path(badge: string): string {
    return join(this.folder, "badges", `${badge}.age`);
  }

  /** The list that files are encrypted to: the new one, while a change is not finished. */
  private currentListPath(): string {
    return existsSync(this.nextPath()) ? this.nextPath() : this.listPath();
  }

  private listPath(): string {
    return join(this.folder, "recipients.txt");
  }

  /** The list that a change of recipients leads to. */
  private nextPath(): string {
    return join(this.folder, "recipients.next");
  }
}

function inUse({ by, path }: FolderInUse): ToolError {
  return new ToolError(
    ExitCode.Usage,
    `the vault is being changed by ${by}; try again when that is done, or delete '${path}' if it is not running.`,
  );
}

function unfinishedSentence(folder: string, { added, removed }: UnfinishedChange): string {
  const [command, recipient] =
    removed.length > 0 ? ["remove-recipient", removed[0]] : ["add-recipient", added[0] ?? "RECIPIENT"];
  const risk =
    removed.length > 0
      ? `${removed.join(", ")} may still open some badges`
      : `${added.join(", ") || "a RECIPIENT of it"} may open only some badges`;
  return `a change of the vault's recipients is not finished: ${risk}; run: salestag keys ${command} ${recipient} --vault ${folder}`;
}

function unreadable(folder: string, cause: unknown): ToolError {
  return new ToolError(
    ExitCode.Usage,
    `the vault '${folder}' cannot be read: ${messageOf(cause)}; restore it from a backup.`,
  );
}

function parseKeys(path: string, badge: string, text: string): BadgeKeys {
  try {
    const keys: unknown = JSON.parse(text);
    if (isBadgeKeys(keys) && keys.badge === badge) return keys;
  } catch {
    // Told below; the parser's own words could quote a key.
  }
  throw unusable(path, badge);
}

function unusable(path: string, badge: string): ToolError {
  return new ToolError(
    ExitCode.Damaged,
    `'${path}' holds no keys of badge ${badge} that this program can use; restore it from a backup.`,
  );
}
