// Who stands at the badge during the factory test: a technician at the terminal, or a fixture that presses, switches and asks nothing.
import { ExitCode, ToolError } from "@salestag/protocol/team";

export interface Person {
  /** False for a fixture: nothing is asked, and what only eyes and fingers can tell is taken as right. */
  readonly asks: boolean;
  /** Says what to do at the badge; the test watches meanwhile. */
  tell(what: string): void;
  /** Asks what was seen or felt. @returns one of `answers`. Rejects when the question is broken off. */
  choose(question: string, answers: readonly string[], signal: AbortSignal): Promise<string>;
  /** Asks for a number. Rejects when the question is broken off. */
  number(question: string, signal: AbortSignal): Promise<number>;
}

/** @returns the one at the terminal. @param say shows a line @param clear takes away what stands in the line of a question */
export function technician(say: (text: string) => void, clear: () => void): Person {
  return {
    asks: true,
    tell: (what) => say(`> ${what}`),
    choose: async (question, answers, signal) => {
      clear();
      const message = `${question} (${answers.join(", ")})`;
      const validate = (text: string) =>
        answers.includes(text.trim()) || `Type one of: ${answers.join(", ")}`;
      return (await ask({ message, validate }, signal)).trim();
    },
    number: async (question, signal) => {
      clear();
      const validate = (text: string) => /^\d{1,5}(\.\d{1,2})?$/.test(text.trim()) || "Type a number";
      return Number(await ask({ message: question, validate }, signal));
    },
  };
}

/** @returns nobody: --assume-yes. @param say shows a line */
export function fixture(say: (text: string) => void): Person {
  const nobody = () => Promise.reject(new Error("a fixture is asked nothing"));
  return { asks: false, tell: (what) => say(`> ${what}`), choose: nobody, number: nobody };
}

async function ask(
  question: { message: string; validate: (text: string) => boolean | string },
  signal: AbortSignal,
): Promise<string> {
  const { default: input } = await import("@inquirer/input"); // other commands do not wait for it
  try {
    return await input(question, { signal, output: process.stderr });
  } catch (cause) {
    signal.throwIfAborted();
    throw new ToolError(ExitCode.Interrupted, "it was interrupted.", { cause });
  }
}
