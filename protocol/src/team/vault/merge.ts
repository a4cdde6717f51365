// Merges what two vaults know of one badge: a conversation opens afterwards only if both opened it, so that what was shredded in
// either stays shredded.
import { ExitCode, ToolError } from "../errors";
import { type BadgeKeys, EPOCH_STEPS_MAX, inboxKeyFor, walkChain } from "./badge-keys";

/**
 * @param ours the label is kept from here
 * @returns keys of the epochs that both have
 * @throws ToolError when they are not the same badge's, or contradict each other
 */
export function mergeKeys(ours: BadgeKeys, theirs: BadgeKeys): BadgeKeys {
  for (const field of ["badge", "deviceId", "authKey", "createdMs"] as const)
    if (ours[field] !== theirs[field]) throw conflict(ours, field);
  const [behind, ahead] = ours.chain.epoch <= theirs.chain.epoch ? [ours, theirs] : [theirs, ours];
  if (ahead.chain.epoch - behind.chain.epoch > EPOCH_STEPS_MAX) throw conflict(ours, "chain");
  const { epochKeys: passed, chainKey } = walkChain(behind, ahead.chain.epoch);
  if (chainKey !== ahead.chain.key) throw conflict(ours, "chain");
  const epochKeys: Record<string, string> = {};
  for (const [epoch, key] of Object.entries(ahead.epochKeys)) {
    const other = behind.epochKeys[epoch] ?? passed.get(Number(epoch));
    if (other === undefined && Number(epoch) < ahead.chain.epoch) continue;
    if (other !== key) throw conflict(ours, `epoch ${epoch}`);
    epochKeys[epoch] = key;
  }
  // No tool of ours keeps a key of its own for an epoch that the chain yields; where one is, both must have it.
  for (const epoch of Object.keys(behind.epochKeys))
    if (Number(epoch) >= ahead.chain.epoch && epochKeys[epoch] === undefined)
      throw conflict(ours, `epoch ${epoch}`);
  const inboxKey = mergeInboxKeys(ours, theirs);
  return {
    ...theirs,
    ...ours,
    chain: ahead.chain,
    epochKeys,
    ...(inboxKey === undefined ? {} : { inboxKey }),
  };
}

/** A key that follows from chain(0) is kept only where the chain has moved on. */
function mergeInboxKeys(ours: BadgeKeys, theirs: BadgeKeys): string | undefined {
  const [own, other] = [ours, theirs].map((keys) =>
    keys.inboxKey !== undefined || keys.chain.epoch === 0 ? inboxKeyFor(keys).toString("hex") : undefined,
  );
  if (own !== undefined && other !== undefined && own !== other) throw conflict(ours, "inboxKey");
  const kept = ours.inboxKey ?? theirs.inboxKey;
  return kept === undefined && ours.chain.epoch + theirs.chain.epoch > 0 ? (own ?? other) : kept;
}

function conflict({ badge }: BadgeKeys, what: string): ToolError {
  return new ToolError(
    ExitCode.Keys,
    `the two vaults have different keys for badge ${badge} (${what}): one of them is damaged or not the team's; nothing was changed.`,
  );
}
