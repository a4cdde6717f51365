// What the team knows of one badge: the content of its file in the vault (docs/vault.md), and the keys that follow from it.
import { BADGE_ID_BYTES, epochKeyOf, inboxKeyOf, KEY_BYTES, nextChainKey, nodeCrypto } from "../../host";
import { ExitCode, ToolError } from "../errors";

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
  /** Key of what the team sends to the badge; here once `chain` is past epoch 0, from which it follows otherwise. */
  inboxKey?: string;
}

/** Epochs that are derived one after the other at most: years of conversations. */
export const EPOCH_STEPS_MAX = 1_000_000;

const BADGE_ID = new RegExp(`^[0-9a-f]{${2 * BADGE_ID_BYTES}}$`);
const KEY = new RegExp(`^[0-9a-f]{${2 * KEY_BYTES}}$`);
const EPOCH = /^(0|[1-9]\d{0,14})$/;

/** @returns true for 16 lower-case hexadecimal digits */
export function isBadgeId(text: unknown): text is string {
  return typeof text === "string" && BADGE_ID.test(text);
}

/** @returns true when a value that was read has everything that is needed, in the right form */
export function isBadgeKeys(value: unknown): value is BadgeKeys {
  const keys = value as BadgeKeys | null;
  return (
    keys?.version === 1 &&
    isBadgeId(keys.badge) &&
    isBadgeId(keys.deviceId) &&
    typeof keys.label === "string" &&
    isWhole(keys.createdMs) &&
    isKey(keys.authKey) &&
    isKey(keys.chain?.key) &&
    isWhole(keys.chain.epoch) &&
    typeof keys.epochKeys === "object" &&
    keys.epochKeys !== null &&
    Object.entries(keys.epochKeys).every(([epoch, key]) => EPOCH.test(epoch) && isKey(key)) &&
    (keys.inboxKey === undefined || isKey(keys.inboxKey))
  );
}

function isKey(value: unknown): boolean {
  return typeof value === "string" && KEY.test(value);
}

function isWhole(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
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
 * @throws ToolError when the vault has neither it nor the chain's first key
 */
export function inboxKeyFor(keys: BadgeKeys): Buffer {
  if (keys.inboxKey !== undefined) return Buffer.from(keys.inboxKey, "hex");
  if (keys.chain.epoch !== 0)
    throw new ToolError(
      ExitCode.Keys,
      `the vault has the keys of badge ${keys.badge} from conversation ${keys.chain.epoch} on; nudges need the first one: provision the badge again.`,
    );
  return inboxKeyOf(nodeCrypto(), Buffer.from(keys.chain.key, "hex"));
}

/** Epochs that a chain passes on its way, each with its key, and the chain behind them. */
export interface Walk {
  /** Epoch keys, 64 hexadecimal digits each, from the chain's epoch on. */
  epochKeys: Map<number, string>;
  /** Chain key of the epoch that was asked for, 64 hexadecimal digits. */
  chainKey: string;
}

/**
 * Derives the chain on to an epoch, with the keys of all epochs before that one.
 * @param epoch not before the chain's own and at most `EPOCH_STEPS_MAX` ahead of it
 */
export function walkChain({ chain }: BadgeKeys, epoch: number): Walk {
  if (epoch < chain.epoch || epoch - chain.epoch > EPOCH_STEPS_MAX)
    throw new RangeError(`epoch ${epoch} is out of reach of ${chain.epoch}`);
  const crypto = nodeCrypto();
  const epochKeys = new Map<number, string>();
  let chainKey: Buffer = Buffer.from(chain.key, "hex");
  for (let at = chain.epoch; at < epoch; at++) {
    epochKeys.set(at, epochKeyOf(crypto, chainKey).toString("hex"));
    chainKey = nextChainKey(crypto, chainKey);
  }
  return { epochKeys, chainKey: chainKey.toString("hex") };
}

/** @returns the epochs that have a key of their own, in order */
export function ownEpochs(keys: BadgeKeys): number[] {
  return Object.keys(keys.epochKeys)
    .map(Number)
    .sort((a, b) => a - b);
}

/** First and last epoch of a run. */
export type EpochRange = [first: number, last: number];

/** @returns the epochs that were shredded, as runs in order */
export function shreddedRanges(keys: BadgeKeys): EpochRange[] {
  const ranges: EpochRange[] = [];
  let next = 0;
  for (const epoch of [...ownEpochs(keys).filter((own) => own < keys.chain.epoch), keys.chain.epoch]) {
    if (epoch > next) ranges.push([next, epoch - 1]);
    next = epoch + 1;
  }
  return ranges;
}
