// The badge's small state on NOR flash (docs/flash-layout.md): a page for each version of it, one behind the other through a few sectors, in two
// copies. A version counts when its checksum holds, the highest number is the newest. As soon as a new one is there in both copies, the
// bytes of the old one are programmed to zero: a key that was moved past is nowhere in the flash any more.
import { type Crypto, equalBytes } from "@salestag/protocol";
import { FLASH_PAGE_BYTES, FLASH_SECTOR_BYTES, type FlashChip } from "./flash-chip";
import { allAre, checksum, numberAt, setNumber } from "./words";

/** Bytes of state that a page has room for. */
export const JOURNAL_STATE_BYTES = 240;

const MAGIC = 0x4a53; // "SJ"
const OFFSET_NUMBER = 2;
const OFFSET_SUM = 8;
const OFFSET_STATE = 16;
const PAGES_A_SECTOR = FLASH_SECTOR_BYTES / FLASH_PAGE_BYTES;
/** A read that comes out wrong is done again: noise on the line to the chip is no damage. */
const READ_TRIES = 3;

interface Version {
  number: number;
  state: Buffer;
}

/** One copy: a ring of pages. Sectors but the one in use are blank, as far as no power cut came between. */
class Copy {
  /** Page of the newest version; -1 for none. */
  private page = -1;
  private readonly pages: number;

  constructor(
    private readonly chip: FlashChip,
    private readonly crypto: Crypto,
    private readonly firstSector: number,
    sectors: number,
  ) {
    this.pages = sectors * PAGES_A_SECTOR;
  }

  /** Looks for the newest version, and puts to zero what else a power cut may have left. */
  async mount(): Promise<Version | undefined> {
    let newest: Version | undefined;
    for (let first = 0; first < this.pages; first += PAGES_A_SECTOR) {
      if (allAre(await this.chip.read(this.addressOf(first), OFFSET_STATE), 0xff)) continue;
      for (let page = first; page < first + PAGES_A_SECTOR; page++) {
        const version = await this.version(page);
        if (version === undefined || (newest !== undefined && version.number < newest.number)) continue;
        newest = version;
        this.page = page;
      }
    }
    if (this.page >= 0)
      for (let sector = -1; sector <= 1; sector++)
        await this.clean((this.sectorOf(this.page) + sector * PAGES_A_SECTOR + this.pages) % this.pages);
    return newest;
  }

  /**
   * Writes a version behind the newest one.
   * @returns the page of the one before, -1 for none
   * @throws Error when the chip fails
   */
  async write({ number, state }: Version): Promise<number> {
    const bytes = Buffer.alloc(FLASH_PAGE_BYTES);
    setNumber(bytes, 0, 2, MAGIC);
    setNumber(bytes, OFFSET_NUMBER, 4, number);
    bytes.set(state, OFFSET_STATE);
    const sum = checksum(this.crypto, number, [bytes.slice(OFFSET_STATE, FLASH_PAGE_BYTES)]);
    setNumber(bytes, OFFSET_SUM, 4, sum);
    const before = this.page;
    let page = before;
    for (let tries = 0; tries < this.pages; tries++) {
      page = (page + 1) % this.pages;
      if (page === before) continue;
      await this.chip.program(this.addressOf(page), bytes);
      if (await this.holds(page, bytes)) {
        this.page = page;
        return before;
      }
      // It was not blank: what a power cut left of an erasure, or what the maker left on a new chip.
      if (before >= 0 && this.sectorOf(page) === this.sectorOf(before)) await this.zero(page);
      else {
        await this.erase(page);
        page = (page - 1 + this.pages) % this.pages;
      }
    }
    throw new Error("the flash takes no state any more: it is worn out");
  }

  /** Makes sure that nothing is left of an earlier version. */
  async forget(page: number): Promise<void> {
    if (page < 0) return;
    await this.zero(page);
    if (this.sectorOf(page) !== this.sectorOf(this.page)) await this.erase(page);
  }

  private async version(page: number): Promise<Version | undefined> {
    for (let tries = 0; tries < READ_TRIES; tries++) {
      const bytes = await this.chip.read(this.addressOf(page), FLASH_PAGE_BYTES);
      const number = numberAt(bytes, OFFSET_NUMBER, 4);
      const state = bytes.slice(OFFSET_STATE, FLASH_PAGE_BYTES);
      if (
        numberAt(bytes, 0, 2) === MAGIC &&
        checksum(this.crypto, number, [state]) === numberAt(bytes, OFFSET_SUM, 4)
      )
        return { number, state };
      if (allAre(bytes, 0) || allAre(bytes, 0xff)) return undefined;
    }
    return undefined;
  }

  /** Zeroes what is left in a sector besides the newest version, or erases the sector when that is elsewhere. */
  private async clean(first: number): Promise<void> {
    const inUse = first === this.sectorOf(this.page);
    let dirty = false;
    for (let page = first; page < first + PAGES_A_SECTOR; page++) {
      if (page === this.page) continue;
      const bytes = await this.chip.read(this.addressOf(page), FLASH_PAGE_BYTES);
      if (allAre(bytes, 0xff)) continue;
      dirty = true;
      if (!allAre(bytes, 0)) await this.zero(page);
    }
    if (dirty && !inUse) await this.erase(first);
  }

  private async holds(page: number, bytes: Buffer): Promise<boolean> {
    for (let tries = 0; tries < READ_TRIES; tries++)
      if (equalBytes(await this.chip.read(this.addressOf(page), FLASH_PAGE_BYTES), bytes)) return true;
    return false;
  }

  private async zero(page: number): Promise<void> {
    await this.chip.program(this.addressOf(page), Buffer.alloc(FLASH_PAGE_BYTES));
  }

  private async erase(page: number): Promise<void> {
    await this.chip.erase(this.firstSector + this.sectorOf(page) / PAGES_A_SECTOR);
  }

  private sectorOf(page: number): number {
    return page - (page % PAGES_A_SECTOR);
  }

  private addressOf(page: number): number {
    return this.firstSector * FLASH_SECTOR_BYTES + page * FLASH_PAGE_BYTES;
  }
}

/** Both copies. One call at a time. */
export class Journal {
  private readonly copies: Copy[] = [];
  private number = 0;

  /** @param sectors of both copies together, an even number, at least 4 */
  constructor(chip: FlashChip, crypto: Crypto, firstSector: number, sectors: number) {
    const each = sectors >> 1;
    this.copies.push(new Copy(chip, crypto, firstSector, each));
    this.copies.push(new Copy(chip, crypto, firstSector + each, each));
  }

  /** @returns the newest state, JOURNAL_STATE_BYTES long; undefined when none was ever written */
  async mount(): Promise<Buffer | undefined> {
    let newest: Buffer | undefined;
    for (const copy of this.copies) {
      const version = await copy.mount();
      if (version === undefined || version.number <= this.number) continue;
      newest = version.state;
      this.number = version.number;
    }
    return newest;
  }

  /**
   * Replaces the state. When this returns the new one is in both copies and nothing of the old one is left; when the power fails before,
   * either is found.
   * @param state at most JOURNAL_STATE_BYTES
   * @throws Error when the chip fails
   */
  async write(state: Buffer): Promise<void> {
    this.number++;
    const number = this.number;
    const before: number[] = [];
    for (const copy of this.copies) before.push(await copy.write({ number, state }));
    for (let i = 0; i < before.length; i++) await this.copies[i].forget(before[i]);
  }
}
