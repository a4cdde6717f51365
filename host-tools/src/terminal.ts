// Questions to the one at the terminal. The answer never comes from an argument, so that it is in no shell history.
import { closeSync, openSync } from "node:fs";
import { createInterface } from "node:readline";
import { Writable } from "node:stream";
import { ReadStream } from "node:tty";
import { ExitCode, ToolError } from "@salestag/protocol/team";

const ANSWER_CHARACTERS_MAX = 1024;

/**
 * Asks on standard error and reads a line from the terminal: standard input, or else the one that the process belongs to.
 * @param hidden what is typed does not show
 * @param otherwise what to do where there is no terminal, for the error
 * @throws ToolError when there is no terminal, or the question is broken off
 */
export async function askTerminal(question: string, hidden: boolean, otherwise: string): Promise<string> {
  const terminal = openTerminal();
  if (terminal === undefined)
    throw new ToolError(ExitCode.Usage, `there is no terminal to ask for ${otherwise}.`);
  try {
    return await ask(terminal.input, question, hidden);
  } finally {
    process.stderr.write("\n");
    terminal.close();
  }
}

function openTerminal(): { input: ReadStream; close(): void } | undefined {
  if (process.stdin.isTTY) return { input: process.stdin, close: () => process.stdin.pause() };
  if (process.platform === "win32") return undefined;
  let file: number;
  try {
    file = openSync("/dev/tty", "r+");
  } catch {
    return undefined; // the process belongs to no terminal
  }
  try {
    const input = new ReadStream(file);
    return { input, close: () => input.destroy() };
  } catch (cause) {
    closeSync(file);
    throw cause;
  }
}

function ask(input: ReadStream, question: string, hidden: boolean): Promise<string> {
  // readline edits the line and echoes it to this; the terminal itself is in raw mode and echoes nothing.
  const echo = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      if (!hidden) process.stderr.write(chunk);
      done();
    },
  });
  const lines = createInterface({ input, output: echo, terminal: true, historySize: 0 });
  return new Promise<string>((resolve, reject) => {
    const brokenOff = () => reject(new ToolError(ExitCode.Usage, "the question was not answered."));
    lines.once("line", (line) => {
      if (line.length <= ANSWER_CHARACTERS_MAX) resolve(line);
      else
        reject(
          new ToolError(ExitCode.Usage, `the answer has more than ${ANSWER_CHARACTERS_MAX} characters.`),
        );
    });
    lines.once("SIGINT", brokenOff);
    lines.once("close", brokenOff);
    process.stderr.write(question);
  }).finally(() => lines.close());
}
