// Where commands write: results to standard output, notices to standard error, as people or as machines read them.
import { createColors } from "picocolors";

const CLEAR_LINE = "\x1b[K";

export interface Output {
  /** A line of the result. */
  line(text: string): void;
  /** A word to the user beside the result. */
  notice(text: string): void;
  /** How far it is, where a person looks; the next notice or `""` takes its place. */
  progress(text: string): void;
  colors: ReturnType<typeof createColors>;
}

/** The process's own streams; colour only where a person looks. */
export function processOutput(): Output {
  const { stdout, stderr } = process;
  let shown = "";
  const progress = (text: string) => {
    if (stderr.isTTY !== true || text === shown) return;
    stderr.write(`\r${CLEAR_LINE}${text}`);
    shown = text;
  };
  const write = (stream: NodeJS.WriteStream, text: string) => {
    progress("");
    stream.write(`${text}\n`);
  };
  return {
    line: (text) => write(stdout, text),
    notice: (text) => write(stderr, text),
    progress,
    colors: createColors(process.stdout.isTTY === true && !process.env.NO_COLOR),
  };
}

/** Prints `value` as JSON, or `lines` for people. */
export function jsonOr(output: Output, json: boolean, value: unknown, lines: string[]): void {
  if (json) output.line(JSON.stringify(value));
  else for (const line of lines) output.line(line);
}
