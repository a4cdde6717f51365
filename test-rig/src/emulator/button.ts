// Plays the Jacdac service `button` on an emulated badge's bus: a press is the event `down` and, after a while, the event `up`.
import {
  decodeFrame,
  encodeFrame,
  JD_FLAG_COMMAND,
  JD_GET_REGISTER,
  JD_INDEX_CONTROL,
} from "@salestag/protocol/jacdac";
import type { VirtualTime } from "./virtual-time";

const BUTTON_CLASS = 0x1473a263;
const EVENT = 0x8000;
const EVENT_DOWN = 1;
const EVENT_UP = 2;
const REGISTER_PRESSURE = 0x101;
const ANNOUNCE_MS = 500;
const SERVICE_INDEX = 1;

export interface PlayedButtonParts {
  time: VirtualTime;
  /** 16 hexadecimal digits. */
  deviceId: string;
  /** Puts a frame on the bus. */
  send: (frame: Buffer) => void;
  /** Fault: it reads as pressed for ever, and never says that it went down or up. */
  stuck?: boolean;
}

export class PlayedButton {
  private announces = 0;
  private events = 0;
  private off = false;

  constructor(private readonly parts: PlayedButtonParts) {
    this.announce();
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
    const frame = decodeFrame(bytes);
    if (frame === undefined || frame.deviceId !== this.parts.deviceId || !(frame.flags & JD_FLAG_COMMAND))
      return;
    for (const { serviceIndex, command } of frame.packets)
      if (serviceIndex === SERVICE_INDEX && command === (JD_GET_REGISTER | REGISTER_PRESSURE))
        this.report(command, Buffer.alloc(2, this.parts.stuck ? 0xff : 0));
  }

  /** Takes the button off the bus. */
  powerOff(): void {
    this.off = true;
  }

  private event(code: number, data: Buffer): void {
    this.events = (this.events + 1) & 127;
    this.report(EVENT | (this.events << 8) | code, data);
  }

  private report(command: number, data: Buffer): void {
    if (this.off) return;
    const packets = [{ serviceIndex: SERVICE_INDEX, command, data }];
    this.parts.send(encodeFrame({ flags: 0, deviceId: this.parts.deviceId, packets }));
  }

  private announce(): void {
    if (this.off) return;
    const { time, deviceId, send } = this.parts;
    this.announces = Math.min(15, this.announces + 1);
    const data = Buffer.alloc(8);
    data.writeUInt32LE(this.announces, 0);
    data.writeUInt32LE(BUTTON_CLASS, 4);
    send(
      encodeFrame({ flags: 0, deviceId, packets: [{ serviceIndex: JD_INDEX_CONTROL, command: 0, data }] }),
    );
    time.at(time.nowMs() + ANNOUNCE_MS, () => this.announce());
  }
}
