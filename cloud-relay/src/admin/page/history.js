// @ts-check
// What the page remembers of the last five minutes: a value for each answer, with gaps where there was none.

/** How far back the plots go. */
export const SPAN_MS = 5 * 60_000;
/** A rate is the mean of this long. */
const RATE_SPAN_MS = 5000;

/** @typedef {{ atMs: number, value: number | null }} Point value is null in a gap */

/** Values of the last SPAN_MS, oldest first. */
export class History {
  /** @type {Point[]} */
  points = [];

  /**
   * @param {number} atMs this browser's time; rises
   * @param {number | null} value null: there is none, the line is broken
   */
  add(atMs, value) {
    if (value === null && (this.points.length === 0 || this.last === null)) return;
    this.points.push({ atMs, value });
    // One that has left on the left stays, so that the line goes to the edge.
    while (this.points.length > 1 && this.points[1].atMs <= atMs - SPAN_MS) this.points.shift();
  }

  /** The newest value; null in a gap or when there is nothing. */
  get last() {
    return this.points.at(-1)?.value ?? null;
  }

  /** Values without gaps. @returns {number[]} */
  get values() {
    return this.points.flatMap(({ value }) => (value === null ? [] : [value]));
  }
}

/** How fast a counter of the relay rises. */
export class Rate {
  /** @type {{ uptimeMs: number, count: number }[]} */
  samples = [];

  /**
   * @param {number} uptimeMs the relay's; when it is smaller than before the counter began again
   * @param {number} count
   * @returns {number | null} per second; null until there are two samples
   */
  add(uptimeMs, count) {
    if (uptimeMs <= (this.samples.at(-1)?.uptimeMs ?? -1)) this.samples = [];
    this.samples.push({ uptimeMs, count });
    while (this.samples.length > 2 && this.samples[1].uptimeMs <= uptimeMs - RATE_SPAN_MS)
      this.samples.shift();
    const [first] = this.samples;
    return first.uptimeMs === uptimeMs ? null : ((count - first.count) * 1000) / (uptimeMs - first.uptimeMs);
  }
}
