// A clock that stands still until a test moves it.
import type { Clock } from "@salestag/protocol/service";

export class ManualClock implements Clock {
  private readonly timers = new Set<{ atMs: number; run: () => void }>();

  constructor(private nowMs: number) {}

  unixMs(): number {
    return this.nowMs;
  }

  steadyMs(): number {
    return this.nowMs;
  }

  /** How many timers wait. */
  get waiting(): number {
    return this.timers.size;
  }

  after(delayMs: number, run: () => void): () => void {
    const timer = { atMs: this.nowMs + delayMs, run };
    this.timers.add(timer);
    return () => this.timers.delete(timer);
  }

  /** Moves on, and runs what is due, in order. */
  move(byMs: number): void {
    const untilMs = this.nowMs + byMs;
    for (;;) {
      const due = [...this.timers].filter(({ atMs }) => atMs <= untilMs).sort((a, b) => a.atMs - b.atMs)[0];
      if (due === undefined) break;
      this.timers.delete(due);
      this.nowMs = due.atMs;
      due.run();
    }
    this.nowMs = untilMs;
  }
}
