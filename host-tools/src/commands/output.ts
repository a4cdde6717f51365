// Where commands write: results to standard output, notices to standard error, as people or as machines read them.
import { createColors } from "picocolors";

export interface Output {
  /** A line of the result. */
  line(text: string): void;
  /** A word to the user beside the result. */
  notice(text: string): void;
  colors: ReturnType<typeof createColors>;
}

/** The process's own streams; colour only where a person looks. */
export function processOutput(): Output {
  return {
    line: (text) => process.stdout.write(`${text}\n`),
    notice: (text) => process.stderr.write(`${text}\n`),
    colors: createColors(process.stdout.isTTY === true && !process.env.NO_COLOR),
  };
}

/** Prints `value` as JSON, or `lines` for people. */
export function jsonOr(output: Output, json: boolean, value: unknown, lines: string[]): void {
  if (json) output.line(JSON.stringify(value));
  else for (const line of lines) output.line(line);
}
