// Something that is done once a day, at the same time (UTC).
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
