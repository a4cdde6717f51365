// The vault's keys, as a service needs them: read again whenever a badge's file changes, so that a shredded conversation is dead here at once too, and a badge
// that is added to the vault opens without a restart.
import { type FSWatcher, statSync, watch } from "node:fs";
import { join } from "node:path";
import type { Clock } from "@salestag/protocol/service";
import {
  type BadgeKeys,
  ExitCode,
  epochKeyFor,
  readIdentities,
  ToolError,
  Vault,
} from "@salestag/protocol/team";
import type { Place } from "./archive";

interface Cached {
  /** Changes with the file. */
  version: string;
  keys: BadgeKeys;
  epochKeys: Map<number, Buffer>;
}

/** Epoch keys of one badge that are kept at hand. */
const EPOCH_KEYS_MAX = 1000;
/** Changes of the vault that come so soon after each other are told once. */
const SETTLE_MS = 200;

export class Keyring {
  private readonly cached = new Map<string, Cached>();
  private watcher: FSWatcher | undefined;
  private cancel: (() => void) | undefined;

  private constructor(
    private readonly folder: string,
    private readonly vault: Vault,
    private readonly identities: string[],
  ) {}

  /**
   * @param folder of the vault
   * @param identityFile whose identities open it; without a passphrase, as nobody is there to type one
   * @throws ToolError
   */
  static async open(folder: string, identityFile: string): Promise<Keyring> {
    const vault = Vault.open(folder);
    const identities = await readIdentities(identityFile, () => {
      throw new ToolError(
        ExitCode.Usage,
        `the identity '${identityFile}' is protected by a passphrase, which a service cannot type; give the memory an identity of its own without one ('salestag keys add-recipient'), mode 0600.`,
      );
    });
    return new Keyring(folder, vault, identities);
  }

  /** For those who delete keys. */
  get holder(): { vault: Vault; identities: string[] } {
    return { vault: this.vault, identities: this.identities };
  }

  /** @returns the key of a conversation. @throws ToolError when the vault has it not, or no longer */
  async epochKey({ badge, epoch }: Place): Promise<Buffer> {
    const { keys, epochKeys } = await this.read(badge);
    const known = epochKeys.get(epoch);
    if (known !== undefined) return known;
    const key = epochKeyFor(keys, epoch);
    if (epochKeys.size >= EPOCH_KEYS_MAX) epochKeys.clear();
    epochKeys.set(epoch, key);
    return key;
  }

  /** @returns what the team calls a badge. @throws ToolError when the vault has it not */
  async labelOf(badge: string): Promise<string> {
    return (await this.read(badge)).keys.label;
  }

  /** Calls `run` soon after the vault changed. What the system does not tell of, the caller finds by trying again now and then. */
  watch(clock: Clock, run: () => void): void {
    this.watcher = watch(join(this.folder, "badges"), () => {
      this.cancel?.();
      this.cancel = clock.after(SETTLE_MS, run);
    });
    this.watcher.on("error", () => this.watcher?.close());
  }

  close(): void {
    this.cancel?.();
    this.watcher?.close();
    this.cached.clear();
  }

  private async read(badge: string): Promise<Cached> {
    const stat = statSync(join(this.folder, "badges", `${badge}.age`), { throwIfNoEntry: false });
    const version = stat === undefined ? "" : `${stat.ino} ${stat.mtimeMs} ${stat.size}`;
    const known = this.cached.get(badge);
    if (known !== undefined && known.version === version) return known;
    this.cached.delete(badge);
    const keys = await this.vault.read(badge, this.identities);
    const fresh = { version, keys, epochKeys: new Map<number, Buffer>() };
    this.cached.set(badge, fresh);
    return fresh;
  }
}
