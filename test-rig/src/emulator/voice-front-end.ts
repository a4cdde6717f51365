// Plays the Jacdac service `voice-front-end` (firmware/services/voice-front-end.md) on an emulated badge's bus: while a client streams the reading it
// sends one frame every 20 ms of virtual time.
import { FRAME_MS } from "@salestag/protocol";
import { JD_GET_REGISTER, JD_SET_REGISTER } from "@salestag/protocol/jacdac";
import { BusDevice, type BusDeviceParts } from "./bus-device";

/** Service class of voice-front-end.md. */
export const VOICE_FRONT_END_CLASS = 0x1f5a7c3e;

const REGISTER_READING = 0x101;
const REGISTER_STREAMING_SAMPLES = 0x03;
const REGISTER_STREAMING_INTERVAL = 0x04;

export interface VoiceFrontEndParts extends Omit<BusDeviceParts, "serviceClass"> {
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

  private readonly device: BusDevice;
  private samplesLeft = 0;

  constructor(private readonly parts: VoiceFrontEndParts) {
    this.device = new BusDevice({ ...parts, serviceClass: VOICE_FRONT_END_CLASS });
  }

  /** Takes the front end off the bus. */
  powerOff(): void {
    this.device.off = true;
  }

  /** Takes a frame from the bus. */
  receive(bytes: Buffer): void {
    for (const { command, data } of this.device.commandsIn(bytes)) {
      if (command === (JD_SET_REGISTER | REGISTER_STREAMING_SAMPLES) && data.length > 0) this.stream(data[0]);
      else if (command === (JD_GET_REGISTER | REGISTER_STREAMING_SAMPLES))
        this.device.report(command, Buffer.from([this.samplesLeft]));
      else if (command === (JD_GET_REGISTER | REGISTER_STREAMING_INTERVAL))
        this.device.report(command, Buffer.from([FRAME_MS, 0, 0, 0]));
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
    if (this.device.off) return;
    const frame = this.parts.frameOf(this.seq);
    if (frame === undefined) return;
    this.seq++;
    this.parts.time.at(this.startMs + (this.seq + 1) * FRAME_MS, () => this.nextFrame());
    if (this.samplesLeft === 0) return;
    this.samplesLeft--;
    this.parts.send(this.device.reportFrame(JD_GET_REGISTER | REGISTER_READING, frame), this.seq - 1);
  }
}
