// A device of one service on an emulated badge's bus: announces itself twice a second, picks out what is for its service, and reports. What the played
// services have in common.
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
/** A counter that stays here tells restarts from long uptime. */
const ANNOUNCES_MAX = 15;

export interface BusDeviceParts {
  time: VirtualTime;
  /** Hardware id on the bus, 16 hexadecimal digits. */
  deviceId: string;
  serviceClass: number;
  /** Puts a frame on the bus. */
  send: (frame: Buffer) => void;
}

/** A command to the service. */
export interface Command {
  command: number;
  data: Buffer;
}

export class BusDevice {
  /** True when it was taken off the bus: it is silent from then on. */
  off = false;

  private announces = 0;

  constructor(private readonly parts: BusDeviceParts) {
    this.announce();
  }

  /** @returns the commands to this device's service in a frame from the bus */
  commandsIn(bytes: Buffer): Command[] {
    const frame = decodeFrame(bytes);
    if (frame === undefined || frame.deviceId !== this.parts.deviceId || !(frame.flags & JD_FLAG_COMMAND))
      return [];
    return frame.packets.filter(({ serviceIndex }) => serviceIndex === SERVICE_INDEX);
  }

  /** @returns the acknowledgement of a frame, where it is for this device and asks for one */
  acknowledgementOf(bytes: Buffer): Buffer | undefined {
    const frame = decodeFrame(bytes);
    const asked = JD_FLAG_COMMAND | JD_FLAG_ACK_REQUESTED;
    if (frame?.deviceId !== this.parts.deviceId || (frame.flags & asked) !== asked) return undefined;
    return this.frame(JD_INDEX_ACK, bytes.readUInt16LE(0), Buffer.alloc(0));
  }

  /** @returns a report of the service */
  reportFrame(command: number, data: Buffer): Buffer {
    return this.frame(SERVICE_INDEX, command, data);
  }

  /** Reports at once. */
  report(command: number, data: Buffer): void {
    this.send(this.reportFrame(command, data));
  }

  /**
   * Sends later, unless it is taken off the bus until then. A badge that asks may be inside its virtual machine now, and takes no frame before it is out: after
   * 0 ms is soon enough for that.
   */
  sendLater(frame: Buffer, afterMs = 0): void {
    const { time } = this.parts;
    time.at(time.nowMs() + afterMs, () => this.send(frame));
  }

  private send(frame: Buffer): void {
    if (!this.off) this.parts.send(frame);
  }

  private frame(serviceIndex: number, command: number, data: Buffer): Buffer {
    return encodeFrame({
      flags: 0,
      deviceId: this.parts.deviceId,
      packets: [{ serviceIndex, command, data }],
    });
  }

  private announce(): void {
    if (this.off) return;
    const { time, serviceClass } = this.parts;
    this.announces = Math.min(ANNOUNCES_MAX, this.announces + 1);
    const data = Buffer.alloc(8);
    data.writeUInt32LE(this.announces, 0);
    data.writeUInt32LE(serviceClass, 4);
    this.send(this.frame(JD_INDEX_CONTROL, 0, data));
    time.at(time.nowMs() + ANNOUNCE_MS, () => this.announce());
  }
}
