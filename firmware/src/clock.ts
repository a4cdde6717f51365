// What time it is: the badge has no clock that runs without power, so it knows ms since boot and learns from the relay how far they are from
// Unix time. A relay that tells something impossible is not followed (docs/wire-format.md, "Time").

/** A relay's time may differ so much from what the badge has counted itself. */
const STEP_MS_MAX = 60000;
/** The crystal may drift by so many ms a second: 500 ppm. */
const DRIFT_DIVISOR = 2000;
/** The badge may have been switched off for so long at most: 400 days. */
const OFF_MS_MAX = 400 * 86400 * 1000;
/** Time may lie so much before the latest that the badge knows of. */
const BACK_MS_MAX = 600000;
/** No badge is older than 2025-01-01. */
const UNIX_MS_MIN = 1735689600000;

export class BadgeClock {
  /** Unix time in ms at boot; undefined until it was told. */
  offsetMs: number | undefined = undefined;

  private toldAtMs = 0;

  /** @param knownUnixMs latest Unix time that the badge knows of, 0 for none */
  constructor(private readonly knownUnixMs: number) {}

  /**
   * The relay told the time.
   * @param nowMs ms since boot
   * @returns false when it cannot be
   */
  told(unixMs: number, nowMs: number): boolean {
    if (!this.believable(unixMs, nowMs)) return false;
    this.offsetMs = unixMs - nowMs;
    this.toldAtMs = nowMs;
    return true;
  }

  /** @returns Unix time in ms; undefined while it is not known */
  unixMs(nowMs: number): number | undefined {
    return this.offsetMs === undefined ? undefined : nowMs + this.offsetMs;
  }

  private believable(unixMs: number, nowMs: number): boolean {
    if (unixMs < UNIX_MS_MIN || unixMs < this.knownUnixMs - BACK_MS_MAX) return false;
    if (this.offsetMs !== undefined) {
      const difference = unixMs - nowMs - this.offsetMs;
      const bound = STEP_MS_MAX + (nowMs - this.toldAtMs) / DRIFT_DIVISOR;
      return difference <= bound && difference >= -bound;
    }
    return this.knownUnixMs === 0 || unixMs <= this.knownUnixMs + OFF_MS_MAX;
  }
}
