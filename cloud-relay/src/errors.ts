// Errors that end the relay, and the exit code that each becomes.

export { messageOf, systemCodeOf } from "@salestag/protocol/service";

/** Exit codes of `salestag-relay`; the README has the same table. */
export enum ExitCode {
  /** Ended as asked, everything acked is durable. */
  Ok = 0,
  /** A mistake in the program. */
  Internal = 1,
  /** An option or the registry cannot be used. */
  Usage = 2,
  /** The spool is in use by another relay, or what is in its folder cannot be read. */
  Spool = 3,
  /** The disk refused a write or a sync; nothing that it concerns was acked. */
  Disk = 4,
  /** An address cannot be listened on. */
  Listen = 5,
}

/** An error for the operator: one sentence, and what the process ends with. */
export class RelayError extends Error {
  constructor(
    readonly exitCode: ExitCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = "RelayError";
  }
}
