// Plays a Jacdac device with one service that takes commands: announces itself twice a second, acknowledges what wants to be acknowledged, as the
// runtime's own devices do, and says of a command that it does not know that it is not implemented.
import {
  decodeFrame,
  encodeFrame,
  JD_FLAG_ACK_REQUESTED,
  JD_FLAG_COMMAND,
  JD_INDEX_ACK,
  JD_INDEX_CONTROL,
} from "@salestag/protocol/jacdac";
import type { VirtualTime } from "./virtual-time";

const ANNOUNCE_MS = 500;
const SERVICE_INDEX = 1;
const REPORT_NOT_IMPLEMENTED = 0x03;

export interface PlayedServiceParts {
  time: VirtualTime;
  /** Hardware id on the bus, 16 hexadecimal digits. */
  deviceId: string;
  serviceClass: number;
  /** Takes a command, or a register's setting or reading. @returns what to report under its number; undefined: it knows no such command */
  take: (command: number, data: Buffer) => Buffer | "done" | undefined;
  /** Puts a frame on the bus. */
  send: (frame: Buffer) => void;
}

export class PlayedService {
  private announces = 0;

  constructor(private readonly parts: PlayedServiceParts) {
    this.announce();
  }

  /** Takes a frame from the bus. */
  receive(bytes: Buffer): void {
    const frame = decodeFrame(bytes);
    if (frame === undefined || frame.deviceId !== this.parts.deviceId || !(frame.flags & JD_FLAG_COMMAND))
      return;
    if (frame.flags & JD_FLAG_ACK_REQUESTED) this.later(JD_INDEX_ACK, bytes.readUInt16LE(0), Buffer.alloc(0));
    for (const { serviceIndex, command, data } of frame.packets)
      if (serviceIndex === SERVICE_INDEX) this.take(command, data);
  }

  private take(command: number, data: Buffer): void {
    const report = this.parts.take(command, data);
    if (report === "done") return;
    if (report !== undefined) {
      this.later(SERVICE_INDEX, command, report);
      return;
    }
    const refusal = Buffer.alloc(4);
    refusal.writeUInt16LE(command, 0);
    this.later(SERVICE_INDEX, REPORT_NOT_IMPLEMENTED, refusal);
  }

  /** The badge that asks may be inside its virtual machine now, and takes no frame before it is out. */
  private later(serviceIndex: number, command: number, data: Buffer): void {
    const { time } = this.parts;
    time.at(time.nowMs(), () => this.report(serviceIndex, command, data));
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
