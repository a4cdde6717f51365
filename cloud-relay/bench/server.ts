// A server in a process of its own, and what the system knows of it: CPU time and memory. Linux only, as it reads /proc.
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { accessSync, constants, readFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { createInterface } from "node:readline";

/** Clock ticks of /proc/PID/stat in a second: the same on every Linux that Node runs on. */
const TICKS_PER_S = 100;
const LINES_KEPT_MAX = 20;
const SYSTEM_FOLDERS = ["/usr/sbin", "/usr/local/sbin"];

/** Those that run: none of them outlives the benchmark, however it ends. */
const running = new Set<ChildProcess>();
process.on("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

/** A server that runs. */
export class Server {
  private readonly lines: string[] = [];
  private readonly listeners = new Set<(line: string) => void>();
  private readonly closed: Promise<unknown>;

  private constructor(
    private readonly child: ChildProcess,
    private readonly name: string,
  ) {
    running.add(child);
    this.closed = once(child, "close").finally(() => running.delete(child));
    for (const stream of [child.stdout, child.stderr])
      if (stream) createInterface({ input: stream }).on("line", (line) => this.take(line));
  }

  /**
   * Starts a program and waits until it writes a line that matches `ready`.
   * @returns the server and that match
   * @throws Error with its last lines when it ends before
   */
  static async start(command: string, args: string[], ready: RegExp): Promise<[Server, RegExpExecArray]> {
    const server = new Server(spawn(command, args, { stdio: ["ignore", "pipe", "pipe"] }), command);
    return [server, await server.line(ready)];
  }

  /** Process id. */
  get pid(): number {
    return this.child.pid as number;
  }

  /** Waits for a line that matches. @throws Error when the server ends before */
  async line(pattern: RegExp): Promise<RegExpExecArray> {
    let listener = (_line: string): void => {};
    const matched = new Promise<RegExpExecArray>((resolve) => {
      listener = (line) => {
        const match = pattern.exec(line);
        if (match) resolve(match);
      };
      this.listeners.add(listener);
    });
    const ended = this.closed.then(() => {
      throw new Error(`${this.name} ended before it wrote ${pattern}: ${this.lines.join("\n")}`);
    });
    ended.catch(() => undefined); // it may end later
    const match = await Promise.race([matched, ended]);
    this.listeners.delete(listener);
    return match;
  }

  signal(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  /** Ends it and waits until it is gone. */
  async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<void> {
    this.child.kill(signal);
    await this.closed;
  }

  private take(line: string): void {
    this.lines.push(line);
    if (this.lines.length > LINES_KEPT_MAX) this.lines.shift();
    for (const listener of this.listeners) listener(line);
  }
}

/** @returns CPU time of a process since its start, all threads, user and system, in µs */
export function cpuTimeUs(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" "); // the name before may have spaces
  return ((Number(fields[11]) + Number(fields[12])) / TICKS_PER_S) * 1e6;
}

/** @returns what of a process is in memory, now or at its peak, in bytes */
export function residentBytes(pid: number, which: "VmRSS" | "VmHWM" = "VmRSS"): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return Number(new RegExp(`^${which}:\\s+(\\d+) kB`, "m").exec(status)?.[1]) * 1024;
}

/** @returns CPU time of the whole machine since its start, in µs: spent by anybody, and what there was */
export function machineCpuUs(): { busyUs: number; allUs: number } {
  const [first] = readFileSync("/proc/stat", "utf8").split("\n", 1);
  const ticks = first.trim().split(/\s+/).slice(1, 9).map(Number); // guest time is part of user time
  const all = ticks.reduce((sum, value) => sum + value, 0);
  const idle = ticks[3] + ticks[4];
  return { busyUs: ((all - idle) / TICKS_PER_S) * 1e6, allUs: (all / TICKS_PER_S) * 1e6 };
}

/** @returns path of a program that is installed, or undefined */
export function findProgram(name: string): string | undefined {
  const folders = [...(process.env.PATH ?? "").split(delimiter), ...SYSTEM_FOLDERS];
  return folders.map((folder) => join(folder, name)).find(isExecutable);
}

/** @returns the version that a program says it has, such as 2.9.10 */
export function versionOf(program: string, args: string[]): string {
  const { stdout, stderr } = spawnSync(program, args, { encoding: "utf8" });
  return /\d+\.\d+\.\d+/.exec(stdout + stderr)?.[0] ?? "of unknown version";
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
