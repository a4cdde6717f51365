// A DeviceScript program that drives the badge's SPI flash driver against a chip written down from the data sheet: strict about select, order of
// commands, write enable and busy. Prints '@spi' lines for the test; what the chip minds, it says.

/** Source of the program's main file; the driver lies beside it as spi-chip.ts. */
export const SPI_CHIP_PROGRAM = `
import { sleep } from "@devicescript/core";
import { openSpiChip, type SpiBus } from "./spi-chip";

const SECTOR = 4096;

class Chip implements SpiBus {
  selected = false;
  command = -1;
  asleep = true;
  writeEnabled = false;
  busyPolls = 0;
  pollsNeeded = 3;
  ignoresWriteEnable = false;
  staysBusy = false;
  capacity = 0x20; // of a Winbond W25Q512JV, 64 MB
  maker = 0xef;
  polls = 0;
  log = "";
  pages: Buffer[] = [];
  numbers: number[] = [];

  complain(what: string): void {
    console.log("@spi complains: " + what);
  }

  async select(low: boolean): Promise<void> {
    if (low === this.selected) this.complain("select twice the same");
    this.selected = low;
    if (low) this.command = -1;
    else await sleep(1); // the runtime ends a program that does not rest
  }

  async sleep(ms: number): Promise<void> {
    await sleep(1);
  }

  page(number: number): Buffer {
    for (let i = 0; i < this.numbers.length; i++) if (this.numbers[i] === number) return this.pages[i];
    const page = Buffer.alloc(256);
    for (let i = 0; i < 256; i++) page[i] = 0xff;
    this.numbers.push(number);
    this.pages.push(page);
    return page;
  }

  async exchange(bytes: Buffer): Promise<Buffer> {
    const answer = Buffer.alloc(bytes.length);
    if (!this.selected) this.complain("bytes without select");
    if (this.command >= 0) this.complain("two transfers in one command");
    const code = bytes[0];
    this.command = code;
    this.log = this.log + " " + code;
    if (code === 0xab) {
      this.asleep = false;
      return answer;
    }
    if (this.asleep) {
      this.complain("asleep");
      return answer;
    }
    if (this.busyPolls > 0 && code !== 0x05) this.complain("busy with command " + code);
    if (bytes.length > 261) this.complain("transfer of " + bytes.length);
    let address = 0;
    for (let i = 1; i <= 4 && i < bytes.length; i++) address = address * 256 + bytes[i];
    if (code === 0x9f) {
      answer[1] = this.maker;
      answer[2] = 0x40;
      answer[3] = this.capacity;
    } else if (code === 0x05) {
      this.polls++;
      answer[1] = (this.busyPolls > 0 ? 1 : 0) | (this.writeEnabled ? 2 : 0);
      if (this.busyPolls > 0 && !this.staysBusy) {
        this.busyPolls--;
        if (this.busyPolls === 0) this.writeEnabled = false;
      }
    } else if (code === 0x06) {
      this.writeEnabled = !this.ignoresWriteEnable;
    } else if (code === 0x13) {
      for (let i = 5; i < bytes.length; i++) {
        const at = address + i - 5;
        answer[i] = this.page(Math.floor(at / 256))[at % 256];
      }
    } else if (code === 0x12) {
      if (!this.writeEnabled) this.complain("program without write enable");
      const page = this.page(Math.floor(address / 256));
      for (let i = 5; i < bytes.length; i++) page[(address + i - 5) % 256] &= bytes[i];
      this.busyPolls = this.pollsNeeded;
    } else if (code === 0x21) {
      if (!this.writeEnabled) this.complain("erase without write enable");
      if (bytes.length !== 5) this.complain("erase of " + bytes.length + " bytes");
      const first = Math.floor(address / SECTOR) * 16;
      for (let n = 0; n < this.numbers.length; n++)
        if (this.numbers[n] >= first && this.numbers[n] < first + 16) {
          for (let i = 0; i < 256; i++) this.pages[n][i] = 0xff;
        }
      this.busyPolls = this.pollsNeeded;
    } else this.complain("unknown command " + code);
    return answer;
  }
}

async function refused(what: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
    console.log("@spi " + what + " accepted");
  } catch (error) {
    console.log("@spi " + what + " refused: " + (error as Error).message);
  }
}

function check(what: string, good: boolean): void {
  console.log("@spi " + what + " " + (good ? "ok" : "WRONG"));
}

const wires = new Chip();
const chip = await openSpiChip(wires);
check("size", chip.sectors === 16384);
// Two fibers at once: the chip complains of commands while it is busy.
let otherDone = false;
const other = async () => {
  for (let i = 0; i < 5; i++) await chip.read(i, 1);
  otherDone = true;
};
other.start();
await chip.program(9 * 256, Buffer.from([1]));
while (!otherDone) await sleep(1);
check("two fibers", (await chip.read(9 * 256, 1))[0] === 1);
wires.log = "";
const address = 63 * 1024 * 1024 + 3 * 256 + 7;
await chip.program(address, Buffer.from([0x12, 0x34, 0x56]));
console.log("@spi program:" + wires.log);
let read = await chip.read(address - 1, 5);
check("programmed", read[0] === 255 && read[1] === 0x12 && read[3] === 0x56 && read[4] === 255);
await chip.program(address, Buffer.from([0xf0, 0xff, 0x0f]));
read = await chip.read(address, 3);
check("bits only clear", read[0] === 0x10 && read[1] === 0x34 && read[2] === 0x06);
const long = Buffer.alloc(256);
for (let i = 0; i < 256; i++) long[i] = i;
await chip.program(5 * SECTOR, long);
read = await chip.read(5 * SECTOR - 100, 600);
let same = read.length === 600;
for (let i = 0; i < 256; i++) same = same && read[100 + i] === i;
check("a read over pages", same && read[99] === 255 && read[356] === 255);
wires.log = "";
await chip.erase(5);
console.log("@spi erase:" + wires.log);
read = await chip.read(5 * SECTOR, 256);
let blank = true;
for (let i = 0; i < 256; i++) blank = blank && read[i] === 255;
check("erased", blank);
await refused("a program over a page's end", async () => await chip.program(5 * SECTOR + 250, Buffer.alloc(7)));
wires.ignoresWriteEnable = true;
await refused("a protected chip", async () => await chip.erase(5));
wires.ignoresWriteEnable = false;
wires.staysBusy = true;
await refused("a chip that stays busy", async () => await chip.program(0, Buffer.alloc(1)));
const absent = new Chip();
absent.maker = 0xff;
absent.capacity = 0xff;
await refused("no chip", async () => {
  await openSpiChip(absent);
});
const odd = new Chip();
odd.capacity = 12;
await refused("a chip that is too small", async () => {
  await openSpiChip(odd);
});
const macronix = new Chip();
macronix.maker = 0xc2;
macronix.capacity = 0x1a;
check("size of another maker's", (await openSpiChip(macronix)).sectors === 16384);
console.log("@spi done");
`;
