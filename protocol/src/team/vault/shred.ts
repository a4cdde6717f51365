// Shredding: a conversation whose key is deleted cannot be opened by anybody. A chain key yields the keys of all later epochs, so
// the chain moves past what is shredded, and the epochs that it leaves behind get keys of their own (docs/vault.md).
import { ExitCode, ToolError } from "../errors";
import { type BadgeKeys, inboxKeyFor, walkChain } from "./badge-keys";

/** Keys of single epochs that a badge's file holds at most, so that it stays small. */
export const OWN_KEYS_MAX = 100_000;

/** A badge's keys after shredding. */
export interface Shredded {
  keys: BadgeKeys;
  /** Epochs whose keys were deleted, in order. */
  shredded: number[];
  /** Of those that were asked for: epochs that had no key any more. */
  already: number[];
}

/**
 * @param epochs whole numbers
 * @returns keys that open every conversation which the given ones open, but for these
 * @throws ToolError when one lies too far ahead
 */
export function shredEpochs(keys: BadgeKeys, epochs: number[]): Shredded {
  const asked = [...new Set(epochs)].sort((a, b) => a - b);
  const has = (epoch: number) => epoch >= keys.chain.epoch || keys.epochKeys[String(epoch)] !== undefined;
  const shredded = asked.filter(has);
  const already = asked.filter((epoch) => !has(epoch));
  if (shredded.length === 0) return { keys, shredded, already };
  const end = Math.max(keys.chain.epoch, shredded[shredded.length - 1] + 1);
  checkReach(keys, end);
  const { epochKeys: passed, chainKey } = walkChain(keys, end);
  const gone = new Set(shredded);
  const epochKeys: Record<string, string> = {};
  for (const [epoch, key] of passed) if (!gone.has(epoch)) epochKeys[String(epoch)] = key;
  for (const [epoch, key] of Object.entries(keys.epochKeys))
    if (!gone.has(Number(epoch))) epochKeys[epoch] = key;
  return {
    keys: { ...withInboxKey(keys), chain: { epoch: end, key: chainKey }, epochKeys },
    shredded,
    already,
  };
}

function checkReach(keys: BadgeKeys, end: number): void {
  const own = Object.keys(keys.epochKeys).length + end - keys.chain.epoch;
  if (own > OWN_KEYS_MAX)
    throw new ToolError(
      ExitCode.Usage,
      `to shred conversation ${end - 1} of badge ${keys.badge} the vault would keep ${own} single keys, more than ${OWN_KEYS_MAX}; check the number, or give the badge new keys first ('salestag provision --force').`,
    );
}

/** What the team sends to the badge needs chain(0) or this key. */
function withInboxKey(keys: BadgeKeys): BadgeKeys {
  if (keys.inboxKey !== undefined || keys.chain.epoch !== 0) return keys;
  return { ...keys, inboxKey: inboxKeyFor(keys).toString("hex") };
}
