// Keeps virtual time from running faster than a multiple of real time: 1 for an emulated badge that people and tools talk to.
import { setTimeout as sleep } from "node:timers/promises";
import type { Gate, VirtualTime } from "./virtual-time";

const STEP_MS = 10;

/**
 * Lets virtual time run from now on, no faster than a multiple of real time.
 * @param speed virtual ms for each real ms
 * @returns stops it; resolves when it stands still
 */
export function runAtPace(time: VirtualTime, speed = 1): () => Promise<void> {
  new PaceGate(time, () => performance.now(), speed);
  let on = true;
  const running = time.run(Number.MAX_SAFE_INTEGER, () => !on);
  return async () => {
    on = false;
    await running;
  };
}

export class PaceGate implements Gate {
  private readonly startVirtualMs: number;
  private readonly startRealMs: number;

  /** @param speed virtual ms for each real ms */
  constructor(
    private readonly time: VirtualTime,
    private readonly realMs: () => number,
    private readonly speed: number,
  ) {
    this.startVirtualMs = time.nowMs();
    this.startRealMs = realMs();
    time.addGate(this);
  }

  holdMs(): number {
    return this.startVirtualMs + (this.realMs() - this.startRealMs) * this.speed;
  }

  async changed(): Promise<void> {
    await sleep(STEP_MS);
  }

  /** Lets virtual time run freely again. */
  open(): void {
    this.time.removeGate(this);
  }
}
