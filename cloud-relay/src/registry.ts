// The badges that this relay knows, from the registry file that provisioning writes. The file is looked at again when it
// changes; a change that cannot be used is reported and the last good content stays in force.
import { statSync } from "node:fs";
import {
  addBadge,
  type Registry as RegistryContent,
  readRegistry,
  removeBadge,
  rotateBadge,
} from "@salestag/protocol/host";
import type { Clock, Log } from "@salestag/protocol/service";
import { ExitCode, messageOf, RelayError, systemCodeOf } from "./errors";

/** The file is looked at so often, besides whenever a key is needed: who was removed loses the connection within this time. */
const LOOK_MS = 500;

export class Registry {
  private seen: string;
  private stopLooking: () => void = () => {};
  private changed: () => void = () => {};

  private constructor(
    private readonly path: string,
    private readonly log: Log,
    private content: RegistryContent,
  ) {
    this.seen = this.stamp();
  }

  /**
   * A file that is not there yet lets no badge in until provisioning makes it.
   * @throws RelayError when the file cannot be used
   */
  static open(path: string, log: Log): Registry {
    try {
      return new Registry(path, log, readRegistry(path));
    } catch (cause) {
      if (systemCodeOf(cause) === "ENOENT") {
        log.warn("registry missing, no badge is let in until provisioning makes it", { path });
        return new Registry(path, log, new Map());
      }
      throw new RelayError(ExitCode.Usage, messageOf(cause));
    }
  }

  /** @returns the badge's authentication key, 32 bytes, or undefined for a badge that is not registered */
  authKeyOf(badge: string): Buffer | undefined {
    this.reloadIfChanged();
    const entry = this.content.get(badge);
    return entry?.authKey;
  }

  /** All badges, by id. */
  get badges(): ReadonlyMap<string, { readonly label: string; readonly addedMs: number }> {
    this.reloadIfChanged();
    return this.content;
  }

  /** Adds a badge to the file. @throws RegistryFileError when it is there already, or a value is wrong */
  add(badge: string, authKey: Buffer, label: string, addedMs: number): void {
    addBadge(this.path, { badge, authKey, label, addedMs });
    this.reloadIfChanged();
  }

  /** Gives a badge another key. @returns false when there is no such badge @throws RegistryFileError */
  rotate(badge: string, authKey: Buffer): boolean {
    const done = rotateBadge(this.path, badge, authKey);
    this.reloadIfChanged();
    return done;
  }

  /** Takes a badge out. @returns false when there is no such badge @throws RegistryFileError */
  remove(badge: string): boolean {
    const done = removeBadge(this.path, badge);
    this.reloadIfChanged();
    return done;
  }

  /** Looks at the file now and then until `close`; `changed` is called when it was read again. */
  watch(clock: Clock, changed: () => void): void {
    this.changed = changed;
    const look = () => {
      this.reloadIfChanged();
      this.stopLooking = clock.after(LOOK_MS, look);
    };
    look();
  }

  close(): void {
    this.stopLooking();
  }

  private reloadIfChanged(): void {
    const stamp = this.stamp();
    if (stamp === this.seen) return;
    this.seen = stamp;
    try {
      this.content = readRegistry(this.path);
      this.log.info("registry read again", { badges: this.content.size });
      this.changed();
    } catch (cause) {
      this.log.error("registry cannot be used, the last good one stays in force", { why: messageOf(cause) });
    }
  }

  private stamp(): string {
    const stat = statSync(this.path, { throwIfNoEntry: false, bigint: true });
    return stat === undefined
      ? "missing"
      : `${stat.ino} ${stat.size} ${stat.mtimeNs} ${stat.ctimeNs} ${stat.mode}`;
  }
}
