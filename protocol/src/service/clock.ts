// Time as the relay sees it. Everything that waits or stamps takes a Clock, so that tests decide what time it is.

/** A source of time and timers. */
export interface Clock {
  /** Unix time in ms. */
  unixMs(): number;
  /** ms since some fixed moment; never goes back. */
  steadyMs(): number;
  /** Calls `run` once after `delayMs`. @returns a function that prevents it */
  after(delayMs: number, run: () => void): () => void;
}

/** The machine's own time. */
export const systemClock: Clock = {
  unixMs: () => Date.now(),
  steadyMs: () => performance.now(),
  after(delayMs, run) {
    const timer = setTimeout(run, delayMs);
    return () => clearTimeout(timer);
  },
};
