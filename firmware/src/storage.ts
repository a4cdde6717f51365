// Opens what lasts: the flash chip, the state in its journal, the log. At the first start after provisioning it takes the key chain out of the settings,
// whose flash keeps old values for long, and sees to it that they are overwritten there.
import { deleteSetting, readSetting, writeSetting } from "@devicescript/settings";
import {
  accountedMs,
  type Crypto,
  equalBytes,
  firstAccountHash,
  inboxKeyOf,
  KEY_BYTES,
} from "@salestag/protocol";
import type { FlashChip } from "./flash/flash-chip";
import { storageOn } from "./flash/layout";
import type { FlashLog } from "./flash/log";
import { type BadgeState, decodeState, emptyEntry, StateStore, UNSENT_ENTRIES_MAX } from "./state";

interface ChainSetting {
  /** Epoch that the key belongs to. */
  n: number;
  /** chain(n), hexadecimal. */
  k: string;
}

const CHAIN_SETTING = "chain";
/** Stands while old values are being overwritten. */
const SCRUB_SETTING = "scrub";
/**
 * The settings lie one behind the other in one of two areas of 16 KB; when it is full, what is newest of each goes to the other one, which is
 * erased before. After two such moves no old value is left. A value of this length takes 232 bytes with its entry: 142 of them fill both.
 */
const SCRUB_VALUE_LENGTH = 200;
const SCRUB_WRITES = 150;

/** What lasts, open for use. */
export interface OpenStorage {
  store: StateStore;
  log: FlashLog;
}

/**
 * @returns state and log, with the number of this boot counted up
 * @throws Error with a sentence when the badge has no key chain or the flash fails
 */
export async function openStorage(chip: FlashChip, crypto: Crypto, badgeId: Buffer): Promise<OpenStorage> {
  const { journal, log } = storageOn(chip, crypto);
  const bytes = await journal.mount();
  await log.mount();
  let state = bytes === undefined ? undefined : decodeState(bytes);
  if (state === undefined || !equalBytes(state.badgeId, badgeId)) {
    state = await provisioned(crypto, badgeId);
    await discard(log);
  }
  const store = new StateStore(journal, state);
  bootAccount(state);
  await store.save();
  await scrubSettings();
  return { store, log };
}

/** Gives up what the chip holds of an earlier identity: its relay would not take it. A record that says nothing carries the log's new start. */
async function discard(log: FlashLog): Promise<void> {
  if (log.endAddress === 0) return;
  log.tailAddress = log.endAddress;
  const marker = { epoch: 0, index: 0, kind: 0, held: false, durationMs: 0, parts: [Buffer.alloc(1)] };
  await log.shred(await log.append(marker));
  log.tailAddress = log.endAddress;
}

/** @returns the state of a badge that starts for the first time since it was provisioned */
async function provisioned(crypto: Crypto, badgeId: Buffer): Promise<BadgeState> {
  const chain = await readSetting<ChainSetting | undefined>(CHAIN_SETTING, undefined);
  if (chain === undefined || chain === null || chain.n !== 0 || chain.k.length !== 2 * KEY_BYTES)
    throw new Error(
      "setting 'chain' is missing or has no first key of 64 hexadecimal digits: provision the badge again",
    );
  const chainKey = Buffer.from(chain.k, "hex");
  return {
    badgeId,
    epoch: 0,
    chainKey,
    inboxKey: inboxKeyOf(crypto, chainKey),
    boot: 0,
    paused: false,
    nudgeId: 0,
    unixMs: 0,
    hash: firstAccountHash(crypto, badgeId),
    unsent: [],
    open: emptyEntry(0, 0, 0),
  };
}

/** Closes the entry of the account that the last boot left open. */
function bootAccount(state: BadgeState): void {
  const { open } = state;
  let seq = open.seq;
  if (accountedMs(open) > 0 && state.unsent.length < UNSENT_ENTRIES_MAX) {
    state.unsent.push(open);
    seq++;
  }
  state.boot++;
  state.open = emptyEntry(seq, state.boot, 0);
}

/** Overwrites what the settings' flash still holds of the key chain's start. Goes on where a power cut interrupted it. */
async function scrubSettings(): Promise<void> {
  const chain = await readSetting<ChainSetting | undefined>(CHAIN_SETTING, undefined);
  const begun = await readSetting<string>(SCRUB_SETTING, "");
  if (!chain && begun === "") return;
  await writeSetting(SCRUB_SETTING, "-");
  await deleteSetting(CHAIN_SETTING);
  let filler = "";
  while (filler.length < SCRUB_VALUE_LENGTH) filler += "-";
  for (let i = 0; i < SCRUB_WRITES; i++) await writeSetting(SCRUB_SETTING, `${filler}${i % 10}`);
  await deleteSetting(SCRUB_SETTING);
}
