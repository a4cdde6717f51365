// A NOR flash for tests and the rig: keeps the silicon's rules, counts wear, and fails on demand, at an instant that the caller names and in a
// way that its random source decides. Sectors that were never written take no memory.
import { FLASH_PAGE_BYTES, FLASH_SECTOR_BYTES, type FlashChip } from "../src/flash/flash-chip";

/** The power went while the chip was at work: nothing of the program that asked runs on. */
export class PowerCut extends Error {
  constructor() {
    super("the power was cut");
  }
}

export interface NorFlashOptions {
  sectors: number;
  /** @returns 0 to 2^32 - 1, uniform */
  random: () => number;
}

export class NorFlash {
  readonly sectors: number;
  /** Operations since the start, torn ones too. */
  reads = 0;
  programs = 0;
  erases = 0;
  /** How often each sector was erased. */
  readonly wear: Uint32Array;
  /** Called after a sector has changed, with what it holds now; undefined: it is blank. */
  onChange: (sector: number, content: Buffer | undefined) => void = () => {};
  /** Called at the instant of a power cut, when the array is as torn as it will stay. */
  onPowerCut: () => void = () => {};

  private readonly content = new Map<number, Buffer>();
  private readonly random: () => number;
  private changesLeft = Number.POSITIVE_INFINITY;
  private powerIsCut = false;
  private readErrorOneIn = 0;

  constructor({ sectors, random }: NorFlashOptions) {
    this.sectors = sectors;
    this.random = random;
    this.wear = new Uint32Array(sectors);
  }

  /** @throws RangeError beyond the end; PowerCut after one */
  read(address: number, lengthBytes: number): Buffer {
    this.check(address, lengthBytes);
    this.reads++;
    const bytes = Buffer.alloc(lengthBytes);
    for (let at = 0; at < lengthBytes; ) {
      const inSector = (address + at) % FLASH_SECTOR_BYTES;
      const count = Math.min(lengthBytes - at, FLASH_SECTOR_BYTES - inSector);
      const sector = this.content.get(Math.floor((address + at) / FLASH_SECTOR_BYTES));
      if (sector === undefined) bytes.fill(0xff, at, at + count);
      else sector.copy(bytes, at, inSector, inSector + count);
      at += count;
    }
    if (this.readErrorOneIn > 0 && this.random() % this.readErrorOneIn === 0)
      bytes[this.random() % lengthBytes] ^= 1 << (this.random() % 8);
    return bytes;
  }

  /** @throws RangeError beyond the end or across a page's end; PowerCut when the power goes now, or went */
  program(address: number, bytes: Uint8Array): void {
    this.check(address, bytes.length);
    if (bytes.length > FLASH_PAGE_BYTES - (address % FLASH_PAGE_BYTES))
      throw new RangeError(`program of ${bytes.length} bytes at ${address} crosses the end of a page`);
    this.programs++;
    const sector = this.sector(Math.floor(address / FLASH_SECTOR_BYTES));
    const at = address % FLASH_SECTOR_BYTES;
    if (this.isLast()) {
      this.tearProgram(sector, at, bytes);
      this.cut();
    }
    for (let i = 0; i < bytes.length; i++) sector[at + i] &= bytes[i];
    this.onChange(Math.floor(address / FLASH_SECTOR_BYTES), sector);
  }

  /** @throws RangeError beyond the end; PowerCut when the power goes now, or went */
  erase(number: number): void {
    this.check(number * FLASH_SECTOR_BYTES, FLASH_SECTOR_BYTES);
    this.erases++;
    this.wear[number]++;
    if (this.isLast()) {
      this.tearErase(this.sector(number));
      this.cut();
    }
    this.content.delete(number);
    this.onChange(number, undefined);
  }

  /** Puts content into a sector, whatever was there. */
  load(number: number, content: Uint8Array): void {
    this.sector(number).set(content);
  }

  /** The power goes during the change (program or erase) after so many more. */
  cutPowerAfter(changes: number): void {
    this.changesLeft = changes;
  }

  /** The chip has power again. */
  powerOn(): void {
    this.powerIsCut = false;
    this.changesLeft = Number.POSITIVE_INFINITY;
  }

  /** From now on one read in so many has a bit wrong; 0: none. The array is all right. */
  disturbReads(oneIn: number): void {
    this.readErrorOneIn = oneIn;
  }

  /** Flips bits in the array for good. */
  corrupt(address: number, mask: number): void {
    const sector = this.sector(Math.floor(address / FLASH_SECTOR_BYTES));
    sector[address % FLASH_SECTOR_BYTES] ^= mask;
  }

  /** @returns true when the array holds these bytes anywhere */
  contains(bytes: Buffer): boolean {
    for (const [number, sector] of this.content) {
      const next = this.content.get(number + 1) ?? Buffer.alloc(0);
      if (Buffer.concat([sector, next.subarray(0, bytes.length)]).includes(bytes)) return true;
    }
    return false;
  }

  /** @returns sectors that are not blank, by number */
  written(): ReadonlyMap<number, Buffer> {
    return this.content;
  }

  private sector(number: number): Buffer {
    let sector = this.content.get(number);
    if (sector === undefined) {
      sector = Buffer.alloc(FLASH_SECTOR_BYTES, 0xff);
      this.content.set(number, sector);
    }
    return sector;
  }

  private check(address: number, lengthBytes: number): void {
    if (this.powerIsCut) throw new PowerCut();
    if (address < 0 || lengthBytes < 1 || address + lengthBytes > this.sectors * FLASH_SECTOR_BYTES)
      throw new RangeError(`${lengthBytes} bytes at ${address} are not on a chip of ${this.sectors} sectors`);
  }

  private isLast(): boolean {
    this.changesLeft--;
    return this.changesLeft < 0;
  }

  private cut(): never {
    this.powerIsCut = true;
    this.onPowerCut();
    throw new PowerCut();
  }

  /** Bits clear in no order: either from the first byte on, or anywhere. */
  private tearProgram(sector: Buffer, at: number, bytes: Uint8Array): void {
    const whole = this.random() % (bytes.length + 1);
    const scattered = this.random() % 2 === 0;
    for (let i = 0; i < bytes.length; i++)
      if (i < whole) sector[at + i] &= bytes[i];
      else if (i === whole || scattered) sector[at + i] &= bytes[i] | (this.random() & 255);
  }

  /** Before, after, or any bits between. */
  private tearErase(sector: Buffer): void {
    const how = this.random() % 3;
    if (how === 0) return;
    for (let i = 0; i < sector.length; i++) sector[i] = how === 1 ? 0xff : sector[i] | (this.random() & 255);
  }
}

/** @returns the chip as the badge's code sees it */
export function chipOf(nor: NorFlash): FlashChip {
  return {
    sectors: nor.sectors,
    read: async (address, lengthBytes) => nor.read(address, lengthBytes),
    program: async (address, bytes) => nor.program(address, bytes),
    erase: async (sector) => nor.erase(sector),
  };
}
