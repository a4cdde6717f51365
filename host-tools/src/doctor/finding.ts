// What the doctor finds: one line each.

export type Verdict = "ok" | "warning" | "failed" | "skipped";

export interface Finding {
  /** What was looked at, a word or two. */
  check: string;
  verdict: Verdict;
  /** What was found; for `skipped`, why nothing was. Never holds a key. */
  says: string;
  /** What to do about it; every finding has it that is not ok. */
  todo?: string;
  /** Commands to type, in this order. */
  commands?: string[];
}

export function ok(check: string, says: string): Finding {
  return { check, verdict: "ok", says };
}

export function warning(check: string, says: string, todo: string): Finding {
  return { check, verdict: "warning", says, todo };
}

export function failed(check: string, says: string, todo: string, commands?: string[]): Finding {
  return { check, verdict: "failed", says, todo, ...(commands === undefined ? {} : { commands }) };
}

export function skipped(check: string, says: string, todo: string): Finding {
  return { check, verdict: "skipped", says, todo };
}
