// The USB port of a badge that resets now and then: it vanishes with the reset and is there again, under the same name, when the runtime runs,
// as a real one does.
import type { Bench } from "./bench";
import type { UsbDoor } from "./usb-door";

export class UsbPlug {
  private changing: Promise<void> = Promise.resolve();
  private readonly unlisten: () => void;

  private constructor(
    bench: Bench,
    private door: UsbDoor | undefined,
    open: (port: string) => Promise<UsbDoor>,
  ) {
    const port = this.port;
    this.unlisten = bench.listenPower((on) => {
      this.next(async () => {
        if (on) this.door = await open(port);
        else await this.pull();
      });
    });
  }

  /** @param open opens the door; when the badge has been away it gets the name that the door had before */
  static async plugIn(bench: Bench, open: (port?: string) => Promise<UsbDoor>): Promise<UsbPlug> {
    return new UsbPlug(bench, await open(), open);
  }

  /** What a tool takes as the badge's port. @throws Error while the badge is away */
  get port(): string {
    if (this.door === undefined) throw new Error("the badge is away from its port");
    return this.door.port;
  }

  /** Resolves when what the badge's resets ask for is done. Rejects when the port could not be made again. */
  async settled(): Promise<void> {
    await this.changing;
  }

  /** Pulls the cable for good. Rejects when the port could not be made again after a reset. */
  async close(): Promise<void> {
    this.unlisten();
    this.next(() => this.pull());
    await this.changing;
  }

  private next(change: () => Promise<void>): void {
    this.changing = this.changing.then(change);
    this.changing.catch(() => undefined); // told by settled() and close()
  }

  private async pull(): Promise<void> {
    const { door } = this;
    this.door = undefined;
    await door?.close();
  }
}
