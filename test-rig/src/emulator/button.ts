// Plays the Jacdac service `button` on an emulated badge's bus: a press is the event `down` and, after a while, the event `up`.
import { JD_GET_REGISTER } from "@salestag/protocol/jacdac";
import { BusDevice, type BusDeviceParts } from "./bus-device";

const BUTTON_CLASS = 0x1473a263;
const EVENT = 0x8000;
const EVENT_DOWN = 1;
const EVENT_UP = 2;
const REGISTER_PRESSURE = 0x101;

export interface PlayedButtonParts extends Omit<BusDeviceParts, "serviceClass"> {
  /** Fault: it reads as pressed for ever, and never says that it went down or up. */
  stuck?: boolean;
}

export class PlayedButton {
  private readonly device: BusDevice;
  private events = 0;

  constructor(private readonly parts: PlayedButtonParts) {
    this.device = new BusDevice({ ...parts, serviceClass: BUTTON_CLASS });
  }

  /** Presses the button, now, for so long. */
  press(forMs: number): void {
    const { time, stuck } = this.parts;
    if (stuck) return;
    this.event(EVENT_DOWN, Buffer.alloc(0));
    time.at(time.nowMs() + forMs, () => {
      const held = Buffer.alloc(4);
      held.writeUInt32LE(forMs);
      this.event(EVENT_UP, held);
    });
  }

  /** Takes a frame from the bus. */
  receive(bytes: Buffer): void {
    for (const { command } of this.device.commandsIn(bytes))
      if (command === (JD_GET_REGISTER | REGISTER_PRESSURE))
        this.device.report(command, Buffer.alloc(2, this.parts.stuck ? 0xff : 0));
  }

  /** Takes the button off the bus. */
  powerOff(): void {
    this.device.off = true;
  }

  private event(code: number, data: Buffer): void {
    this.events = (this.events + 1) & 127;
    this.device.report(EVENT | (this.events << 8) | code, data);
  }
}
