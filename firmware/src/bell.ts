// Wakes a fiber that waits. The runtime's own emitters call a handler some time later, when the fiber that it would wake may be gone, and the program
// ends with that; and what is emitted while nobody waits is lost.
import { Fiber, suspend } from "@devicescript/core";

/** For one waiting fiber at a time. */
export class Bell {
  private rung = false;
  private fiber: Fiber | undefined = undefined;

  /** Wakes who waits; otherwise the next to wait goes on at once. */
  ring(): void {
    this.rung = true;
    const fiber = this.fiber;
    this.fiber = undefined;
    if (fiber?.suspended) fiber.resume(true);
  }

  /** Waits for the bell, at most so long. */
  async wait(ms: number): Promise<void> {
    if (!this.rung) {
      this.fiber = Fiber.self();
      await suspend<boolean>(ms);
      this.fiber = undefined;
    }
    this.rung = false;
  }
}
