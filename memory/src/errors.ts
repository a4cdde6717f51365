// Errors that end `salestag-memory`, and the exit code that each becomes.
import { FolderInUse } from "@salestag/protocol/service";
import { ExitCode as TeamExitCode, ToolError } from "@salestag/protocol/team";
import { DatabaseTrouble } from "./store/engine";

/** Exit codes of `salestag-memory`; docs/memory.md has the same table. */
export enum ExitCode {
  Ok = 0,
  /** A mistake in the program. */
  Internal = 1,
  /** An argument, the configuration or a file that it names cannot be used. */
  Usage = 2,
  /** The vault or the identity does not fit. */
  Keys = 3,
  /** The database or the data folder cannot be used as it is. */
  Database = 4,
  /** An address cannot be listened on. */
  Listen = 5,
}

/** An error for the operator: one sentence, and what the process ends with. */
export class MemoryError extends Error {
  constructor(
    readonly exitCode: ExitCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = "MemoryError";
  }
}

/** @returns the code that the process ends with */
export function exitCodeOf(cause: unknown): ExitCode {
  if (cause instanceof MemoryError) return cause.exitCode;
  if (cause instanceof DatabaseTrouble || cause instanceof FolderInUse) return ExitCode.Database;
  if (cause instanceof ToolError)
    return cause.exitCode === TeamExitCode.Keys ? ExitCode.Keys : ExitCode.Usage;
  const code = (cause as NodeJS.ErrnoException | undefined)?.code;
  if (code === "EADDRINUSE" || code === "EACCES" || code === "EADDRNOTAVAIL") return ExitCode.Listen;
  return ExitCode.Internal;
}
