// A pseudo-terminal: what a program opens here as a serial port, this process reads and writes at the other end. Made by `script` of
// Debian's bsdutils, because Node has no call for it and node-pty's clean-up signals every process of the user.
//
// What it is not: it has no DTR, RTS or line speed (setting them fails with ENOTTY), and its buffers are the kernel's.
import { type ChildProcess, spawn } from "node:child_process";
import { symlinkSync, unlinkSync } from "node:fs";
import type { Readable, Writable } from "node:stream";

/**
 * The shell inside the terminal tells its path on descriptor 3 and then waits on descriptor 4, which nobody writes: it ends when the
 * port is closed or this process dies, however it dies. It also keeps the terminal open between two programs that use it.
 */
const INSIDE = "stty raw -echo && tty >&3 && exec 3>&- && exec cat <&4 >/dev/null";

/** A serial port that this process plays the device of. */
export class Pty {
  private readonly ended: Promise<void>;

  private constructor(
    private readonly child: ChildProcess,
    /** Of the terminal, such as /dev/pts/3. */
    readonly path: string,
    private readonly linkPath: string | undefined,
  ) {
    this.ended = new Promise((resolve) => child.once("close", () => resolve()));
    if (linkPath !== undefined) symlinkSync(path, linkPath);
  }

  /**
   * @param linkPath a symbolic link to the terminal, made here and removed by close(); it must not be there yet
   * @throws Error when `script` is missing or makes no terminal
   */
  static async open(linkPath?: string): Promise<Pty> {
    const child = spawn("script", ["-qfec", INSIDE, "/dev/null"], {
      stdio: ["pipe", "pipe", "ignore", "pipe", "pipe"],
      env: { PATH: process.env.PATH, SHELL: "/bin/sh" },
      detached: true, // Ctrl-C on the terminal of this process is not for the badge
    });
    for (const stream of child.stdio) stream?.on("error", () => undefined); // writing to an unplugged port
    const path = await pathOf(child);
    try {
      return new Pty(child, path, linkPath);
    } catch (cause) {
      child.kill("SIGKILL");
      throw cause;
    }
  }

  /** What the program at the port writes. Ends when the port is closed. */
  get readable(): Readable {
    return this.child.stdout!;
  }

  /** What the program at the port reads. */
  get writable(): Writable {
    return this.child.stdin!;
  }

  /** Unplugs the cable: the program at the port sees it vanish. Resolves when it is gone. */
  async close(): Promise<void> {
    if (this.linkPath !== undefined && this.child.exitCode === null && !this.child.killed)
      unlinkSync(this.linkPath);
    this.child.kill("SIGKILL"); // asked to end, it would first wait for what runs inside
    this.readable.resume();
    await this.ended;
  }
}

/** `script` keeps a copy of descriptor 3, so what tells the end of the path is its line break. */
function pathOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let said = "";
    const out = child.stdio[3] as Readable;
    out.setEncoding("utf8").on("data", (text: string) => {
      said += text;
      if (/^\/dev\/\S+\n$/.test(said)) resolve(said.trim());
    });
    child.once("error", reject);
    child.once("close", () =>
      reject(new Error(`'script' made no terminal (it said ${JSON.stringify(said)})`)),
    );
  });
}
