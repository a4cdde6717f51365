// How a chip is divided (docs/flash-layout.md): the journal at its start, the log behind it.
import type { Crypto } from "@salestag/protocol";
import type { FlashChip } from "./flash-chip";
import { Journal } from "./journal";
import { FlashLog } from "./log";

/** One sector of so many is the journal's: its pages come round less often than the log's, so that no sector wears out before the others. */
const JOURNAL_SHARE = 128;
const JOURNAL_SECTORS_MIN = 4;
const LOG_SECTORS_MIN = 16;

/** What lies on a chip. */
export interface Storage {
  journal: Journal;
  log: FlashLog;
}

/** @throws Error when the chip is too small */
export function storageOn(chip: FlashChip, crypto: Crypto): Storage {
  const journalSectors = Math.max(JOURNAL_SECTORS_MIN, 2 * Math.floor(chip.sectors / (2 * JOURNAL_SHARE)));
  const logSectors = chip.sectors - journalSectors;
  if (logSectors < LOG_SECTORS_MIN)
    throw new Error(
      `the flash chip has ${chip.sectors} sectors, at least ${LOG_SECTORS_MIN + JOURNAL_SECTORS_MIN} are needed`,
    );
  return {
    journal: new Journal(chip, crypto, 0, journalSectors),
    log: new FlashLog(chip, crypto, journalSectors, logSectors),
  };
}
