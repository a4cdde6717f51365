// Plays a Jacdac device with one service that has nothing but registers to read: announces itself twice a second and answers.
import {
  decodeFrame,
  encodeFrame,
  JD_FLAG_COMMAND,
  JD_GET_REGISTER,
  JD_INDEX_CONTROL,
} from "@salestag/protocol/jacdac";
import type { VirtualTime } from "./virtual-time";

const ANNOUNCE_MS = 500;
const SERVICE_INDEX = 1;

export interface PlayedRegistersParts {
  time: VirtualTime;
  /** Hardware id on the bus, 16 hexadecimal digits. */
  deviceId: string;
  serviceClass: number;
  /** Value of each register by its number, asked for at each reading; undefined: it is not known now, and nothing is answered. */
  registers: Map<number, () => Buffer | undefined>;
  /** Puts a frame on the bus. */
  send: (frame: Buffer) => void;
}

export class PlayedRegisters {
  private announces = 0;

  constructor(private readonly parts: PlayedRegistersParts) {
    this.announce();
  }

  /** Takes a frame from the bus. */
  receive(bytes: Buffer): void {
    const frame = decodeFrame(bytes);
    if (frame === undefined || frame.deviceId !== this.parts.deviceId || !(frame.flags & JD_FLAG_COMMAND))
      return;
    for (const { serviceIndex, command } of frame.packets) {
      if (serviceIndex !== SERVICE_INDEX || (command & 0xf000) !== JD_GET_REGISTER) continue;
      const value = this.parts.registers.get(command & 0xfff)?.();
      if (value !== undefined) this.answer(command, value);
    }
  }

  /** The badge that asks is inside its virtual machine now, and takes no frame before it is out. */
  private answer(command: number, value: Buffer): void {
    const { time } = this.parts;
    time.at(time.nowMs(), () => this.report(SERVICE_INDEX, command, value));
  }

  private report(serviceIndex: number, command: number, data: Buffer): void {
    const { deviceId, send } = this.parts;
    send(encodeFrame({ flags: 0, deviceId, packets: [{ serviceIndex, command, data }] }));
  }

  private announce(): void {
    const { time, serviceClass } = this.parts;
    this.announces = Math.min(15, this.announces + 1); // a counter that stays at 15 tells restarts from long uptime
    const data = Buffer.alloc(8);
    data.writeUInt32LE(this.announces, 0);
    data.writeUInt32LE(serviceClass, 4);
    this.report(JD_INDEX_CONTROL, 0, data);
    time.at(time.nowMs() + ANNOUNCE_MS, () => this.announce());
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
