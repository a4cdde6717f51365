// Crypto-shredding in the team's vault: a conversation's key is deleted, and every sealed copy of it is dead, wherever it lies.
import { shredEpochs, type Vault } from "@salestag/protocol/team";
import type { Place } from "../ingest/archive";

/** Who can delete keys. */
export interface KeyHolder {
  vault: Vault;
  /** age secret keys */
  identities: string[];
}

/**
 * Deletes the keys of some of one badge's epochs, durably; those that are gone already, or whose badge the vault does not have, are no error.
 * @throws ToolError when the vault is in use or does not open; then nothing was changed
 */
export async function shredKeys({ vault, identities }: KeyHolder, places: Place[]): Promise<void> {
  const badge = places[0]?.badge;
  if (badge === undefined || !vault.badges().includes(badge)) return;
  await vault.change(async (change) => {
    const { keys, shredded } = shredEpochs(
      await vault.read(badge, identities),
      places.map(({ epoch }) => epoch),
    );
    if (shredded.length > 0) await change.replace(keys);
  });
}
