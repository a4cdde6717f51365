// The log of sealed chunks on NOR flash (docs/flash-layout.md): a ring of sectors, each with a header, filled with records that start at
// pages. A record's header, which makes it valid, is written last, so whatever a power cut leaves is a whole record or none. Nothing is
// written into a page that holds an earlier record's bytes, and after a start writing goes on in a fresh sector.
//
// A place in the log is an address that never repeats: number of the sector in the log's life x 4096 + offset in it.
import type { Crypto } from "@salestag/protocol";
import { FLASH_PAGE_BYTES, FLASH_SECTOR_BYTES, type FlashChip } from "./flash-chip";
import { checksum, numberAt, setNumber } from "./words";

/** What a record says about the chunk that it holds. */
export interface LogRecord {
  /** Address of the record, and the first one behind it. */
  address: number;
  endAddress: number;
  epoch: number;
  index: number;
  /** A ChunkKind. */
  kind: number;
  /** Written while nobody had consented yet. */
  held: boolean;
  /** The chunk was given up: its bytes are gone. */
  voided: boolean;
  durationMs: number;
  payloadBytes: number;
  payloadChecksum: number;
}

/** What is written. */
export interface NewRecord {
  epoch: number;
  index: number;
  kind: number;
  held: boolean;
  durationMs: number;
  /** Body of the chunk frame: what comes before the sealed bytes, and these. */
  parts: Buffer[];
}

export const SECTOR_HEADER_BYTES = 16;
export const RECORD_HEADER_BYTES = 24;
const SECTOR_MAGIC = 0x4c53; // "SL"
const RECORD_MAGIC = 0xa5;
const FLAG_HELD = 1;
const KIND_SHIFT = 4;
const NO_RECORD = 0xffff;
const OFFSET_VOID = 15;
const DURATION_MAX = 0xffff;
/** A read that comes out wrong is done again: noise on the line to the chip is no damage. */
const READ_TRIES = 3;
/** Sectors in a row without a header that are taken for the end of what was ever written. */
const DAMAGED_SECTORS_MAX = 8;
/** Longest payload: a chunk frame's body. */
const PAYLOAD_BYTES_MAX = 8192;

interface SectorHeader {
  /** Offset of the first record that begins here; NO_RECORD when none does. */
  firstRecord: number;
  /** Number of the oldest sector that was needed when this one was opened. */
  tailSector: number;
}

const sectorOf = (address: number): number => Math.floor(address / FLASH_SECTOR_BYTES);

/** The ring. One call at a time. */
export class FlashLog {
  /** Address behind the last record that is stored. */
  endAddress = 0;
  /** Where the oldest record that is still needed begins, or some way before it. */
  tailAddress = 0;

  /** Sectors of the ring. */
  readonly sectors: number;

  /** Where the next record begins. */
  private writeAddress = 0;

  /**
   * @param firstSector where the ring begins on the chip
   * @param sectors its length, at least 4
   */
  constructor(
    private readonly chip: FlashChip,
    private readonly crypto: Crypto,
    private readonly firstSector: number,
    sectors: number,
  ) {
    this.sectors = sectors;
  }

  /** Finds the ends of what is stored. Takes about 40 short reads, however full the chip is. */
  async mount(): Promise<void> {
    const head = await this.findHead();
    if (head < 0) return;
    const header = (await this.sectorHeader(head)) as SectorHeader;
    // A sector behind the head may be under erasure already: nothing of it was needed.
    const tailSector = Math.max(header.tailSector, head + 2 - this.sectors, 0);
    this.tailAddress = tailSector * FLASH_SECTOR_BYTES;
    this.writeAddress = (head + 1) * FLASH_SECTOR_BYTES;
    this.endAddress = this.writeAddress;
  }

  /** Sectors that can be written before the oldest one is reached; one always stays free. */
  freeSectors(): number {
    const used = Math.ceil(this.writeAddress / FLASH_SECTOR_BYTES) - sectorOf(this.tailAddress);
    return this.sectors - 1 - used;
  }

  /** @returns sectors that a record of so many bytes needs beyond those in use, at worst */
  sectorsFor(payloadBytes: number): number {
    const bytes = RECORD_HEADER_BYTES + payloadBytes;
    const free = (FLASH_SECTOR_BYTES - (this.writeAddress % FLASH_SECTOR_BYTES)) % FLASH_SECTOR_BYTES;
    if (bytes <= free) return 0;
    return Math.ceil((bytes - free) / (FLASH_SECTOR_BYTES - SECTOR_HEADER_BYTES));
  }

  /**
   * Stores a record. When this returns it is there for good; when the power fails before, there is nothing of it.
   * @returns where it lies
   * @throws RangeError when there is no room
   * @throws Error when the chip fails
   */
  async append(record: NewRecord): Promise<LogRecord> {
    let payloadBytes = 0;
    for (const part of record.parts) payloadBytes += part.length;
    if (payloadBytes > PAYLOAD_BYTES_MAX)
      throw new RangeError(`a record holds at most ${PAYLOAD_BYTES_MAX} bytes, got ${payloadBytes}`);
    if (this.sectorsFor(payloadBytes) > this.freeSectors())
      throw new RangeError(`the outbox has no room for a record of ${payloadBytes} bytes`);
    const fresh = this.writeAddress % FLASH_SECTOR_BYTES === 0;
    const address = this.writeAddress + (fresh ? SECTOR_HEADER_BYTES : 0);
    const header = this.recordHeader(address, record, payloadBytes);
    const endAddress = this.aligned(this.endOf(address, payloadBytes));
    await this.write(address, endAddress, header, record.parts, fresh);
    this.writeAddress = endAddress;
    this.endAddress = endAddress;
    return this.parseHeader(address, header) as LogRecord;
  }

  /**
   * @param address where a record is, or is looked for
   * @returns the first record at or behind it; undefined when there is none before the end
   */
  async recordAt(address: number): Promise<LogRecord | undefined> {
    let at = address;
    while (at < this.endAddress) {
      const inSector = at % FLASH_SECTOR_BYTES;
      if (inSector < SECTOR_HEADER_BYTES) {
        const header = await this.sectorHeader(sectorOf(at));
        const first = header === undefined ? SECTOR_HEADER_BYTES : header.firstRecord;
        at += (first === NO_RECORD ? FLASH_SECTOR_BYTES : first) - inSector;
        continue;
      }
      const record = await this.headerAt(at);
      if (record !== undefined) return record;
      at += FLASH_PAGE_BYTES - (at % FLASH_PAGE_BYTES);
    }
    return undefined;
  }

  /** @returns a record's payload; undefined when it cannot be read as it was written */
  async payload(record: LogRecord): Promise<Buffer | undefined> {
    for (let tries = 0; tries < READ_TRIES; tries++) {
      const payload = Buffer.alloc(record.payloadBytes);
      await this.read(record.address, RECORD_HEADER_BYTES, payload);
      if (checksum(this.crypto, record.address, [payload]) === record.payloadChecksum) return payload;
    }
    return undefined;
  }

  /** Gives a record up: its bytes are programmed to zero, and it says so. May be done again after an interruption. */
  async shred(record: LogRecord): Promise<void> {
    let at = record.address + RECORD_HEADER_BYTES;
    let left = record.payloadBytes;
    while (left > 0) {
      if (at % FLASH_SECTOR_BYTES === 0) at += SECTOR_HEADER_BYTES;
      const count = Math.min(left, FLASH_PAGE_BYTES - (at % FLASH_PAGE_BYTES));
      await this.chip.program(this.physical(at), Buffer.alloc(count));
      at += count;
      left -= count;
    }
    await this.chip.program(this.physical(record.address) + OFFSET_VOID, Buffer.alloc(1));
  }

  private async findHead(): Promise<number> {
    const last = this.sectors - 1;
    const anchor = await this.firstWritten();
    if (anchor < 0) return -1;
    // Sectors from the anchor up to the head are of one lap, those behind it of the lap before, or blank.
    const base = ((await this.numberIn(anchor)) as number) - anchor;
    let low = anchor;
    let high = last;
    while (low < high) {
      let middle = (low + high + 1) >> 1;
      let found = await this.numberIn(middle);
      const from = middle;
      while (found === undefined && middle < high && middle - from < DAMAGED_SECTORS_MAX)
        found = await this.numberIn(++middle);
      if (found !== undefined && found - middle === base) low = middle;
      else high = from - 1;
    }
    return base + low;
  }

  /** @returns the first sector of the chip's ring that holds a header, -1 when there is none */
  private async firstWritten(): Promise<number> {
    for (let place = 0; place < Math.min(this.sectors, DAMAGED_SECTORS_MAX); place++)
      if ((await this.numberIn(place)) !== undefined) return place;
    return -1;
  }

  /** @returns the log's number of the sector that lies at a place of the ring; undefined when its header is not valid */
  private async numberIn(place: number): Promise<number | undefined> {
    const address = (this.firstSector + place) * FLASH_SECTOR_BYTES;
    for (let tries = 0; tries < READ_TRIES; tries++) {
      const bytes = await this.chip.read(address, SECTOR_HEADER_BYTES);
      const number = numberAt(bytes, 4, 4);
      if (number % this.sectors === place && this.parseSector(number, bytes) !== undefined) return number;
    }
    return undefined;
  }

  private async sectorHeader(sector: number): Promise<SectorHeader | undefined> {
    const address = this.physical(sector * FLASH_SECTOR_BYTES);
    for (let tries = 0; tries < READ_TRIES; tries++) {
      const header = this.parseSector(sector, await this.chip.read(address, SECTOR_HEADER_BYTES));
      if (header !== undefined) return header;
    }
    return undefined;
  }

  private parseSector(sector: number, bytes: Buffer): SectorHeader | undefined {
    if (numberAt(bytes, 0, 2) !== SECTOR_MAGIC || numberAt(bytes, 4, 4) !== sector) return undefined;
    const sum = checksum(this.crypto, sector, [bytes.slice(0, 12)]);
    if (sum !== numberAt(bytes, 12, 4)) return undefined;
    return { firstRecord: numberAt(bytes, 2, 2), tailSector: numberAt(bytes, 8, 4) };
  }

  private async headerAt(address: number): Promise<LogRecord | undefined> {
    for (let tries = 0; tries < READ_TRIES; tries++) {
      const bytes = await this.chip.read(this.physical(address), RECORD_HEADER_BYTES);
      const record = this.parseHeader(address, bytes);
      if (record !== undefined) return record;
      if (bytes[0] === 0xff && bytes[1] === 0xff) return undefined; // blank
    }
    return undefined;
  }

  private parseHeader(address: number, bytes: Buffer): LogRecord | undefined {
    if (bytes[0] !== RECORD_MAGIC) return undefined;
    if (this.headerSum(address, bytes) !== numberAt(bytes, 20, 4)) return undefined;
    const payloadBytes = numberAt(bytes, 2, 2);
    return {
      address,
      endAddress: this.aligned(this.endOf(address, payloadBytes)),
      epoch: numberAt(bytes, 4, 4),
      index: numberAt(bytes, 8, 4),
      kind: bytes[1] >> KIND_SHIFT,
      held: (bytes[1] & FLAG_HELD) !== 0,
      voided: zeroBits(bytes[OFFSET_VOID]) > 4,
      durationMs: numberAt(bytes, 12, 2),
      payloadBytes,
      payloadChecksum: numberAt(bytes, 16, 4),
    };
  }

  private recordHeader(address: number, record: NewRecord, payloadBytes: number): Buffer {
    const bytes = Buffer.alloc(RECORD_HEADER_BYTES);
    bytes[0] = RECORD_MAGIC;
    bytes[1] = (record.kind << KIND_SHIFT) | (record.held ? FLAG_HELD : 0);
    setNumber(bytes, 2, 2, payloadBytes);
    setNumber(bytes, 4, 4, record.epoch);
    setNumber(bytes, 8, 4, record.index);
    setNumber(bytes, 12, 2, Math.min(record.durationMs, DURATION_MAX));
    bytes[OFFSET_VOID] = 0xff;
    setNumber(bytes, 16, 4, checksum(this.crypto, address, record.parts));
    setNumber(bytes, 20, 4, this.headerSum(address, bytes));
    return bytes;
  }

  /** The byte that voids a record is left out: it is programmed later. */
  private headerSum(address: number, bytes: Buffer): number {
    return checksum(this.crypto, address, [bytes.slice(0, OFFSET_VOID), bytes.slice(16, 20)]);
  }

  /** Programs the payload behind the place of the record's header, opening sectors on the way, and then the header, which makes it valid. */
  private async write(
    address: number,
    endAddress: number,
    header: Buffer,
    payload: Buffer[],
    fresh: boolean,
  ): Promise<void> {
    const source = new PartsReader(payload);
    if (fresh) await this.open(sectorOf(address));
    else this.leave(sectorOf(address));
    let at = address + RECORD_HEADER_BYTES;
    while (source.left > 0) {
      const sector = sectorOf(at);
      if (at % FLASH_SECTOR_BYTES === 0) await this.open(sector);
      const first = sectorOf(endAddress) === sector ? endAddress % FLASH_SECTOR_BYTES : NO_RECORD;
      const page = this.page(at, source, first);
      await this.chip.program(this.physical(at), page);
      at += page.length;
    }
    let head = header;
    if (fresh) {
      head = Buffer.alloc(SECTOR_HEADER_BYTES + RECORD_HEADER_BYTES);
      this.setSectorHeader(head, sectorOf(address), SECTOR_HEADER_BYTES);
      head.set(header, SECTOR_HEADER_BYTES);
    }
    await this.chip.program(this.physical(address + RECORD_HEADER_BYTES - head.length), head);
  }

  /** @returns the bytes of a page from `at` on, with the sector's header if it begins here */
  private page(at: number, source: PartsReader, firstRecord: number): Buffer {
    const headBytes = at % FLASH_SECTOR_BYTES === 0 ? SECTOR_HEADER_BYTES : 0;
    const room = FLASH_PAGE_BYTES - (at % FLASH_PAGE_BYTES) - headBytes;
    const page = Buffer.alloc(headBytes + Math.min(source.left, room));
    source.take(page, headBytes);
    if (headBytes > 0) this.setSectorHeader(page, sectorOf(at), firstRecord);
    return page;
  }

  private async open(sector: number): Promise<void> {
    await this.chip.erase(this.firstSector + (sector % this.sectors));
    this.leave(sector);
  }

  /** What fails from now on leaves this sector behind. */
  private leave(sector: number): void {
    this.writeAddress = (sector + 1) * FLASH_SECTOR_BYTES;
  }

  private setSectorHeader(page: Buffer, sector: number, firstRecord: number): void {
    setNumber(page, 0, 2, SECTOR_MAGIC);
    setNumber(page, 2, 2, firstRecord);
    setNumber(page, 4, 4, sector);
    setNumber(page, 8, 4, sectorOf(this.tailAddress));
    setNumber(page, 12, 4, checksum(this.crypto, sector, [page.slice(0, 12)]));
  }

  /** Reads what lies `skipBytes` behind `address` in the record there, over the headers of sectors. */
  private async read(address: number, skipBytes: number, target: Buffer): Promise<void> {
    let at = address + skipBytes; // a record's header never crosses a page
    let filled = 0;
    while (filled < target.length) {
      if (at % FLASH_SECTOR_BYTES === 0) at += SECTOR_HEADER_BYTES;
      const toSectorEnd = FLASH_SECTOR_BYTES - (at % FLASH_SECTOR_BYTES);
      const count = Math.min(target.length - filled, toSectorEnd, FLASH_PAGE_BYTES);
      target.set(await this.chip.read(this.physical(at), count), filled);
      filled += count;
      at += count;
    }
  }

  /** @returns the address behind the last byte of a record */
  private endOf(address: number, payloadBytes: number): number {
    let left = RECORD_HEADER_BYTES + payloadBytes;
    let at = address;
    for (;;) {
      const room = FLASH_SECTOR_BYTES - (at % FLASH_SECTOR_BYTES);
      if (left <= room) return at + left;
      left -= room;
      at += room + SECTOR_HEADER_BYTES;
    }
  }

  /** @returns the next place at which a record may begin */
  private aligned(address: number): number {
    return Math.ceil(address / FLASH_PAGE_BYTES) * FLASH_PAGE_BYTES;
  }

  private physical(address: number): number {
    const sector = this.firstSector + (sectorOf(address) % this.sectors);
    return sector * FLASH_SECTOR_BYTES + (address % FLASH_SECTOR_BYTES);
  }
}

/** Hands out the bytes of several buffers one after the other. */
class PartsReader {
  left = 0;

  private part = 0;
  private from = 0;

  constructor(private readonly parts: Buffer[]) {
    for (const part of parts) this.left += part.length;
  }

  /** Fills `target` from `at` to its end; so many bytes must be left. */
  take(target: Buffer, at: number): void {
    let filled = at;
    while (filled < target.length) {
      const part = this.parts[this.part];
      const count = Math.min(part.length - this.from, target.length - filled);
      target.set(part.slice(this.from, this.from + count), filled);
      filled += count;
      this.from += count;
      this.left -= count;
      if (this.from < part.length) continue;
      this.part++;
      this.from = 0;
    }
  }
}

function zeroBits(byte: number): number {
  let zeros = 0;
  for (let bit = 0; bit < 8; bit++) if (((byte >> bit) & 1) === 0) zeros++;
  return zeros;
}
