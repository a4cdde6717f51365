// Plays a Jacdac device with one service that has nothing but registers to read.
import { JD_GET_REGISTER } from "@salestag/protocol/jacdac";
import { BusDevice, type BusDeviceParts } from "./bus-device";

export interface PlayedRegistersParts extends BusDeviceParts {
  /** Value of each register by its number, asked for at each reading; undefined: it is not known now, and nothing is answered. */
  registers: Map<number, () => Buffer | undefined>;
}

export class PlayedRegisters {
  private readonly device: BusDevice;

  constructor(private readonly parts: PlayedRegistersParts) {
    this.device = new BusDevice(parts);
  }

  /** Takes a frame from the bus. */
  receive(bytes: Buffer): void {
    for (const { command } of this.device.commandsIn(bytes)) {
      if ((command & 0xf000) !== JD_GET_REGISTER) continue;
      const value = this.parts.registers.get(command & 0xfff)?.();
      if (value !== undefined) this.device.sendLater(this.device.reportFrame(command, value));
    }
  }
}

/** @returns a number as a register of 16 bits holds it */
export function u16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16LE(value);
  return bytes;
}

/** @returns a number as a register of 32 bits holds it */
export function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}
