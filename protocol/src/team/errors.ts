// Errors that a user of the team's tools can do something about, and the exit codes that they become.

export { clauseOf, messageOf } from "../service/errors";

/** Exit codes of `salestag` and `salestag-memory`; the README of host-tools has the same table. */
export enum ExitCode {
  Ok = 0,
  /** A mistake in the program. */
  Internal = 1,
  /** An argument, or a file that was named, cannot be used. */
  Usage = 2,
  /** The keys do not fit: wrong identity, unknown badge, shredded conversation. */
  Keys = 3,
  /** Something in the recordings is missing, damaged or forged. */
  Damaged = 4,
  /** The badge does not answer or does not do what it is told. */
  Badge = 5,
  /** Ctrl-C; what was begun is finished or taken back. */
  Interrupted = 130,
}

/** One sentence that names what is wrong and what to do. Never holds a key. */
export class ToolError extends Error {
  constructor(
    readonly exitCode: ExitCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = "ToolError";
  }
}
