// A serial NOR flash as the badge sees it. Programming only turns ones into zeros; erasing turns a whole sector back into ones; a
// page that is being programmed, or a sector that is being erased, when the power fails may hold anything between before and after.

/** Bytes of a page: a program never crosses its end. */
export const FLASH_PAGE_BYTES = 256;
/** Bytes of a sector, the least that can be erased. */
export const FLASH_SECTOR_BYTES = 4096;

/** One chip. Its methods are called one at a time. */
export interface FlashChip {
  /** Sectors of the chip, as it says itself. */
  readonly sectors: number;

  /**
   * @param address first byte
   * @param lengthBytes 1 to 4096
   * @throws Error when the chip does not answer
   */
  read(address: number, lengthBytes: number): Promise<Buffer>;

  /**
   * Clears those bits of a page that are 0 in `bytes`. Done when the chip says that they are in the array.
   * @param bytes 1 to 256, within one page
   * @throws Error when the chip does not answer, or says that it failed
   */
  program(address: number, bytes: Buffer): Promise<void>;

  /**
   * Sets all bits of a sector.
   * @throws Error when the chip does not answer, or says that it failed
   */
  erase(sector: number): Promise<void>;
}
