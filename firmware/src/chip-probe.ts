// Whether a flash chip keeps what is written into it, tried where nothing is: in four sectors far apart, which are blank before and blank
// afterwards. All four are written before the first is read, so that a chip that is smaller than it says gives itself away.
import { FLASH_PAGE_BYTES, FLASH_SECTOR_BYTES, type FlashChip } from "./flash/flash-chip";

/** What was found. Bytes are counted over all places. */
export interface ChipProbe {
  /** Sectors that the chip says it has; 0: no chip answers. */
  sectors: number;
  /** Sectors that were tried. */
  places: number;
  /** Commands that the chip refused or left unanswered. */
  refused: number;
  /** Bytes that were not blank after an erasure. */
  unerased: number;
  /** Bytes that were still blank after they were written. */
  unwritten: number;
  /** Bytes that read as something else than was written. */
  wrong: number;
}

const PLACES = 4;
/** So many sectors in a row are looked at for a blank one. */
const CANDIDATES = 4;
/** A smaller chip is none of a badge's, and its sectors in question could be the journal's. */
const SECTORS_MIN = 64;
/** A record begins with 16 bytes and more: a sector with so few that are not blank is one that reads badly. */
const STRAY_BYTES_MAX = 8;

/**
 * Tries a chip.
 * @param mayErase where no blank sector is found, erase one
 * @param rest lets others run; called once for each sector
 */
export async function probeChip(
  chip: FlashChip,
  mayErase: boolean,
  rest: () => Promise<void>,
): Promise<ChipProbe> {
  const probe: ChipProbe = {
    sectors: chip.sectors,
    places: 0,
    refused: 0,
    unerased: 0,
    unwritten: 0,
    wrong: 0,
  };
  if (chip.sectors < SECTORS_MIN) return probe;
  const places: number[] = [];
  try {
    for (let quarter = 1; quarter <= PLACES; quarter++) {
      const sector = await blankSector(
        chip,
        Math.floor((chip.sectors * quarter) / PLACES) - 1,
        mayErase,
        rest,
      );
      if (sector >= 0) places.push(sector);
    }
    probe.places = places.length;
    for (const sector of places) await fill(chip, sector);
    for (const sector of places) await compare(chip, sector, probe, rest);
    for (const sector of places) {
      await chip.erase(sector);
      probe.unerased += await notBlank(chip, sector);
      await rest();
    }
  } catch (error) {
    console.warn((error as Error).message);
    probe.refused++;
  }
  return probe;
}

/** @returns the first blank sector at or before `last`; that one, erased, where none is and it may be; else -1 */
async function blankSector(
  chip: FlashChip,
  last: number,
  mayErase: boolean,
  rest: () => Promise<void>,
): Promise<number> {
  for (let sector = last; sector > last - CANDIDATES; sector--) {
    await rest();
    if ((await notBlank(chip, sector)) <= STRAY_BYTES_MAX) return sector;
  }
  if (!mayErase) return -1;
  await chip.erase(last);
  return last;
}

async function notBlank(chip: FlashChip, sector: number): Promise<number> {
  let count = 0;
  for (let at = 0; at < FLASH_SECTOR_BYTES; at += FLASH_PAGE_BYTES) {
    const page = await chip.read(sector * FLASH_SECTOR_BYTES + at, FLASH_PAGE_BYTES);
    for (let i = 0; i < page.length; i++) if (page[i] !== 0xff) count++;
  }
  return count;
}

async function fill(chip: FlashChip, sector: number): Promise<void> {
  for (let at = 0; at < FLASH_SECTOR_BYTES; at += FLASH_PAGE_BYTES) {
    const address = sector * FLASH_SECTOR_BYTES + at;
    await chip.program(address, patternAt(address));
  }
}

async function compare(
  chip: FlashChip,
  sector: number,
  probe: ChipProbe,
  rest: () => Promise<void>,
): Promise<void> {
  for (let at = 0; at < FLASH_SECTOR_BYTES; at += FLASH_PAGE_BYTES) {
    const address = sector * FLASH_SECTOR_BYTES + at;
    const page = await chip.read(address, FLASH_PAGE_BYTES);
    const pattern = patternAt(address);
    for (let i = 0; i < page.length; i++) {
      if (page[i] === pattern[i]) continue;
      if (page[i] === 0xff) probe.unwritten++;
      else probe.wrong++;
    }
  }
  await rest();
}

/** @returns what a page is to hold: every bit is 0 and 1 somewhere, no byte is blank, and no two of a chip's pages in question are the same */
function patternAt(address: number): Buffer {
  const page = Buffer.alloc(FLASH_PAGE_BYTES);
  const number = Math.floor(address / FLASH_PAGE_BYTES);
  let state = (number * 37 + Math.floor(number / 256) * 101 + 11) & 0xffff;
  for (let i = 0; i < page.length; i++) {
    state = (state * 5 + 4321) & 0xffff;
    const byte = state >> 8;
    page[i] = byte === 0xff ? 0x5a : byte;
  }
  return page;
}
