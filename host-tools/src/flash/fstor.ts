// The runtime's store of settings and program ("fstor"), read and written as docs/runtime-flash.md describes it: two banks of
// settings, of which the newer one counts, and pages for the program.
import { SECTOR_BYTES, STORE } from "./layout";

/** The store holds neither what a runtime wrote nor nothing. */
export class StoreError extends Error {
  override name = "StoreError";
}

export interface Store {
  /** Which bank counts: 0 or 1. */
  bank: number;
  /** Rises with every compaction. */
  generation: number;
  /** Newest value of every setting by its key, as the runtime stores it. */
  settings: Map<string, Buffer>;
  program?: StoredProgram;
}

export interface StoredProgram {
  /** Where its pages begin in the store. */
  offset: number;
  /** Bytecode; undefined when the pages do not hold what their header says. */
  bytecode?: Buffer;
}

const PAGES = STORE.lengthBytes / SECTOR_BYTES;
const BANK_PAGES = PAGES / 16;
const DATA_PAGE = 2 * BANK_PAGES;
const MAGIC = Buffer.from("465354520aeaec6b", "hex");
const HEADER_BYTES = 24;
const ENTRY_BYTES = 24;
const KEY_BYTES = 16;
const PROGRAM_KEY = "*prog";
const PROGRAM_MAGIC = [0x8d8abd53, 0xb27c4b2b];
const PROGRAM_HEADER_BYTES = 128;
const NO_ENTRY = 0xffffffff;

/** Bytes of one bank of settings. */
export const BANK_BYTES = BANK_PAGES * SECTOR_BYTES;
/** Longest program: it must fit beside an older one of the same length. */
export const PROGRAM_BYTES_MAX = ((PAGES - DATA_PAGE) / 2) * SECTOR_BYTES - PROGRAM_HEADER_BYTES;

/**
 * @param image the whole store, 256 KB
 * @param cutOff replaceProgram()'s writes were begun and not finished: of two banks, the older one is whole for certain
 * @returns undefined when it is erased flash
 * @throws StoreError when it is neither erased nor a store
 */
export function readStore(image: Buffer, cutOff = false): Store | undefined {
  if (image.length !== STORE.lengthBytes) throw new RangeError(`a store has ${STORE.lengthBytes} bytes`);
  if (image.every((byte) => byte === 0xff)) return undefined;
  const banks = [0, 1].flatMap((bank) => readBank(image, bank) ?? []);
  banks.sort((a, b) => (cutOff ? a.generation - b.generation : b.generation - a.generation));
  if (banks.length === 0) throw new StoreError("it has no bank of settings that is whole");
  return banks[0];
}

function readBank(image: Buffer, bank: number): Store | undefined {
  const start = bank * BANK_BYTES;
  if (!image.subarray(start, start + HEADER_BYTES).equals(header(image.readUInt32LE(start + 8))))
    return undefined;
  const store: Store = { bank, generation: image.readUInt32LE(start + 8), settings: new Map() };
  let at = start + HEADER_BYTES;
  let valuesAt = start + BANK_BYTES;
  for (; at + ENTRY_BYTES <= valuesAt; at += ENTRY_BYTES) {
    const entry = readEntry(image, at);
    if (entry === undefined) break;
    if (entry.key.startsWith("*")) {
      if (!readLarge(image, entry, store)) return undefined;
    } else {
      if (entry.offset < start || entry.offset + entry.lengthBytes > valuesAt) return undefined;
      valuesAt = entry.offset;
      store.settings.set(
        entry.key,
        Buffer.from(image.subarray(entry.offset, entry.offset + entry.lengthBytes)),
      );
    }
  }
  // The runtime takes a bank with anything between entries and values for broken.
  return image.subarray(at, valuesAt).every((byte) => byte === 0xff) ? store : undefined;
}

interface Entry {
  key: string;
  offset: number;
  lengthBytes: number;
}

function readEntry(image: Buffer, at: number): Entry | undefined {
  const offset = image.readUInt32LE(at + KEY_BYTES);
  if (offset === NO_ENTRY) return undefined;
  const key = image.toString("latin1", at, at + KEY_BYTES - 1).split("\0", 1)[0];
  return { key, offset, lengthBytes: image.readUInt32LE(at + KEY_BYTES + 4) };
}

/** @returns false for an entry that no runtime writes */
function readLarge(image: Buffer, { key, offset, lengthBytes }: Entry, store: Store): boolean {
  if (key !== PROGRAM_KEY || offset < DATA_PAGE * SECTOR_BYTES || offset % SECTOR_BYTES !== 0) return false;
  if (lengthBytes < PROGRAM_HEADER_BYTES || offset + lengthBytes > STORE.lengthBytes) return false;
  const bytecode = image.subarray(offset + PROGRAM_HEADER_BYTES, offset + lengthBytes);
  const written = image.subarray(offset, offset + PROGRAM_HEADER_BYTES);
  const whole = written.equals(programHeader(bytecode));
  store.program = { offset, bytecode: whole ? Buffer.from(bytecode) : undefined };
  return true;
}

/** Bytes that go to one place of the store. */
export interface StoreWrite {
  what: string;
  offset: number;
  bytes: Buffer;
}

/** @returns a whole store of 256 KB without settings. @throws RangeError when the program is too long */
export function makeStore(program: Buffer): Buffer {
  const image = Buffer.alloc(STORE.lengthBytes, 0xff);
  const offset = DATA_PAGE * SECTOR_BYTES;
  bankOf(1, 0, new Map(), { offset, programBytes: program.length }).copy(image);
  programPages(program).copy(image, offset);
  return image;
}

/** How to change a store. */
export interface StoreChange {
  /** To be erased while the runtime can still start. */
  prelude: StoreWrite;
  /** To be written when it cannot, in this order, each verified before the next. */
  writes: StoreWrite[];
}

/**
 * Puts another program beside the settings of a store: the program goes into pages that the present one does not use, the settings
 * into the other bank, with a higher generation. The present bank is not touched, so that whatever is cut off, it has everything:
 *
 * - `prelude` erases the head of the other bank. Were the runtime to start now, it would see what it saw before, the present bank.
 * - Then the runtime must be kept from starting: it formats a store in which it finds a bank that is half written.
 * - From here on readStore() is told that the writing was cut off, and takes the older bank: the present one.
 * - After `writes` both banks are whole, and the runtime takes the newer one.
 *
 * @throws StoreError when the settings do not fit @throws RangeError when the program is too long
 */
export function replaceProgram(store: Store, program: Buffer): StoreChange {
  const offset = placeFor(store, program.length);
  const bank = 1 - store.bank;
  const at = bank * BANK_BYTES;
  const bytes = bankOf(store.generation + 1, bank, store.settings, { offset, programBytes: program.length });
  return {
    prelude: { what: "settings", offset: at, bytes: Buffer.alloc(SECTOR_BYTES, 0xff) },
    writes: [
      { what: "program", offset, bytes: programPages(program) },
      { what: "settings", offset: at, bytes },
    ],
  };
}

function pagesOf(programBytes: number): number {
  return Math.ceil((PROGRAM_HEADER_BYTES + programBytes) / SECTOR_BYTES);
}

/** The first place that the present program leaves free; its own when there is none, as after a program of another tool. */
function placeFor({ program }: Store, lengthBytes: number): number {
  const first = DATA_PAGE * SECTOR_BYTES;
  if (program === undefined) return first;
  if (program.offset - first >= pagesOf(lengthBytes) * SECTOR_BYTES) return first;
  const behind = program.offset + pagesOf(program.bytecode?.length ?? 0) * SECTOR_BYTES;
  return behind + pagesOf(lengthBytes) * SECTOR_BYTES <= STORE.lengthBytes ? behind : first;
}

function bankOf(
  generation: number,
  bank: number,
  settings: Map<string, Buffer>,
  program: { offset: number; programBytes: number },
): Buffer {
  const bytes = Buffer.alloc(BANK_BYTES, 0xff);
  header(generation).copy(bytes);
  let at = HEADER_BYTES;
  let valuesAt = BANK_BYTES;
  for (const [key, value] of settings) {
    valuesAt -= Math.max(8, Math.ceil(value.length / 8) * 8);
    if (at + 2 * ENTRY_BYTES > valuesAt)
      throw new StoreError(`its ${settings.size} settings are more than fit beside a program`);
    value.copy(bytes, valuesAt);
    entry(key, bank * BANK_BYTES + valuesAt, value.length).copy(bytes, at);
    at += ENTRY_BYTES;
  }
  entry(PROGRAM_KEY, program.offset, PROGRAM_HEADER_BYTES + program.programBytes).copy(bytes, at);
  return bytes;
}

function header(generation: number): Buffer {
  const bytes = Buffer.alloc(HEADER_BYTES);
  MAGIC.copy(bytes);
  bytes.writeUInt32LE(generation, 8);
  bytes.writeUInt32LE(SECTOR_BYTES, 12);
  bytes.writeUInt16LE(PAGES, 16);
  bytes.writeUInt16LE(BANK_PAGES, 18);
  return bytes;
}

function entry(key: string, offset: number, lengthBytes: number): Buffer {
  const bytes = Buffer.alloc(ENTRY_BYTES);
  bytes.write(key, "latin1");
  bytes.writeUInt32LE(offset, KEY_BYTES);
  bytes.writeUInt32LE(lengthBytes, KEY_BYTES + 4);
  return bytes;
}

function programHeader(bytecode: Buffer): Buffer {
  const bytes = Buffer.alloc(PROGRAM_HEADER_BYTES);
  [PROGRAM_MAGIC[0], bytecode.length, PROGRAM_MAGIC[1], fnv1a(bytecode)].forEach((word, index) => {
    bytes.writeUInt32LE(word, 4 * index);
  });
  return bytes;
}

function programPages(program: Buffer): Buffer {
  if (program.length > PROGRAM_BYTES_MAX)
    throw new RangeError(`the program has ${program.length} bytes, more than ${PROGRAM_BYTES_MAX}`);
  const pages = Buffer.alloc(pagesOf(program.length) * SECTOR_BYTES, 0xff);
  programHeader(program).copy(pages);
  program.copy(pages, PROGRAM_HEADER_BYTES);
  return pages;
}

/** FNV-1a, 32 bits. */
function fnv1a(bytes: Buffer): number {
  let hash = 0x811c9dc5;
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return hash;
}
