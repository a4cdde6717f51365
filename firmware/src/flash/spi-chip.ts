// A NOR flash on SPI, by the command set that makers have in common (JEDEC JESD216; Winbond W25Q512JV, chapter 8): identify, read, page program
// and sector erase with addresses of four bytes, so that chips above 16 MB need no mode.
import { FLASH_PAGE_BYTES, FLASH_SECTOR_BYTES, type FlashChip } from "./flash-chip";
import { Turns } from "./turns";

/** The wires. */
export interface SpiBus {
  /** Pulls the chip's select line low, or lets it go. A command ends when it is let go. */
  select(low: boolean): Promise<void>;
  /** Sends bytes and receives as many meanwhile. */
  exchange(bytes: Buffer): Promise<Buffer>;
  sleep(ms: number): Promise<void>;
}

const COMMAND_IDENTIFY = 0x9f;
const COMMAND_WAKE = 0xab;
const COMMAND_STATUS = 0x05;
const COMMAND_WRITE_ENABLE = 0x06;
const COMMAND_READ = 0x13;
const COMMAND_PROGRAM = 0x12;
const COMMAND_ERASE = 0x21;
const STATUS_BUSY = 1;
const STATUS_WRITE_ENABLED = 2;
const ADDRESS_BYTES = 4;
/** Longest stretch of a read in one transfer: the runtime takes a buffer for each way. */
const READ_BYTES_MAX = 256;
/** The capacity byte is the logarithm of the size in bytes, */
const CAPACITY_MIN = 17;
const CAPACITY_MAX = 31;
/** but where a maker counts on in decimal digits: after 0x19 comes 0x20, 64 MB (Winbond W25Q512JV, Micron MT25QL512), up to 0x22. */
const DECIMAL_MIN = 0x20;
const DECIMAL_MAX = 0x22;
const DECIMAL_MIN_BITS = 26;
const WAKE_MS = 1;
const POLL_MS = 1;
/** Longest times of any such chip, with room: a page takes 3 to 5 ms at worst, a sector 400. */
const PROGRAM_MS_MAX = 20;
const ERASE_MS_MAX = 2000;

/**
 * Wakes the chip and asks what it is.
 * @throws Error when no chip answers, or one that is too small or too large for four address bytes
 */
export async function openSpiChip(bus: SpiBus): Promise<FlashChip> {
  await command(bus, Buffer.from([COMMAND_WAKE]));
  await bus.sleep(WAKE_MS);
  const id = await command(bus, Buffer.from([COMMAND_IDENTIFY, 0, 0, 0]));
  const capacity =
    id[3] >= DECIMAL_MIN && id[3] <= DECIMAL_MAX ? id[3] - DECIMAL_MIN + DECIMAL_MIN_BITS : id[3];
  if ((id[1] === 0 || id[1] === 0xff) && (capacity === 0 || capacity === 0xff))
    throw new Error("no flash chip answers on SPI: check its wires and its supply");
  if (capacity < CAPACITY_MIN || capacity > CAPACITY_MAX)
    throw new Error(
      `the flash chip says that its size is 2 to the ${capacity} bytes: it is not one that this badge can use`,
    );
  let sectors = 1;
  for (let bits = 12; bits < capacity; bits++) sectors *= 2;
  return new SpiChip(bus, sectors);
}

/** Sends a command and takes what comes back meanwhile. */
async function command(bus: SpiBus, bytes: Buffer): Promise<Buffer> {
  await bus.select(true);
  const answer = await bus.exchange(bytes);
  await bus.select(false);
  return answer;
}

class SpiChip implements FlashChip {
  private readonly turns = new Turns();

  constructor(
    private readonly bus: SpiBus,
    readonly sectors: number,
  ) {}

  async read(address: number, lengthBytes: number): Promise<Buffer> {
    const bytes = Buffer.alloc(lengthBytes);
    await this.turns.take();
    try {
      for (let at = 0; at < lengthBytes; at += READ_BYTES_MAX) {
        const count = Math.min(READ_BYTES_MAX, lengthBytes - at);
        const request = addressed(COMMAND_READ, address + at, count);
        const answer = await command(this.bus, request);
        bytes.set(answer.slice(1 + ADDRESS_BYTES, answer.length), at);
      }
    } finally {
      this.turns.give();
    }
    return bytes;
  }

  async program(address: number, bytes: Buffer): Promise<void> {
    if (bytes.length > FLASH_PAGE_BYTES - (address % FLASH_PAGE_BYTES))
      throw new RangeError(`${bytes.length} bytes at ${address} cross the end of a page`);
    const request = addressed(COMMAND_PROGRAM, address, bytes.length);
    request.set(bytes, 1 + ADDRESS_BYTES);
    await this.change(request, PROGRAM_MS_MAX);
  }

  async erase(sector: number): Promise<void> {
    await this.change(addressed(COMMAND_ERASE, sector * FLASH_SECTOR_BYTES, 0), ERASE_MS_MAX);
  }

  /** A command that changes the array, in one turn: a read while the chip is busy would get nothing. */
  private async change(request: Buffer, msMax: number): Promise<void> {
    await this.turns.take();
    try {
      await this.changeNow(request, msMax);
    } finally {
      this.turns.give();
    }
  }

  /** Enables, sends, and waits until it is done. */
  private async changeNow(request: Buffer, msMax: number): Promise<void> {
    await command(this.bus, Buffer.from([COMMAND_WRITE_ENABLE]));
    if (((await this.status()) & STATUS_WRITE_ENABLED) === 0)
      throw new Error("the flash chip takes no writes: it is protected, or does not hear us");
    await command(this.bus, request);
    for (let waitedMs = 0; ((await this.status()) & STATUS_BUSY) !== 0; waitedMs += POLL_MS) {
      if (waitedMs >= msMax)
        throw new Error(
          `the flash chip is busy with command ${request[0]} for more than ${msMax} ms: it is worn out`,
        );
      await this.bus.sleep(POLL_MS);
    }
  }

  private async status(): Promise<number> {
    const answer = await command(this.bus, Buffer.from([COMMAND_STATUS, 0]));
    return answer[1];
  }
}

/** @returns a command with its address, high byte first, and room for so many bytes */
function addressed(code: number, address: number, lengthBytes: number): Buffer {
  const bytes = Buffer.alloc(1 + ADDRESS_BYTES + lengthBytes);
  bytes[0] = code;
  let rest = address;
  for (let i = ADDRESS_BYTES; i > 0; i--) {
    const above = Math.floor(rest / 256);
    bytes[i] = rest - above * 256;
    rest = above;
  }
  return bytes;
}
