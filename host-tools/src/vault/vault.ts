// The vault: a folder with the keys of every badge of a team, each in a file encrypted to the team's age recipients. Format:
// docs/vault.md. Safe to back up and to share among those who have an identity.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import {
  BADGE_ID_BYTES,
  epochKeyOf,
  inboxKeyOf,
  KEY_BYTES,
  nextChainKey,
  nodeCrypto,
} from "@salestag/protocol/host";
import { Decrypter, Encrypter } from "age-encryption";
import { ExitCode, messageOf, ToolError } from "../errors";
import { createFile } from "../files";

/** Everything that the team knows of a badge. Keys are 64 hexadecimal digits. */
export interface BadgeKeys {
  version: 1;
  /** Badge id, 16 hexadecimal digits. */
  badge: string;
  /** Hardware id, 16 hexadecimal digits. */
  deviceId: string;
  label: string;
  /** Unix time in ms. */
  createdMs: number;
  authKey: string;
  /** Chain key of the first epoch that has no key of its own in `epochKeys`. */
  chain: { epoch: number; key: string };
  /** Keys of single epochs, by epoch. */
  epochKeys: Record<string, string>;
}

/** Epochs that are derived one after the other at most: years of conversations. */
const EPOCH_STEPS_MAX = 1_000_000;
const BADGE_ID = new RegExp(`^[0-9a-f]{${2 * BADGE_ID_BYTES}}$`);
const KEY = new RegExp(`^[0-9a-f]{${2 * KEY_BYTES}}$`);

export class Vault {
  private constructor(
    private readonly folder: string,
    private readonly recipients: string[],
  ) {}

  /** Makes a new vault folder. @throws ToolError when there is one already */
  static create(folder: string, label: string, recipients: string[]): Vault {
    mkdirSync(join(folder, "badges"), { recursive: true, mode: 0o700 });
    createFile(join(folder, "vault.json"), `${JSON.stringify({ version: 1, label }, null, 2)}\n`, 0o600);
    createFile(join(folder, "recipients.txt"), `${recipients.join("\n")}\n`, 0o600);
    return new Vault(folder, recipients);
  }

  /** @throws ToolError when the folder is no vault of this version */
  static open(folder: string): Vault {
    const file = join(folder, "vault.json");
    if (!existsSync(file))
      throw new ToolError(
        ExitCode.Usage,
        `'${folder}' is no vault; make one with 'salestag keys init --vault ${folder}'.`,
      );
    let version: unknown;
    let recipients: string[];
    try {
      ({ version } = JSON.parse(readFileSync(file, "utf8")) as { version: unknown });
      recipients = readFileSync(join(folder, "recipients.txt"), "utf8").split(/\r?\n/);
    } catch (cause) {
      throw new ToolError(
        ExitCode.Usage,
        `the vault '${folder}' cannot be read: ${messageOf(cause)}; restore it from a backup.`,
      );
    }
    if (version !== 1)
      throw new ToolError(
        ExitCode.Usage,
        `the vault '${folder}' has version ${String(version)}, this program reads version 1; update it.`,
      );
    recipients = recipients.map((line) => line.trim()).filter((line) => line.startsWith("age1"));
    if (recipients.length === 0)
      throw new ToolError(
        ExitCode.Usage,
        `'${join(folder, "recipients.txt")}' names no recipient: nobody could open what is put into the vault.`,
      );
    return new Vault(folder, recipients);
  }

  /** @returns ids of all badges */
  badges(): string[] {
    const names = readdirSync(join(this.folder, "badges"));
    return names.filter((name) => /^[0-9a-f]{16}\.age$/.test(name)).map((name) => name.slice(0, 16));
  }

  /** Puts a new badge's keys into the vault, durably. @throws ToolError when it has that badge already */
  async add(keys: BadgeKeys): Promise<void> {
    const encrypter = new Encrypter();
    for (const recipient of this.recipients)
      try {
        encrypter.addRecipient(recipient);
      } catch {
        throw new ToolError(
          ExitCode.Usage,
          `'${join(this.folder, "recipients.txt")}' has the line '${recipient}', which is no age recipient; correct or remove it.`,
        );
      }
    const sealed = await encrypter.encrypt(`${JSON.stringify(keys)}\n`);
    createFile(this.path(keys.badge), Buffer.from(sealed), 0o600);
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
    if (!existsSync(path))
      throw new ToolError(
        ExitCode.Keys,
        `the vault has no badge ${badge}; use the vault that it was provisioned with.`,
      );
    const decrypter = new Decrypter();
    for (const identity of identities)
      try {
        decrypter.addIdentity(identity);
      } catch {
        // The library's own words would quote the secret key.
        throw new ToolError(
          ExitCode.Keys,
          "a secret key in the identity file is damaged; restore the file from its copy, or name another with --identity.",
        );
      }
    let text: string;
    try {
      text = await decrypter.decrypt(readFileSync(path), "text");
    } catch (cause) {
      throw new ToolError(
        ExitCode.Keys,
        `'${path}' does not open with this identity (${messageOf(cause)}); name the team's with --identity.`,
      );
    }
    return parseKeys(path, badge, text);
  }

  private path(badge: string): string {
    return join(this.folder, "badges", `${badge}.age`);
  }
}

function parseKeys(path: string, badge: string, text: string): BadgeKeys {
  try {
    const keys = JSON.parse(text) as BadgeKeys;
    const wellFormed =
      keys.version === 1 &&
      keys.badge === badge &&
      BADGE_ID.test(keys.deviceId) &&
      KEY.test(keys.authKey) &&
      KEY.test(keys.chain.key) &&
      Number.isSafeInteger(keys.chain.epoch) &&
      keys.chain.epoch >= 0 &&
      Object.values(keys.epochKeys).every((key) => KEY.test(key));
    if (wellFormed) return keys;
  } catch {
    // Told below; the parser's own words could quote a key.
  }
  throw new ToolError(
    ExitCode.Damaged,
    `'${path}' holds no keys of badge ${badge} that this program can use; restore it from a backup.`,
  );
}

/**
 * @returns the key of one conversation, 32 bytes
 * @throws ToolError when it was shredded or lies absurdly far ahead
 */
export function epochKeyFor(keys: BadgeKeys, epoch: number): Buffer {
  const own = keys.epochKeys[String(epoch)];
  if (own !== undefined) return Buffer.from(own, "hex");
  const steps = epoch - keys.chain.epoch;
  if (steps < 0)
    throw new ToolError(
      ExitCode.Keys,
      `conversation ${epoch} of badge ${keys.badge} was shredded: its key was deleted and nothing opens it.`,
    );
  if (steps > EPOCH_STEPS_MAX)
    throw new ToolError(
      ExitCode.Damaged,
      `conversation ${epoch} of badge ${keys.badge} is ${steps} ahead of the vault, more than any badge can be; the file is not from this badge.`,
    );
  const crypto = nodeCrypto();
  let chainKey: Buffer = Buffer.from(keys.chain.key, "hex");
  for (let step = 0; step < steps; step++) chainKey = nextChainKey(crypto, chainKey);
  return epochKeyOf(crypto, chainKey);
}

/**
 * @returns the key of what the team sends to a badge, 32 bytes
 * @throws ToolError when the vault has not the chain's first key any more
 */
export function inboxKeyFor(keys: BadgeKeys): Buffer {
  if (keys.chain.epoch !== 0)
    throw new ToolError(
      ExitCode.Keys,
      `the vault has the keys of badge ${keys.badge} from conversation ${keys.chain.epoch} on; nudges need the first one: provision the badge again.`,
    );
  return inboxKeyOf(nodeCrypto(), Buffer.from(keys.chain.key, "hex"));
}
