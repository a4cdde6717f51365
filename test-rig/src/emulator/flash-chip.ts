// Plays the Jacdac service `flash-chip` (firmware/services/flash-chip.md) on an emulated badge's bus, over a NOR flash in memory.
import { type NorFlash, PowerCut } from "@salestag/firmware/nor-flash";
import { BusDevice, type BusDeviceParts } from "./bus-device";

/** Service class of flash-chip.md. */
export const FLASH_CHIP_CLASS = 0x1c9e4b2d;

const COMMAND_IDENTIFY = 0x80;
const COMMAND_READ = 0x81;
const COMMAND_PROGRAM = 0x82;
const COMMAND_ERASE = 0x83;
/** Winbond W25Q512JV: the size is told apart, whatever the real array here has. */
const JEDEC_ID = 0x2040ef;
const READ_BYTES_MAX = 224;

/** How long an operation takes, in ms of virtual time; typical values of a 64 MB chip. */
export interface FlashTimes {
  readMs: number;
  programMs: number;
  eraseMs: number;
}

export const FLASH_TIMES: FlashTimes = { readMs: 0, programMs: 1, eraseMs: 45 };

export interface PlayedFlashParts extends Omit<BusDeviceParts, "serviceClass"> {
  nor: NorFlash;
  times?: FlashTimes;
}

export class PlayedFlash {
  private readonly device: BusDevice;
  private readonly times: FlashTimes;

  constructor(private readonly parts: PlayedFlashParts) {
    this.times = parts.times ?? FLASH_TIMES;
    this.device = new BusDevice({ ...parts, serviceClass: FLASH_CHIP_CLASS });
  }

  /** Takes a frame from the bus. */
  receive(bytes: Buffer): void {
    if (this.device.off) return;
    const { nor } = this.parts;
    for (const { command, data } of this.device.commandsIn(bytes)) {
      if (command === COMMAND_IDENTIFY && data.length === 1) {
        const report = Buffer.alloc(9);
        report.writeUInt32LE(nor.sectors, 0);
        report.writeUInt32LE(JEDEC_ID, 4);
        report[8] = data[0];
        this.report(command, report, 0);
      } else if (command === COMMAND_READ && data.length === 6) {
        const count = Math.min(data[5], READ_BYTES_MAX);
        let read: Buffer = Buffer.alloc(0);
        this.attempt(() => {
          read = nor.read(data.readUInt32LE(0), count);
        });
        this.report(command, Buffer.concat([data.subarray(4, 5), read]), this.times.readMs);
      } else if (command === COMMAND_PROGRAM && data.length > 5) {
        const status = this.attempt(() => nor.program(data.readUInt32LE(0), data.subarray(5)));
        this.report(command, Buffer.from([data[4], status]), this.times.programMs);
      } else if (command === COMMAND_ERASE && data.length === 5) {
        const status = this.attempt(() => nor.erase(data.readUInt32LE(0)));
        this.report(command, Buffer.from([data[4], status]), this.times.eraseMs);
      }
    }
  }

  /** Takes the chip off the bus. */
  powerOff(): void {
    this.device.off = true;
  }

  /** @returns the status that the service tells; nothing is told any more once the power went */
  private attempt(operation: () => void): number {
    try {
      operation();
      return 0;
    } catch (error) {
      if (error instanceof PowerCut) this.device.off = true;
      else if (!(error instanceof RangeError)) throw error;
      return 1;
    }
  }

  private report(command: number, data: Buffer, afterMs: number): void {
    if (!this.device.off) this.device.sendLater(this.device.reportFrame(command, data), afterMs);
  }
}
