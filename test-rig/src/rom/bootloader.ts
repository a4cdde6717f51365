// An emulated ESP32-S3 in download mode: the bootloader in its ROM, and Espressif's stub once a host has loaded it. Strict: whatever a
// real one would refuse is refused with its error number, and kept in `faults`, so that a test can say that none happened.
//
// What it does not have: the time that erasing and writing take, encryption, eFuses (they read as 0), the code of the stub (a host that
// loads any code and starts it gets a stub).
import { createHash } from "node:crypto";
import { NorFlash, PowerCut } from "@salestag/firmware/nor-flash";
import { blockOf, CommandFault, expectLength, FAULTS, Op, ROM_ONLY, STUB_ONLY, wordsOf } from "./command";
import { FlashReader } from "./flash-reader";
import { FlashWriter } from "./flash-writer";
import { Memory } from "./memory";
import { Registers } from "./registers";
import { SlipDecoder, slipEncode } from "./slip";

export interface ChipOptions {
  /** A power of two; 2 MB where it is left out. */
  flashBytes?: number;
  /** 9 is an ESP32-S3. */
  chipId?: number;
  /** As the security info tells them: bit 0 secure boot, bit 2 restricted download mode. */
  securityFlags?: number;
  /** An odd number of set bits: the flash is encrypted. */
  flashCryptCount?: number;
  /** For what a power cut leaves of the operation that it hits. @returns 0 to 2^32 - 1 */
  random?: () => number;
}

const SECTOR_BYTES = 4096;
const PACKET_BYTES_MAX = 0x4000 + 64;
const HEADER_BYTES = 8;
const SYNC = Buffer.concat([Buffer.from([7, 7, 0x12, 0x20]), Buffer.alloc(32, 0x55)]);
const SYNC_REPLIES = 8;
const READ_SLOW_BYTES = 64;
const REBOOT = 0;

export class EmulatedBootloader {
  readonly flash: NorFlash;
  /** What a host did that a real chip refuses, and noise on the line. */
  readonly faults: string[] = [];
  /** Called with bytes for the host. */
  onSend: (bytes: Buffer) => void = () => undefined;
  /** Called when the chip leaves download mode and starts what is in its flash; image() has that. */
  onReboot: () => void = () => undefined;
  /** How often a command ran, by its number. */
  readonly counts = new Map<Op, number>();

  private stub = false;
  private asleep = false;
  private readonly registers: Registers;
  private readonly decoder: SlipDecoder;
  private memory = new Memory();
  private writer: FlashWriter | undefined;
  private reader: FlashReader | undefined;

  constructor(private readonly options: ChipOptions = {}) {
    const { flashBytes = 0x200000, random = () => 0 } = options;
    this.flash = new NorFlash({ sectors: flashBytes / SECTOR_BYTES, random });
    this.registers = new Registers(0x0040ef | (Math.log2(flashBytes) << 16));
    this.decoder = new SlipDecoder(
      PACKET_BYTES_MAX,
      (packet) => this.packet(packet),
      (what) => this.faults.push(what),
    );
  }

  /** True while a stub runs. */
  get runsStub(): boolean {
    return this.stub;
  }

  /** Takes bytes from the host. */
  receive(bytes: Uint8Array): void {
    if (!this.asleep) this.decoder.push(bytes);
  }

  /** What the flash holds, as one piece. */
  image(): Buffer {
    return this.flash.read(0, this.flash.sectors * SECTOR_BYTES);
  }

  /** Puts content into the flash, whatever was there. @param address at a sector */
  load(address: number, bytes: Buffer): void {
    for (let at = 0; at < bytes.length; at += SECTOR_BYTES)
      this.flash.load((address + at) / SECTOR_BYTES, bytes.subarray(at, at + SECTOR_BYTES));
  }

  /** Power off and on with BOOT held: the ROM's bootloader anew. */
  powerUp(): void {
    this.stub = this.asleep = false;
    this.writer = this.reader = undefined;
    this.memory = new Memory();
    this.decoder.reset();
    this.flash.powerOn();
  }

  /** The chip is reset without BOOT: it leaves download mode and starts what is in its flash. */
  reset(): void {
    this.asleep = true;
    this.onReboot();
  }

  /** The chip has no power: nothing answers any more. */
  powerDown(): void {
    this.asleep = true;
  }

  private packet(packet: Buffer): void {
    if (this.reader !== undefined) {
      if (this.reader.acknowledge(packet)) this.reader = undefined;
      return;
    }
    if (packet.length < HEADER_BYTES || packet[0] !== 0) {
      this.faults.push(`a packet of ${packet.length} bytes that is no command`);
      return;
    }
    const op = packet[1] as Op;
    const data = packet.subarray(HEADER_BYTES);
    try {
      expectLength(data, packet.readUInt16LE(2));
      this.counts.set(op, (this.counts.get(op) ?? 0) + 1);
      this.run(op, data, packet.readUInt32LE(4));
    } catch (cause) {
      if (cause instanceof PowerCut) {
        this.asleep = true;
        return;
      }
      if (!(cause instanceof CommandFault)) throw cause;
      this.faults.push(`${Op[op] ?? `command 0x${op.toString(16)}`}: ${cause.message}`);
      this.answer(op, 0, Buffer.alloc(0), FAULTS[cause.fault][this.stub ? "stub" : "rom"]);
    }
  }

  private run(op: Op, data: Buffer, checksum: number): void {
    if (Op[op] === undefined || (this.stub ? ROM_ONLY : STUB_ONLY).has(op))
      throw new CommandFault("invalid", `not a command of the ${this.stub ? "stub" : "ROM"}`);
    if (op === Op.Sync) this.sync(data);
    else if (op === Op.MemBegin || op === Op.MemData || op === Op.MemEnd) this.code(op, data, checksum);
    else if (op === Op.ReadReg || op === Op.WriteReg) this.register(op, data);
    else if (op === Op.FlashMd5) this.md5(data);
    else if (op === Op.ReadFlash) this.read(data);
    else if (op === Op.ReadFlashSlow) this.readSlow(data);
    else if (op === Op.SecurityInfo) this.securityInfo(data);
    else if (op === Op.RunUserCode) this.reset();
    else this.change(op, data, checksum);
  }

  /** Commands whose answer holds nothing but its status. */
  private change(op: Op, data: Buffer, checksum: number): void {
    if (op === Op.FlashBegin || op === Op.DeflateBegin) this.begin(op, data);
    else if (op === Op.FlashData || op === Op.DeflateData) this.begun(op).take(blockOf(data, checksum));
    else if (op === Op.FlashEnd || op === Op.DeflateEnd) {
      this.end(op, data);
      return;
    } else if (op === Op.SpiAttach) expectLength(data, this.stub ? 4 : 8);
    else if (op === Op.SpiSetParams) wordsOf(data, 6);
    else if (op === Op.ChangeBaud) wordsOf(data, 2);
    else if (op === Op.EraseFlash) this.erase(0, this.flash.sectors * SECTOR_BYTES);
    else if (op === Op.EraseRegion) this.erase(...(wordsOf(data, 2) as [number, number]));
    this.answer(op);
  }

  private sync(data: Buffer): void {
    if (!data.equals(SYNC)) throw new CommandFault("invalid", "other bytes than those of a sync");
    // The ROM's value is any but 0; that it is 0 tells a host that the stub runs already.
    for (let i = 0; i < SYNC_REPLIES; i++) this.answer(Op.Sync, this.stub ? 0 : 0x20120707);
  }

  private code(op: Op, data: Buffer, checksum: number): void {
    if (op === Op.MemBegin) this.memory.begin(wordsOf(data, 4));
    else if (op === Op.MemData) this.memory.take(blockOf(data, checksum));
    else {
      const starts = this.memory.end(wordsOf(data, 2));
      this.answer(op);
      if (!starts) return;
      this.stub = true;
      this.writer = undefined;
      this.onSend(slipEncode(Buffer.from("OHAI")));
      return;
    }
    this.answer(op);
  }

  private register(op: Op, data: Buffer): void {
    if (op === Op.ReadReg) {
      this.answer(op, this.registers.read(wordsOf(data, 1)[0]));
      return;
    }
    if (data.length === 0 || data.length % 16 !== 0)
      throw new CommandFault("length", `${data.length} bytes of data`);
    for (let at = 0; at < data.length; at += 16) {
      const [address, value, mask] = wordsOf(data.subarray(at, at + 16), 4);
      this.registers.write(address, value, mask);
    }
    this.answer(op);
  }

  private begin(op: Op, data: Buffer): void {
    const [lengthBytes, blocks, blockBytes, address] = wordsOf(data, this.stub ? 4 : 5);
    this.writer = new FlashWriter(this.flash, {
      address,
      lengthBytes,
      blocks,
      blockBytes,
      deflated: op === Op.DeflateBegin,
      eraseFirst: !this.stub,
    });
  }

  private begun(op: Op): FlashWriter {
    const deflated = op === Op.DeflateData || op === Op.DeflateEnd;
    if (this.writer?.start.deflated !== deflated) throw new CommandFault("notBegun", "nothing was begun");
    return this.writer;
  }

  private end(op: Op, data: Buffer): void {
    const [how] = wordsOf(data, 1);
    this.begun(op).end();
    this.writer = undefined;
    this.answer(op);
    if (how === REBOOT) this.reset();
  }

  private erase(address: number, lengthBytes: number): void {
    if (address % SECTOR_BYTES !== 0 || lengthBytes % SECTOR_BYTES !== 0)
      throw new CommandFault("failed", `erasing ${lengthBytes} bytes at ${address}, not whole sectors`);
    this.inFlash(address, lengthBytes);
    for (let at = 0; at < lengthBytes; at += SECTOR_BYTES) this.flash.erase((address + at) / SECTOR_BYTES);
  }

  private md5(data: Buffer): void {
    const [address, lengthBytes] = wordsOf(data, 4);
    this.inFlash(address, lengthBytes);
    const digest = createHash("md5").update(this.flash.read(address, lengthBytes)).digest();
    this.answer(Op.FlashMd5, 0, this.stub ? digest : Buffer.from(digest.toString("hex"), "ascii"));
  }

  private read(data: Buffer): void {
    const [address, lengthBytes, packetBytes, packetsMax] = wordsOf(data, 4);
    this.inFlash(address, lengthBytes);
    if (packetBytes > SECTOR_BYTES) throw new CommandFault("failed", `packets of ${packetBytes} bytes`);
    this.answer(Op.ReadFlash);
    const bytes = this.flash.read(address, lengthBytes);
    this.reader = new FlashReader(bytes, packetBytes, packetsMax, (packet) =>
      this.onSend(slipEncode(packet)),
    );
  }

  private readSlow(data: Buffer): void {
    const [address, lengthBytes] = wordsOf(data, 2);
    if (lengthBytes > READ_SLOW_BYTES) throw new CommandFault("failed", `${lengthBytes} bytes at once`);
    this.inFlash(address, lengthBytes);
    const bytes = Buffer.alloc(READ_SLOW_BYTES);
    this.flash.read(address, lengthBytes).copy(bytes);
    this.answer(Op.ReadFlashSlow, 0, bytes);
  }

  private inFlash(address: number, lengthBytes: number): void {
    if (lengthBytes < 1 || address + lengthBytes > this.flash.sectors * SECTOR_BYTES)
      throw new CommandFault("failed", `${lengthBytes} bytes at ${address}, beyond the end`);
  }

  private securityInfo(data: Buffer): void {
    expectLength(data, 0);
    const { securityFlags = 0, flashCryptCount = 0, chipId = 9 } = this.options;
    const info = Buffer.alloc(20);
    info.writeUInt32LE(securityFlags, 0);
    info[4] = flashCryptCount;
    info.writeUInt32LE(chipId, 12);
    this.answer(Op.SecurityInfo, 0, info);
  }

  private answer(op: Op, value = 0, data: Buffer = Buffer.alloc(0), error = 0): void {
    const status = Buffer.alloc(this.stub ? 2 : 4);
    status[0] = error === 0 ? 0 : 1;
    status[1] = error;
    const packet = Buffer.concat([Buffer.alloc(HEADER_BYTES), data, status]);
    packet[0] = 1;
    packet[1] = op;
    packet.writeUInt16LE(data.length + status.length, 2);
    packet.writeUInt32LE(value, 4);
    this.onSend(slipEncode(packet));
  }
}
