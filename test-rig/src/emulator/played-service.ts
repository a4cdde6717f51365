// Plays a Jacdac device with one service that takes commands: acknowledges what wants to be acknowledged, as the runtime's own devices do, and says
// of a command that it does not know that it is not implemented.
import { BusDevice, type BusDeviceParts } from "./bus-device";

const REPORT_NOT_IMPLEMENTED = 0x03;

export interface PlayedServiceParts extends BusDeviceParts {
  /** Takes a command, or a register's setting or reading. @returns what to report under its number; undefined: it knows no such command */
  take: (command: number, data: Buffer) => Buffer | "done" | undefined;
}

export class PlayedService {
  private readonly device: BusDevice;

  constructor(private readonly parts: PlayedServiceParts) {
    this.device = new BusDevice(parts);
  }

  /** Takes a frame from the bus. */
  receive(bytes: Buffer): void {
    const acknowledgement = this.device.acknowledgementOf(bytes);
    if (acknowledgement !== undefined) this.device.sendLater(acknowledgement);
    for (const { command, data } of this.device.commandsIn(bytes)) this.take(command, data);
  }

  private take(command: number, data: Buffer): void {
    const report = this.parts.take(command, data);
    if (report === "done") return;
    if (report !== undefined) {
      this.device.sendLater(this.device.reportFrame(command, report));
      return;
    }
    const refusal = Buffer.alloc(4);
    refusal.writeUInt16LE(command, 0);
    this.device.sendLater(this.device.reportFrame(REPORT_NOT_IMPLEMENTED, refusal));
  }
}
