// An emulated chip in download mode at a serial port of this machine, with the faults that a cable has.
import { Random } from "../emulator/random";
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
  /** Which bytes the two above hit; each direction has its own sequence. */
  seed?: number;
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

  private readonly toChip: Random;
  private readonly toHost: Random;
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
    const { seed = 1 } = faults;
    [this.toChip, this.toHost] = [new Random(2 * seed), new Random(2 * seed + 1)];
    chip.onSend = (bytes) => this.pty.writable.write(this.disturb(bytes, this.toHost));
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
    this.chip.receive(this.disturb(bytes.subarray(0, left), this.toChip));
    this.onByte?.(this.received);
    if (bytes.length >= left) void this.unplug();
  }

  private disturb(bytes: Buffer, random: Random): Buffer {
    const { corruptOneIn = 0, dropOneIn = 0 } = this.faults;
    if (corruptOneIn === 0 && dropOneIn === 0) return bytes;
    const result: number[] = [];
    for (const byte of bytes) {
      const lost = dropOneIn > 0 && random.uint32() % dropOneIn === 0;
      const hit = corruptOneIn > 0 && random.uint32() % corruptOneIn === 0;
      if (lost || hit) this.hits++;
      if (!lost) result.push(hit ? byte ^ (1 << (random.uint32() % 8)) : byte);
    }
    return Buffer.from(result);
  }
}
