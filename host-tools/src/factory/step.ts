// What the factory test's steps are and what each comes to.
import { keeps, type Value } from "./limits";

/** In the order in which they are done. */
export const STEPS = [
  "runtime",
  "program",
  "microphone",
  "tone",
  "mute",
  "light",
  "motor",
  "button",
  "flash",
  "wifi",
  "current",
  "start",
] as const;
export type StepName = (typeof STEPS)[number];

export type StepVerdict = "passed" | "failed" | "skipped";

export interface StepResult {
  step: StepName;
  verdict: StepVerdict;
  /** What was found; for `skipped`, why nothing was. */
  says: string;
  /** What to look at on the board; every failed step has it. */
  todo?: string;
  /** What was measured. */
  values: Value[];
}

/** What a step comes to, before it is put beside its name. */
export type Found = Omit<StepResult, "step">;

export function passed(says: string, values: Value[] = []): Found {
  return { verdict: "passed", says, values };
}

export function failed(says: string, todo: string, values: Value[] = []): Found {
  return { verdict: "failed", says, todo, values };
}

export function skipped(says: string, todo: string): Found {
  return { verdict: "skipped", says, todo, values: [] };
}

/** @returns the first value that does not keep to its limits, in words; undefined when all do */
export function outside(values: Value[]): string | undefined {
  const bad = values.find((value) => !keeps(value));
  if (bad === undefined) return undefined;
  const { name, value, unit, least, most } = bad;
  const limit = least !== undefined && value < least ? `at least ${least}` : `at most ${most}`;
  return `${name} is ${value} ${unit}, must be ${limit}`;
}

/** Passed when all values keep to their limits; else failed, with what to look at. */
export function judged(says: string, values: Value[], todo: string): Found {
  const bad = outside(values);
  return bad === undefined ? passed(says, values) : failed(bad, todo, values);
}
