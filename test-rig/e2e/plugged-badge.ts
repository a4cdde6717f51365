// An emulated badge in real time, in this process, with its USB port on a pseudo-terminal: what a technician plugs in.
import { type BadgeState, newBadgeState } from "../src/badge-state";
import { BENCH_DEFAULTS, Bench, type BenchOptions } from "../src/bench";
import { runAtPace } from "../src/emulator/pace-gate";
import type { Frames } from "../src/play";
import { type Cable, UsbDoor } from "../src/usb-door";

const CHIP_SECTORS = 256;

export interface PluggedOptions extends Partial<BenchOptions> {
  deviceId: string;
  /** Where its port is to appear. */
  link: string;
  /** What it hears; without it, it has no front end. */
  frames?: Frames;
  cable?: Cable;
}

export class PluggedBadge {
  readonly lines: string[] = [];
  private constructor(
    readonly bench: Bench,
    private door: UsbDoor,
    private readonly stop: () => Promise<void>,
  ) {
    bench.listenLog((line) => this.lines.push(line));
  }

  /** Its port, for --badge. */
  get port(): string {
    return this.door.port;
  }

  static async plugIn(options: PluggedOptions): Promise<PluggedBadge> {
    const { deviceId, link, frames, cable, ...more } = options;
    const state: BadgeState = more.state ?? newBadgeState(deviceId, CHIP_SECTORS);
    const bench = await Bench.open({ ...BENCH_DEFAULTS, ...more, state });
    if (frames !== undefined) bench.plugFrontEnd((seq) => frames.frame(seq));
    const door = await UsbDoor.onTerminal(bench, link, cable);
    const stop = runAtPace(bench.time);
    return new PluggedBadge(bench, door, async () => {
      await stop();
      bench.badge.powerOff();
    });
  }

  /** Waits until the badge says this word, from now on. */
  async says(word: string): Promise<void> {
    await new Promise<void>((resolve) => {
      const unlisten = this.bench.listenLog((line) => {
        if (!line.startsWith(`> ${word}`)) return;
        unlisten();
        resolve();
      });
    });
  }

  /** Pulls the cable. The badge goes on. */
  async unplug(): Promise<void> {
    await this.door.close();
  }

  async plugInAgain(link: string, cable?: Cable): Promise<void> {
    this.door = await UsbDoor.onTerminal(this.bench, link, cable);
  }

  /** Unplugs it and switches it off. */
  async putAway(): Promise<void> {
    await this.door.close();
    await this.stop();
  }
}
