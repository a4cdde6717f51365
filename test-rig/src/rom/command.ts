// Commands of the ESP32-S3's bootloader: numbers, and what the ROM and Espressif's stub answer when one cannot be done.
// https://docs.espressif.com/projects/esptool/en/latest/esp32s3/advanced-topics/serial-protocol.html

export enum Op {
  FlashBegin = 0x02,
  FlashData = 0x03,
  FlashEnd = 0x04,
  MemBegin = 0x05,
  MemEnd = 0x06,
  MemData = 0x07,
  Sync = 0x08,
  WriteReg = 0x09,
  ReadReg = 0x0a,
  SpiSetParams = 0x0b,
  SpiAttach = 0x0d,
  ReadFlashSlow = 0x0e,
  ChangeBaud = 0x0f,
  DeflateBegin = 0x10,
  DeflateData = 0x11,
  DeflateEnd = 0x12,
  FlashMd5 = 0x13,
  SecurityInfo = 0x14,
  EraseFlash = 0xd0,
  EraseRegion = 0xd1,
  ReadFlash = 0xd2,
  RunUserCode = 0xd3,
}

/** Only the stub has these. */
export const STUB_ONLY = new Set([Op.EraseFlash, Op.EraseRegion, Op.ReadFlash, Op.RunUserCode]);
/** Only the ROM has this one. */
export const ROM_ONLY = new Set([Op.ReadFlashSlow]);

/** Why a command is refused, as error numbers of ROM and stub. */
export const FAULTS = {
  invalid: { rom: 0x05, stub: 0xc3 },
  length: { rom: 0x05, stub: 0xc0 },
  checksum: { rom: 0x07, stub: 0xc1 },
  failed: { rom: 0x06, stub: 0xc2 },
  notBegun: { rom: 0x06, stub: 0xc6 },
  tooLittle: { rom: 0x06, stub: 0xc8 },
  tooMuch: { rom: 0x06, stub: 0xc9 },
  inflate: { rom: 0x0b, stub: 0xc7 },
} as const;

/** Thrown inside the emulator; the host gets its error number, the test its words. */
export class CommandFault extends Error {
  constructor(
    readonly fault: keyof typeof FAULTS,
    message: string,
  ) {
    super(message);
  }
}

/** @throws CommandFault unless the data are so many bytes */
export function expectLength(data: Buffer, lengthBytes: number): void {
  if (data.length !== lengthBytes)
    throw new CommandFault("length", `${data.length} bytes of data, not ${lengthBytes}`);
}

/** @returns little-endian words. @throws CommandFault unless the data are exactly so many */
export function wordsOf(data: Buffer, count: number): number[] {
  expectLength(data, 4 * count);
  return Array.from({ length: count }, (_, index) => data.readUInt32LE(4 * index));
}

export interface Block {
  sequence: number;
  bytes: Buffer;
}

const BLOCK_HEADER_BYTES = 16;
const CHECKSUM_START = 0xef;

/** Reads the data of FlashData, MemData or DeflateData. @throws CommandFault when lengths or checksum are wrong */
export function blockOf(data: Buffer, checksum: number): Block {
  if (data.length < BLOCK_HEADER_BYTES)
    throw new CommandFault("length", `a block of ${data.length} bytes has no header`);
  const [lengthBytes, sequence, zero, zeroToo] = wordsOf(data.subarray(0, BLOCK_HEADER_BYTES), 4);
  const bytes = data.subarray(BLOCK_HEADER_BYTES);
  expectLength(bytes, lengthBytes);
  if (zero !== 0 || zeroToo !== 0)
    throw new CommandFault("invalid", "a block's header does not end in zeros");
  const sum = bytes.reduce((all, byte) => all ^ byte, CHECKSUM_START);
  if (sum !== checksum) throw new CommandFault("checksum", `checksum ${checksum}, the block has ${sum}`);
  return { sequence, bytes };
}
