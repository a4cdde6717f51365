// A runtime on a pseudo-terminal with whatever program, or none, and nothing else on its bus: no flash chip, no front end, no network.

import { runAtPace } from "../src/emulator/pace-gate";
import { bootTestBadge } from "../src/emulator/test-badge";
import { UsbDoor } from "../src/usb-door";

export interface BareOptions {
  deviceId: string;
  /** Where its port is to appear. */
  link: string;
  /** None: an empty badge, or what is in `flash`. */
  program?: Buffer;
  flash?: Buffer;
}

export class BareBadge {
  private constructor(
    readonly lines: string[],
    readonly listenLog: (listener: (line: string) => void) => () => void,
    private readonly door: UsbDoor,
    private readonly stop: () => Promise<void>,
  ) {}

  static async plugIn({ deviceId, link, program, flash }: BareOptions): Promise<BareBadge> {
    const frames = new Set<(frame: Buffer) => void>();
    const listeners = new Set<(line: string) => void>();
    const lines: string[] = [];
    const { badge, time } = await bootTestBadge(program, {
      deviceId,
      flash,
      onFrame: (frame) => {
        for (const hear of frames) hear(frame);
      },
      onLog: (line) => {
        lines.push(line);
        for (const hear of listeners) hear(line);
      },
    });
    const hearIn =
      <T>(listeners: Set<(heard: T) => void>) =>
      (listener: (heard: T) => void) => {
        listeners.add(listener);
        return () => {
          listeners.delete(listener);
        };
      };
    const plug = {
      listen: hearIn(frames),
      listenLog: hearIn(listeners),
      fromHost: (frame: Buffer) => badge.receive(frame),
    };
    const door = await UsbDoor.onTerminal(plug, link);
    const stop = runAtPace(time);
    return new BareBadge(lines, plug.listenLog, door, async () => {
      await stop();
      badge.powerOff();
    });
  }

  /** Unplugs it and switches it off. */
  async putAway(): Promise<void> {
    await this.door.close();
    await this.stop();
  }
}
