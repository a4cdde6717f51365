// What cannot be done now and waits for somebody: chunks that do not open, conversations of unknown badges. Told once in the log, and shown as long as it lasts.
import type { Log } from "@salestag/protocol/service";

export interface Problem {
  /** What it is about: a badge, `<badge>/<epoch>`, or a part of the service. */
  about: string;
  /** A sentence: what is wrong, and what to do. */
  what: string;
  sinceUnixMs: number;
}

/** Problems that are remembered; what is beyond them is only counted. */
const PROBLEMS_MAX = 10_000;

export class Problems {
  private readonly standing = new Map<string, Problem>();

  constructor(
    private readonly log: Log,
    private readonly nowUnixMs: () => number,
  ) {}

  /** Notes a problem; it is told in the log where it is new. */
  note(about: string, what: string): void {
    if (this.standing.get(about)?.what === what) return;
    this.log.warn("problem", { about, what });
    if (this.standing.size >= PROBLEMS_MAX && !this.standing.has(about)) return;
    this.standing.set(about, { about, what, sinceUnixMs: this.nowUnixMs() });
  }

  /** It is over. */
  clear(about: string): void {
    if (this.standing.delete(about)) this.log.info("problem is over", { about });
  }

  /** @returns those that stand, oldest first */
  list(): Problem[] {
    return [...this.standing.values()];
  }
}
