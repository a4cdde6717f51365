// A real service in a process of its own, as an operator would start it: the rig can kill it and start it again.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { RigError } from "./errors";

export class ListeningProcess {
  private constructor(
    private readonly child: ChildProcess,
    /** Where it listens, such as tcp://127.0.0.1:40123. */
    readonly url: string,
    /** What it wrote to standard error so far. */
    readonly notices: string[],
  ) {}

  /**
   * Starts a program and waits until it says where it listens.
   * @param name of the service, for the sentence
   * @throws RigError with what it said last when it ends instead
   */
  static async start(name: string, program: string, args: string[]): Promise<ListeningProcess> {
    const child = spawn(process.execPath, [program, ...args], { stdio: ["ignore", "pipe", "pipe"] });
    const notices: string[] = [];
    createInterface({ input: child.stderr }).on("line", (line) => notices.push(line));
    const ended = once(child, "close").then(() => {
      throw new RigError(`The ${name} ended before it listened: ${notices.at(-1) ?? "it said nothing"}`);
    });
    const listening = new Promise<string>((resolve) => {
      createInterface({ input: child.stdout }).on("line", (line) => {
        const url = /listening on (\S+)/.exec(line)?.[1];
        if (url !== undefined) resolve(url);
      });
    });
    ended.catch(() => undefined); // one that ends later ends because we ask it to
    return new ListeningProcess(child, await Promise.race([listening, ended]), notices);
  }

  /** Kills it as a power cut would: no word, no clean-up. */
  async kill(): Promise<void> {
    await this.signal("SIGKILL");
  }

  /** Asks it to finish what it has and end. */
  async stop(): Promise<void> {
    await this.signal("SIGTERM");
  }

  private async signal(signal: NodeJS.Signals): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const closed = once(this.child, "close");
    this.child.kill(signal);
    await closed;
  }
}
