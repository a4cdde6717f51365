// Registers of an ESP32-S3 that a flashing program reads and writes: the SPI controller, through which it asks the flash who it is, and
// a few that only have a value.

const CHIP_MAGIC = 0x40001000;
const CHIP_MAGIC_S3 = 9;
const SPI = 0x60002000;
const SPI_CMD = SPI;
const SPI_USR2 = SPI + 0x20;
const SPI_W0 = SPI + 0x58;
const SPI_CMD_USR = 1 << 18;
const READ_ID = 0x9f;

export class Registers {
  private readonly values = new Map<number, number>([[CHIP_MAGIC, CHIP_MAGIC_S3]]);

  /** @param flashId what the flash answers: maker, kind, size as a power of two, from the lowest byte on */
  constructor(private readonly flashId: number) {}

  /** Registers that nobody wrote read as 0. */
  read(address: number): number {
    return this.values.get(address) ?? 0;
  }

  write(address: number, value: number, mask: number): void {
    this.values.set(address, ((this.read(address) & ~mask) | (value & mask)) >>> 0);
    if (address === SPI_CMD && (value & SPI_CMD_USR) !== 0) this.runSpi();
  }

  private runSpi(): void {
    this.values.set(SPI_W0, (this.read(SPI_USR2) & 0xff) === READ_ID ? this.flashId : 0);
    this.values.set(SPI_CMD, 0);
  }
}
