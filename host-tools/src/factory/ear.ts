// Hears what the badge's front end hears, over USB: of each frame number, level and flags, and nothing of the sound.
import { decodeFrame, JD_FLAG_COMMAND, type JdService } from "@salestag/protocol/jacdac";
import { soundOf } from "../monitor/front-end";
import type { BadgePort } from "../usb/badge-port";

/** A frame of 20 ms. */
export interface HeardFrame {
  seq: number;
  /** 0 down to -127.5. */
  levelDbfs: number;
  muted: boolean;
}

const REGISTER_STREAMING_SAMPLES = 0x03;
/** Frames that the front end sends before it has to be asked again: 5 s. */
const SAMPLES = 255;
const ASK_AGAIN_MS = 1000;
const LOOK_MS = 50;
const FRAME_MS = 20;
/** A busy computer takes its time to read them. */
const LATE_MS_MAX = 3000;
const FRAMES_KEPT_MAX = 3000;

export class Ear {
  private frames: HeardFrame[] = [];
  private readonly unlisten: () => void;

  constructor(
    private readonly port: BadgePort,
    private readonly frontEnd: JdService,
  ) {
    this.unlisten = port.onFrame((bytes) => this.take(bytes));
  }

  close(): void {
    this.unlisten();
  }

  /** Begins to keep frames, for `more`. */
  begin(): void {
    this.stream();
    this.frames = [];
  }

  /** @returns the next so many frames; fewer when they do not come. Rejects when the badge is gone. */
  async hear(count: number): Promise<HeardFrame[]> {
    this.begin();
    return await this.more(count);
  }

  /** @returns so many frames and those since the beginning; fewer when they do not come. Rejects when the badge is gone. */
  async more(count: number): Promise<HeardFrame[]> {
    const before = this.frames.length;
    await this.wait((frames) => frames.length >= before + count, count * FRAME_MS + LATE_MS_MAX);
    return this.frames;
  }

  /**
   * Hears until something is so.
   * @param isSo asked often, with the frames since the beginning
   * @returns false when it was not in `msMax`. Rejects when the badge is gone.
   */
  async until(isSo: (frames: HeardFrame[]) => boolean, msMax: number): Promise<boolean> {
    this.begin();
    return await this.wait(isSo, msMax);
  }

  /** @returns the frames of the last hearing */
  last(): HeardFrame[] {
    return this.frames;
  }

  private async wait(isSo: (frames: HeardFrame[]) => boolean, msMax: number): Promise<boolean> {
    for (let ms = 0; ms < msMax; ms += LOOK_MS) {
      if (ms % ASK_AGAIN_MS === 0) this.stream();
      await this.port.client.pause(LOOK_MS);
      if (isSo(this.frames)) return true;
    }
    return false;
  }

  private stream(): void {
    this.port.client.writeRegister(this.frontEnd, REGISTER_STREAMING_SAMPLES, Buffer.from([SAMPLES]));
  }

  private take(bytes: Buffer): void {
    const frame = decodeFrame(bytes);
    const { deviceId, serviceIndex } = this.frontEnd;
    if (frame === undefined || frame.flags & JD_FLAG_COMMAND || frame.deviceId !== deviceId) return;
    for (const packet of frame.packets) {
      const sound = packet.serviceIndex === serviceIndex ? soundOf(packet) : undefined;
      if (sound === undefined || this.frames.length >= FRAMES_KEPT_MAX) continue;
      const { levelDb: levelDbfs, muted } = sound;
      this.frames.push({ seq: packet.data.readUInt32LE(0), levelDbfs, muted });
    }
  }
}

/** @returns the level below which so large a share of the frames lies, 0 to 1; -127.5 for none */
export function levelAt(frames: HeardFrame[], share: number): number {
  const levels = frames.map(({ levelDbfs }) => levelDbfs).sort((a, b) => a - b);
  return levels[Math.min(levels.length - 1, Math.floor(levels.length * share))] ?? -127.5;
}

/** @returns how many frames are missing between the first and the last */
export function missingIn(frames: HeardFrame[]): number {
  if (frames.length === 0) return 0;
  const seqs = frames.map(({ seq }) => seq);
  return Math.max(...seqs) - Math.min(...seqs) + 1 - new Set(seqs).size;
}
