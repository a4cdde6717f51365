// The relay's end of a connection that exists in memory only, with what a badge at the other end can do to it. It behaves like a
// TCP socket: when the badge closes its side, so does the relay; nothing is handed over within the call that sends it.
import { Duplex } from "node:stream";
import type { BadgeSocket } from "../../connection";

export class MemorySocket extends Duplex implements BadgeSocket {
  readonly remoteAddress = "memory";
  /** Bytes that the relay has written and the badge taken. */
  answeredBytes = 0;

  private unread: { bytes: Buffer; done: () => void }[] = [];
  private reading = true;
  private ended = false;

  /** @param onAnswer takes what the relay writes */
  constructor(private readonly onAnswer: (bytes: Buffer) => void) {
    super({ allowHalfOpen: false });
  }

  setNoDelay(): void {}

  override _read(): void {}

  override _write(bytes: Buffer, _encoding: string, done: () => void): void {
    if (!this.reading) {
      this.unread.push({ bytes, done });
      return;
    }
    this.answeredBytes += bytes.length;
    this.onAnswer(bytes);
    done();
  }

  /** The badge sends. What comes after the connection's end is lost, as on any network. */
  badgeSends(bytes: Buffer): void {
    this.soon(() => this.push(bytes));
  }

  /** The badge closes its side. */
  badgeEnds(): void {
    this.soon(() => {
      this.ended = true;
      this.push(null);
    });
  }

  /** The badge is gone without a word. */
  badgeVanishes(): void {
    queueMicrotask(() => this.destroy());
  }

  /** The badge reads nothing from now on. */
  badgeStopsReading(): void {
    this.reading = false;
  }

  badgeReadsOn(): void {
    this.reading = true;
    for (const { bytes, done } of this.unread.splice(0)) this._write(bytes, "", done);
  }

  private soon(run: () => void): void {
    queueMicrotask(() => {
      if (!this.destroyed && !this.ended) run();
    });
  }
}
