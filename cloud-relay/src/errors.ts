// Errors that end the relay, and the exit code that each becomes.

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

/** @returns the text of anything that was thrown */
export function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}

/** @returns the code of an error of the system, such as ENOSPC, or undefined for any other error */
export function systemCodeOf(cause: unknown): string | undefined {
  const code = (cause as NodeJS.ErrnoException | undefined)?.code;
  return typeof code === "string" ? code : undefined;
}
