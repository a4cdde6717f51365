// Where a new badge is made known to the relay: the relay's registry file on this machine, or the relay's door for its operator.
import { addBadge, removeBadge } from "@salestag/protocol/host";

/** A relay's list of badges. */
export interface Registration {
  /** Rejects when the relay does not take it. @param authKey 32 bytes */
  add(badge: string, authKey: Buffer, label: string): Promise<void>;
  /** Takes a badge out again. Rejects when that fails. */
  remove(badge: string): Promise<void>;
}

/** @param path the relay's registry file, made where it is missing */
export function registryFile(path: string, nowMs: () => number): Registration {
  return {
    add: async (badge, authKey, label) => addBadge(path, { badge, authKey, label, addedMs: nowMs() }),
    remove: async (badge) => {
      removeBadge(path, badge);
    },
  };
}

/** As much of the relay's door as is needed here. */
interface Door {
  addBadge(badge: string, authKey: Buffer, label: string): Promise<void>;
  removeBadge(badge: string): Promise<void>;
}

/** The relay's door, also from afar. */
export function doorRegistration(door: Door): Registration {
  return {
    add: (badge, authKey, label) => door.addBadge(badge, authKey, label),
    remove: (badge) => door.removeBadge(badge),
  };
}
