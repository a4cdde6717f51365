// A badge-day in virtual time: conversations for four of ten hours, the real program, relay and network without faults; and what it cost, in slices.
import { addUsage, noUsage, type Usage } from "@salestag/hardware/power";
import { CONSENT_DEFAULT } from "@salestag/protocol";
import { RigError } from "../../src/errors";
import { simulate } from "../../src/simulate/run";
import { between, Meter } from "./meter";

export interface DayOptions {
  hours: number;
  seed: number;
  /** 0: always connected. */
  uploadEveryMs: number;
  onProgress: (virtualMs: number) => void;
  /** Called with what there is so far, after each slice. */
  onSlices?: (slices: Usage[]) => void;
}

/** One day. */
export interface Day {
  uploadEveryMs: number;
  /** One after the other, SLICE_MS each. */
  slices: Usage[];
  heapPeakBytes: number;
}

export const SLICE_MS = 300_000;
/** Silence between conversations that makes four hours of ten speech. */
const SILENCE_S = { min: 40, max: 136 };

/**
 * Plays a day.
 * @throws RigError when the simulation's oracle finds anything wrong
 */
export async function playDay({
  hours,
  seed,
  uploadEveryMs,
  onProgress,
  onSlices,
}: DayOptions): Promise<Day> {
  let meter: Meter | undefined;
  let last = noUsage();
  const slices: Usage[] = [];
  const slicesMax = Math.floor((hours * 3_600_000) / SLICE_MS);
  const { failures, heapPeakBytes } = await simulate({
    badges: 1,
    hours: hours + SLICE_MS / 3_600_000,
    seed,
    calm: true,
    consent: CONSENT_DEFAULT,
    tuning: { uploadEveryMs },
    silenceS: SILENCE_S,
    realMs: cpuMs,
    onStart: ([badge], nowMs) => {
      meter = new Meter(badge, nowMs);
    },
    onLog: (_badge, atMs, line) => meter?.line(line, atMs),
    onBytes: (toRelay, bytes, atMs) => meter?.bytes(toRelay, bytes, atMs),
    onProgress: (virtualMs) => {
      onProgress(virtualMs);
      if (meter === undefined || slices.length === slicesMax) return;
      const now = meter.total(virtualMs);
      if (now.elapsedMs < (slices.length + 1) * SLICE_MS) return;
      slices.push(between(last, now));
      last = now;
      onSlices?.(slices);
    },
  });
  if (failures.length > 0) throw new RigError(`The day of seed ${seed} went wrong: ${failures[0]}`);
  return { uploadEveryMs, slices, heapPeakBytes };
}

/** @returns all of a day */
export function wholeOf({ slices }: Day): Usage {
  return slices.reduce(addUsage, noUsage());
}

/**
 * What the day would have cost with another share of kept sound: every count as a straight line over it, fitted to the slices.
 * @param keptShare 0 to 1
 */
export function withKept(day: Day, keptShare: number): Usage {
  const whole = wholeOf(day);
  const x = day.slices.map(({ keptMs, elapsedMs }) => keptMs / elapsedMs);
  const scale = (name: keyof Usage) => {
    const y = day.slices.map((slice) => slice[name] / slice.elapsedMs);
    const { a, b } = line(x, y);
    return Math.max(0, a + b * keptShare) * whole.elapsedMs;
  };
  const names = Object.keys(whole) as (keyof Usage)[];
  const fitted = Object.fromEntries(names.map((name) => [name, scale(name)])) as unknown as Usage;
  return { ...fitted, elapsedMs: whole.elapsedMs, inReachMs: whole.inReachMs };
}

/** @returns least squares, y = a + b x */
function line(x: number[], y: number[]): { a: number; b: number } {
  const mean = (values: number[]) => values.reduce((sum, one) => sum + one, 0) / values.length;
  const [mx, my] = [mean(x), mean(y)];
  const sxx = x.reduce((sum, one) => sum + (one - mx) ** 2, 0);
  const sxy = x.reduce((sum, one, i) => sum + (one - mx) * (y[i] - my), 0);
  const b = sxx === 0 ? 0 : sxy / sxx;
  return { a: my - b * mx, b };
}

/** Time of this process on a processor: what else runs on the machine does not count. */
function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}
