// A real relay in a process of its own, as an operator would start it: the rig can kill it and start it again.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { RigError } from "./errors";

const LAUNCHER = fileURLToPath(new URL("../../cloud-relay/bin/salestag-relay.mjs", import.meta.url));

export interface RelayProcessOptions {
  registry: string;
  spool: string;
  /** Folder of the folder sink; without one the spool keeps everything. */
  folder?: string;
  /** Where to listen; port 0 lets the system choose. */
  listen?: string;
  /** More arguments for the relay's command line. */
  args?: string[];
}

export class RelayProcess {
  private constructor(
    private readonly child: ChildProcess,
    /** Where it listens, such as tcp://127.0.0.1:40123. */
    readonly url: string,
    /** What it wrote to standard error so far. */
    readonly notices: string[],
  ) {}

  /** Starts a relay and waits until it listens. Rejects with what it said when it ends instead. */
  static async start(options: RelayProcessOptions): Promise<RelayProcess> {
    const { registry, spool, folder, listen = "tcp://127.0.0.1:0", args = [] } = options;
    const sinks = folder === undefined ? [] : ["--sink", `folder:${folder}`];
    const given = ["--listen", listen, "--registry", registry, "--spool", spool, ...sinks];
    const child = spawn(process.execPath, [LAUNCHER, ...given, ...args], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    const notices: string[] = [];
    createInterface({ input: child.stderr }).on("line", (line) => notices.push(line));
    const ended = once(child, "close").then(() => {
      throw new RigError(`The relay ended before it listened: ${notices.at(-1) ?? "it said nothing"}`);
    });
    const listening = new Promise<string>((resolve) => {
      createInterface({ input: child.stdout }).on("line", (line) => {
        const url = /listening on (\S+)/.exec(line)?.[1];
        if (url !== undefined) resolve(url);
      });
    });
    ended.catch(() => undefined); // a relay that ends later ends because we ask it to
    return new RelayProcess(child, await Promise.race([listening, ended]), notices);
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
