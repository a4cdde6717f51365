// Plays what the wearer sees, hears and feels, as Jacdac services on an emulated badge's bus: light, buzzer, vibration motor. Registers and
// commands are those of the runtime's own services (jacdac-c).
import {
  decodeFrame,
  encodeFrame,
  JD_FLAG_COMMAND,
  JD_GET_REGISTER,
  JD_INDEX_ACK,
  JD_INDEX_CONTROL,
  JD_SET_REGISTER,
} from "@salestag/protocol/jacdac";
import type { PlayedDevice } from "../bench";
import { PlayedService } from "./played-service";
import type { VirtualTime } from "./virtual-time";

const LIGHT_CLASS = 0x1609d4f0;
const BUZZER_CLASS = 0x1b57b1d7;
const MOTOR_CLASS = 0x183fc4a2;
const REGISTER_INTENSITY = 0x01;
const REGISTER_PIXELS = 0x02;
const COMMAND_PLAY_TONE = 0x80;
const COMMAND_VIBRATE = 0x80;
const TONE_BYTES = 6;
const COMMAND_STATUS_LIGHT = 0x84;

export interface PlayedPanelParts {
  time: VirtualTime;
  /** 16 hexadecimal digits. */
  deviceId: string;
  /** Puts a frame on the bus. */
  send: (frame: Buffer) => void;
  /** Fault: the service knows no command. */
  refuses?: boolean;
}

/** A light of one pixel. */
export class PlayedLight extends PlayedService {
  /** Red, green, blue: what it shows. */
  pixels: Buffer = Buffer.alloc(3);

  constructor({ refuses = false, ...parts }: PlayedPanelParts) {
    super({
      ...parts,
      serviceClass: LIGHT_CLASS,
      take: (command, data) => (refuses ? undefined : this.command(command, data)),
    });
  }

  private command(command: number, data: Buffer): Buffer | "done" | undefined {
    if (command === (JD_SET_REGISTER | REGISTER_INTENSITY)) return "done";
    if (command === (JD_GET_REGISTER | REGISTER_PIXELS)) return this.pixels;
    if (command !== (JD_SET_REGISTER | REGISTER_PIXELS)) return undefined;
    this.pixels = Buffer.from(data);
    return "done";
  }
}

export class PlayedBuzzer extends PlayedService {
  private untilMs = 0;

  constructor({ refuses = false, ...parts }: PlayedPanelParts) {
    super({
      ...parts,
      serviceClass: BUZZER_CLASS,
      take: (command, data) => {
        if (refuses) return undefined;
        if (command === (JD_SET_REGISTER | REGISTER_INTENSITY)) return "done";
        if (command !== COMMAND_PLAY_TONE || data.length !== TONE_BYTES) return undefined;
        this.untilMs = parts.time.nowMs() + data.readUInt16LE(4);
        return "done";
      },
    });
    this.nowMs = () => parts.time.nowMs();
  }

  private readonly nowMs: () => number;

  /** True while a tone sounds. */
  get sounds(): boolean {
    return this.nowMs() < this.untilMs;
  }
}

export class PlayedMotor extends PlayedService {
  /** Pulses since it was looked at last. */
  pulses = 0;

  constructor({ refuses = false, ...parts }: PlayedPanelParts) {
    super({
      ...parts,
      serviceClass: MOTOR_CLASS,
      take: (command, data) => {
        if (refuses || command !== COMMAND_VIBRATE) return undefined;
        const pairs = Array.from({ length: data.length / 2 }, (_, i) => data.subarray(2 * i, 2 * i + 2));
        this.pulses += pairs.filter(([duration, intensity]) => duration > 0 && intensity > 0).length;
        return "done";
      },
    });
  }
}

/** The runtime's own light, as on the board: a command to the control service of the badge itself. The runtime for computers has none. */
export class StatusLight implements PlayedDevice {
  /** Red, green, blue: what it shows. */
  pixels: Buffer = Buffer.alloc(3);

  /** @param deviceId the badge's own, 16 hexadecimal digits @param send puts a frame on the bus */
  constructor(
    private readonly deviceId: string,
    private readonly send: (frame: Buffer) => void,
  ) {}

  receive(): void {
    // what is on the bus is not for it
  }

  takes(bytes: Buffer): boolean {
    const frame = decodeFrame(bytes);
    if (frame === undefined || frame.deviceId !== this.deviceId || !(frame.flags & JD_FLAG_COMMAND))
      return false;
    const [{ serviceIndex, command, data }] = frame.packets;
    if (serviceIndex !== JD_INDEX_CONTROL || command !== COMMAND_STATUS_LIGHT) return false;
    this.pixels = Buffer.from(data.subarray(0, 3));
    const packets = [{ serviceIndex: JD_INDEX_ACK, command: bytes.readUInt16LE(0), data: Buffer.alloc(0) }];
    this.send(encodeFrame({ flags: 0, deviceId: this.deviceId, packets }));
    return true;
  }
}
