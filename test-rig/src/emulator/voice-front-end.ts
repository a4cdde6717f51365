// Plays the Jacdac service `voice-front-end` (firmware/services/voice-front-end.md) on an emulated badge's bus: announces
// itself twice a second, and while a client streams the reading sends one frame every 20 ms of virtual time.
import { FRAME_MS } from "@salestag/protocol";
import {
  decodeFrame,
  encodeFrame,
  JD_FLAG_COMMAND,
  JD_GET_REGISTER,
  JD_INDEX_CONTROL,
  JD_SET_REGISTER,
} from "@salestag/protocol/jacdac";
import type { VirtualTime } from "./virtual-time";

/** Service class of voice-front-end.md. */
export const VOICE_FRONT_END_CLASS = 0x1f5a7c3e;

const REGISTER_READING = 0x101;
const REGISTER_STREAMING_SAMPLES = 0x03;
const REGISTER_STREAMING_INTERVAL = 0x04;
const ANNOUNCE_MS = 500;
const SERVICE_INDEX = 1;

export interface VoiceFrontEndParts {
  time: VirtualTime;
  /** Hardware id of the front end on the bus, 16 hexadecimal digits. */
  deviceId: string;
  /** Puts a frame on the bus. @param seq number of the hop, when the frame carries one */
  send: (frame: Buffer, seq?: number) => void;
  /** @returns the front end's frame of this hop; undefined: it falls silent */
  frameOf: (seq: number) => Buffer | undefined;
}

export class VoiceFrontEnd {
  /** Number of the next frame; 0 until a client streams. */
  seq = 0;
  /** Virtual ms at which hop 0 began; -1 until then. */
  startMs = -1;

  private announces = 0;
  private samplesLeft = 0;
  private off = false;

  constructor(private readonly parts: VoiceFrontEndParts) {
    this.announce();
  }

  /** Takes the front end off the bus. */
  powerOff(): void {
    this.off = true;
  }

  /** Takes a frame from the bus. */
  receive(bytes: Buffer): void {
    const frame = decodeFrame(bytes);
    if (frame === undefined || frame.deviceId !== this.parts.deviceId || !(frame.flags & JD_FLAG_COMMAND))
      return;
    for (const { serviceIndex, command, data } of frame.packets) {
      if (serviceIndex !== SERVICE_INDEX) continue;
      if (command === (JD_SET_REGISTER | REGISTER_STREAMING_SAMPLES) && data.length > 0) this.stream(data[0]);
      else if (command === (JD_GET_REGISTER | REGISTER_STREAMING_SAMPLES))
        this.report(command, Buffer.from([this.samplesLeft]));
      else if (command === (JD_GET_REGISTER | REGISTER_STREAMING_INTERVAL))
        this.report(command, Buffer.from([FRAME_MS, 0, 0, 0]));
    }
  }

  private stream(samples: number): void {
    this.samplesLeft = samples;
    if (this.startMs >= 0 || samples === 0) return;
    this.startMs = this.parts.time.nowMs();
    this.parts.time.at(this.startMs + FRAME_MS, () => this.nextFrame());
  }

  /** The microphone never waits: a hop that nobody asks for passes unsent. */
  private nextFrame(): void {
    if (this.off) return;
    const frame = this.parts.frameOf(this.seq);
    if (frame === undefined) return;
    this.seq++;
    this.parts.time.at(this.startMs + (this.seq + 1) * FRAME_MS, () => this.nextFrame());
    if (this.samplesLeft === 0) return;
    this.samplesLeft--;
    this.report(JD_GET_REGISTER | REGISTER_READING, frame, this.seq - 1);
  }

  private report(command: number, data: Buffer, seq?: number): void {
    const { deviceId } = this.parts;
    this.parts.send(
      encodeFrame({ flags: 0, deviceId, packets: [{ serviceIndex: SERVICE_INDEX, command, data }] }),
      seq,
    );
  }

  private announce(): void {
    if (this.off) return;
    const { deviceId, time } = this.parts;
    this.announces = Math.min(15, this.announces + 1); // a counter that stays at 15 tells restarts from long uptime
    const data = Buffer.alloc(8);
    data.writeUInt32LE(this.announces, 0);
    data.writeUInt32LE(VOICE_FRONT_END_CLASS, 4);
    const packet = { serviceIndex: JD_INDEX_CONTROL, command: 0, data };
    this.parts.send(encodeFrame({ flags: 0, deviceId, packets: [packet] }));
    time.at(time.nowMs() + ANNOUNCE_MS, () => this.announce());
  }
}
