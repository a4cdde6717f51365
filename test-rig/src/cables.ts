// Bad USB cables between an emulated badge and a tool: one that loses and changes bytes, one that is slow.
import { Random } from "./emulator/random";
import type { Cable } from "./usb-door";

/** Of a million bytes. */
const LOST_PPM = 2000;
const CHANGED_PPM = 2000;

/** Loses 0.2% of all bytes and changes another 0.2%. */
export class NoisyCable implements Cable {
  private readonly random: Random;

  constructor(seed: number) {
    this.random = new Random(seed);
  }

  toHost(bytes: Buffer, arrive: (bytes: Buffer) => void): void {
    arrive(this.disturb(bytes));
  }

  toBadge(bytes: Buffer, arrive: (bytes: Buffer) => void): void {
    arrive(this.disturb(bytes));
  }

  private disturb(bytes: Buffer): Buffer {
    const left: number[] = [];
    for (const byte of bytes) {
      const drawn = this.random.uint32() % 1_000_000;
      if (drawn < LOST_PPM) continue;
      left.push(drawn < LOST_PPM + CHANGED_PPM ? byte ^ (1 << (drawn & 7)) : byte);
    }
    return Buffer.from(left);
  }
}

/** Lets so many bytes a second through in each direction; what does not get on in time is lost, as in a badge's own buffer. */
export class SlowCable implements Cable {
  private readonly waiting: { toHost: Queue; toBadge: Queue };

  constructor(bytesPerSecond: number) {
    this.waiting = { toHost: new Queue(bytesPerSecond), toBadge: new Queue(bytesPerSecond) };
  }

  toHost(bytes: Buffer, arrive: (bytes: Buffer) => void): void {
    this.waiting.toHost.push(bytes, arrive);
  }

  toBadge(bytes: Buffer, arrive: (bytes: Buffer) => void): void {
    this.waiting.toBadge.push(bytes, arrive);
  }
}

const QUEUE_BYTES_MAX = 2048;

class Queue {
  private freeAtMs = 0;

  constructor(private readonly bytesPerSecond: number) {}

  push(bytes: Buffer, arrive: (bytes: Buffer) => void): void {
    const nowMs = performance.now();
    const queuedBytes = (Math.max(0, this.freeAtMs - nowMs) * this.bytesPerSecond) / 1000;
    if (queuedBytes > QUEUE_BYTES_MAX) return;
    this.freeAtMs = Math.max(this.freeAtMs, nowMs) + (bytes.length * 1000) / this.bytesPerSecond;
    setTimeout(() => arrive(bytes), this.freeAtMs - nowMs);
  }
}
