// Ctrl-C: the first one asks the work to end at a place where nothing is left half done, the second one ends the process.
import { ExitCode, ToolError } from "@salestag/protocol/team";

/** @returns a signal that aborts with a ToolError at the first SIGINT or SIGTERM; end() gives the process its own ways back */
export function listenForInterrupt(notice: (text: string) => void): { signal: AbortSignal; end: () => void } {
  const controller = new AbortController();
  const stop = () => {
    if (controller.signal.aborted) process.exit(ExitCode.Interrupted);
    notice("Stopping at the next safe place; press Ctrl-C again to end at once.");
    controller.abort(new ToolError(ExitCode.Interrupted, "it was interrupted."));
  };
  process.on("SIGINT", stop);
  process.on("SIGTERM", stop);
  const end = () => {
    process.off("SIGINT", stop);
    process.off("SIGTERM", stop);
  };
  return { signal: controller.signal, end };
}
