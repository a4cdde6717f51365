// A real terminal for tests: `script` (Debian: bsdutils) runs a command on a pty of its own, and a dialog answers what it asks.
import { spawn } from "node:child_process";

/** What the command must show, and what is typed then. */
export type Turn = [shows: RegExp, typed: string | (() => string)];

/** What was on the screen, and how the command ended. */
export interface Session {
  code: number | null;
  screen: string;
}

/**
 * Runs a command on a terminal and answers its questions, each once it is on the screen.
 * @param command words; none of them may have a quote in it
 */
export async function onTerminal(command: string[], dialog: Turn[], env = process.env): Promise<Session> {
  const line = command.map((word) => `'${word}'`).join(" ");
  const child = spawn("script", ["-qfec", line, "/dev/null"], { env, stdio: ["pipe", "pipe", "inherit"] });
  let screen = "";
  let seen = 0;
  const turns = [...dialog];
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    screen += text;
    for (let turn = turns[0]; turn !== undefined; turn = turns[0]) {
      const found = turn[0].exec(screen.slice(seen));
      if (found === null) return;
      seen += found.index + found[0].length;
      turns.shift();
      child.stdin.write(typeof turn[1] === "string" ? turn[1] : turn[1]());
    }
  });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  if (turns.length > 0) throw new Error(`the screen never showed ${turns[0][0]}: ${screen}`);
  return { code, screen };
}
