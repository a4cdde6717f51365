// A closed loop: every lane keeps so many chunks in flight and sends the next when one is acked. Counts acks and their latencies.

/** Sends one chunk; calls back once it is acked. */
export type Send = (acked: () => void) => void;

/** How long to run. */
export interface Span {
  warmUpMs: number;
  measureMs: number;
}

/** What a closed loop measured, without its warm-up. */
export interface Measured {
  chunksPerS: number;
  p50Ms: number;
  p99Ms: number;
}

/** Runs a closed loop until its time is over and everything is acked. */
export class ClosedLoop {
  private readonly latenciesMs: number[] = [];
  private outstanding = 0;
  private state: "warming" | "measuring" | "draining" = "warming";
  private drained = () => {};

  constructor(private readonly inFlight: number) {}

  /** @param onMeasure called when the warm-up ends, and again when the measurement does; must be quick */
  async run(lanes: readonly Send[], { warmUpMs, measureMs }: Span, onMeasure: () => void): Promise<Measured> {
    for (const lane of lanes) for (let i = 0; i < this.inFlight; i++) this.sendOn(lane);
    await after(warmUpMs);
    onMeasure();
    const startedMs = performance.now();
    this.state = "measuring";
    await after(measureMs);
    this.state = "draining";
    const seconds = (performance.now() - startedMs) / 1000;
    onMeasure();
    if (this.outstanding > 0) await new Promise<void>((resolve) => (this.drained = resolve));
    return measuredOf(this.latenciesMs, seconds);
  }

  private sendOn(lane: Send): void {
    const sentMs = performance.now();
    this.outstanding++;
    lane(() => {
      this.outstanding--;
      if (this.state === "measuring") this.latenciesMs.push(performance.now() - sentMs);
      if (this.state !== "draining") this.sendOn(lane);
      else if (this.outstanding === 0) this.drained();
    });
  }
}

function measuredOf(latenciesMs: readonly number[], seconds: number): Measured {
  const sorted = Float64Array.from(latenciesMs).sort();
  return {
    chunksPerS: sorted.length / seconds,
    p50Ms: quantile(sorted, 0.5),
    p99Ms: quantile(sorted, 0.99),
  };
}

/** @param sorted rising @returns the value below which the share `q` of them lies; NaN of none */
export function quantile(sorted: ArrayLike<number>, q: number): number {
  return sorted.length === 0
    ? Number.NaN
    : sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))];
}

/** @returns the middle value, or the mean of the two in the middle; NaN of none */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  if (sorted.length === 0) return Number.NaN;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

function after(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
