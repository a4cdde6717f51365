// Lets one fiber at a time at a chip: who comes takes a ticket and waits until it is called, so nobody is passed over.
import { sleep } from "@devicescript/core";

const WAIT_MS = 1;

export class Turns {
  private tickets = 0;
  private called = 0;

  /** Waits until it is the caller's turn, which lasts until `give`. */
  async take(): Promise<void> {
    const ticket = this.tickets++;
    while (this.called !== ticket) await sleep(WAIT_MS);
  }

  give(): void {
    this.called++;
  }
}
