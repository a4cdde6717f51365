// An emulated chip in download mode at a serial port of this machine, with the faults that a cable has.
import { Pty } from "../pty";
import type { EmulatedBootloader } from "./bootloader";

/** What goes wrong on the line. Counts are of bytes from the host to the chip unless said otherwise. */
export interface LineFaults {
  /** Pull the cable when so many bytes have come: power and port are gone. */
  unplugAtByte?: number;
  /** Of both directions: one byte in so many is changed. */
  corruptOneIn?: number;
  /** Of both directions: one byte in so many is lost. */
  dropOneIn?: number;
  /** For the two above. @returns 0 to 2^32 - 1 */
  random?: () => number;
  /** Bytes that come at once, each piece in a turn of the event loop of its own: a slow line. */
  pieceBytes?: number;
}

export class ChipPort {
  /** Resolves when the cable was pulled or the power went. */
  readonly unplugged: Promise<void>;
  /** Called when so many bytes have come from the host: a test's moment to interrupt it. */
  onByte: ((countBytes: number) => void) | undefined;

  /** Bytes that were changed or lost so far. */
  hits = 0;

  private received = 0;
  private pulled: () => void = () => undefined;

  private constructor(
    readonly chip: EmulatedBootloader,
    private readonly pty: Pty,
    private readonly faults: LineFaults,
  ) {
    this.unplugged = new Promise((resolve) => {
      this.pulled = resolve;
    });
    chip.onSend = (bytes) => this.pty.writable.write(this.disturb(bytes));
    chip.flash.onPowerCut = () => void this.unplug();
    pty.readable.on("data", (bytes: Buffer) => void this.take(bytes));
  }

  /** Plugs a chip in with BOOT held. @param linkPath where the port is to be found, besides its own name */
  static async plugIn(
    chip: EmulatedBootloader,
    faults: LineFaults = {},
    linkPath?: string,
  ): Promise<ChipPort> {
    const pty = await Pty.open(linkPath);
    chip.powerUp();
    return new ChipPort(chip, pty, faults);
  }

  /** Of the serial port. */
  get path(): string {
    return this.pty.path;
  }

  /** Pulls the cable. */
  async unplug(): Promise<void> {
    this.chip.powerDown();
    await this.pty.close();
    this.pulled();
  }

  private queue: Promise<void> = Promise.resolve();

  private take(bytes: Buffer): void {
    const pieceBytes = this.faults.pieceBytes ?? bytes.length;
    for (let at = 0; at < bytes.length; at += pieceBytes) {
      const piece = bytes.subarray(at, at + pieceBytes);
      if (this.faults.pieceBytes === undefined) this.deliver(piece);
      else {
        const turn = () => new Promise<void>((resolve) => setImmediate(resolve));
        this.queue = this.queue.then(turn).then(() => this.deliver(piece));
      }
    }
  }

  private deliver(bytes: Buffer): void {
    const { unplugAtByte = Number.POSITIVE_INFINITY } = this.faults;
    const left = unplugAtByte - this.received;
    if (left <= 0) return;
    this.received += bytes.length;
    this.chip.receive(this.disturb(bytes.subarray(0, left)));
    this.onByte?.(this.received);
    if (bytes.length >= left) void this.unplug();
  }

  private disturb(bytes: Buffer): Buffer {
    const { corruptOneIn = 0, dropOneIn = 0, random = () => 1 } = this.faults;
    if (corruptOneIn === 0 && dropOneIn === 0) return bytes;
    const result: number[] = [];
    for (const byte of bytes) {
      const lost = dropOneIn > 0 && random() % dropOneIn === 0;
      const hit = corruptOneIn > 0 && random() % corruptOneIn === 0;
      if (lost || hit) this.hits++;
      if (!lost) result.push(hit ? byte ^ (1 << (random() % 8)) : byte);
    }
    return Buffer.from(result);
  }
}
