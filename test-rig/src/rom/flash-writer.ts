// Writing to flash as the bootloader does it: begun with a length, then blocks in their order, plain or deflated. Sectors are erased
// on the way, just before they are written (the stub's way; the ROM erases all of them first).
import { constants, inflateSync } from "node:zlib";
import type { NorFlash } from "@salestag/firmware/nor-flash";
import { type Block, CommandFault } from "./command";

const SECTOR_BYTES = 4096;
const PAGE_BYTES = 256;

export interface WriteStart {
  address: number;
  /** Of what ends up in flash. */
  lengthBytes: number;
  blocks: number;
  blockBytes: number;
  deflated: boolean;
  /** The ROM's way. */
  eraseFirst: boolean;
}

export class FlashWriter {
  private written = 0;
  private sequence = 0;
  private stream = Buffer.alloc(0);
  private erasedTo: number;

  /** @throws CommandFault when it does not fit into the flash, or begins within a sector */
  constructor(
    private readonly flash: NorFlash,
    readonly start: WriteStart,
  ) {
    const { address, lengthBytes, eraseFirst } = start;
    if (address % SECTOR_BYTES !== 0)
      throw new CommandFault("failed", `writing at ${address}, not at a sector`);
    if (address + lengthBytes > flash.sectors * SECTOR_BYTES)
      throw new CommandFault("failed", `writing ${lengthBytes} bytes at ${address}, beyond the end`);
    this.erasedTo = address;
    if (eraseFirst) this.eraseTo(address + lengthBytes);
  }

  /** @throws CommandFault when the block is not the next one, or does not fit */
  take({ sequence, bytes }: Block): void {
    const { blocks, blockBytes, deflated } = this.start;
    if (sequence !== this.sequence || sequence >= blocks)
      throw new CommandFault("failed", `block ${sequence} of ${blocks}, block ${this.sequence} is next`);
    if (bytes.length > blockBytes)
      throw new CommandFault("length", `a block of ${bytes.length} bytes, not ${blockBytes}`);
    const plain = deflated ? this.inflate(bytes) : this.withoutPadding(bytes);
    if (this.written + plain.length > this.start.lengthBytes)
      throw new CommandFault(
        "tooMuch",
        `${this.written + plain.length} bytes, ${this.start.lengthBytes} were announced`,
      );
    this.program(plain);
    this.sequence++;
  }

  /** @throws CommandFault when something of what was announced is missing */
  end(): void {
    const { lengthBytes } = this.start;
    if (this.written < lengthBytes)
      throw new CommandFault("tooLittle", `${this.written} bytes came, ${lengthBytes} were announced`);
  }

  /** The whole stream again for each block: streams here are a few blocks long. */
  private inflate(bytes: Buffer): Buffer {
    this.stream = Buffer.concat([this.stream, bytes]);
    try {
      const plain = inflateSync(this.stream, {
        finishFlush: constants.Z_SYNC_FLUSH,
        maxOutputLength: 1 << 24,
      });
      return plain.subarray(this.written);
    } catch {
      throw new CommandFault("inflate", "the stream does not inflate");
    }
  }

  /** The last plain block is filled up. */
  private withoutPadding(bytes: Buffer): Buffer {
    const left = this.start.lengthBytes - this.written;
    return bytes.subarray(left).every((byte) => byte === 0xff) ? bytes.subarray(0, left) : bytes;
  }

  private program(bytes: Buffer): void {
    for (let at = 0; at < bytes.length; ) {
      const address = this.start.address + this.written;
      this.eraseTo(address + 1);
      const length = Math.min(bytes.length - at, PAGE_BYTES - (address % PAGE_BYTES));
      const page = bytes.subarray(at, at + length);
      const there = this.flash.read(address, length);
      if (page.some((byte, index) => (there[index] & byte) !== byte))
        throw new CommandFault("failed", `writing at ${address} over what is not erased`);
      this.flash.program(address, page);
      this.written += length;
      at += length;
    }
  }

  private eraseTo(address: number): void {
    for (; this.erasedTo < address; this.erasedTo += SECTOR_BYTES)
      this.flash.erase(this.erasedTo / SECTOR_BYTES);
  }
}
