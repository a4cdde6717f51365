// What is done again and again: once a day at the same time (UTC), or every so often.
import type { Clock } from "@salestag/protocol/service";

const DAY_MS = 24 * 3_600_000;

/**
 * @param atMs ms after midnight, UTC
 * @param run must not throw
 * @returns ends it
 */
export function daily(clock: Clock, atMs: number, run: () => void): () => void {
  let cancel: () => void = () => undefined;
  const next = () => {
    const waitMs = (atMs - (clock.unixMs() % DAY_MS) + DAY_MS) % DAY_MS || DAY_MS;
    cancel = clock.after(waitMs, () => {
      run();
      next();
    });
  };
  next();
  return () => cancel();
}

/** @returns ends it */
export function every(clock: Clock, ms: number, run: () => void): () => void {
  let cancel: () => void = () => undefined;
  const next = () => {
    cancel = clock.after(ms, () => {
      run();
      next();
    });
  };
  next();
  return () => cancel();
}
