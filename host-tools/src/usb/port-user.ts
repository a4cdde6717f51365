// Which program has a port open, as far as Linux tells.
import { readdirSync, readFileSync, readlinkSync, realpathSync, statSync } from "node:fs";
import { join } from "node:path";

/** A program that has a port open. */
export interface PortUser {
  pid: number;
  /** Its name, as in `ps`. */
  name: string;
}

/**
 * @param path of the port, or a link to it
 * @returns the first other program that has it open; undefined when none is seen: other users' programs are hidden from all but root
 */
export function portUser(path: string, proc = "/proc"): PortUser | undefined {
  try {
    const device = realpathSync(path);
    const terminal = statSync(device).rdev;
    const pids = readdirSync(proc).filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid);
    const pid = pids.find((one) => !livesIn(join(proc, one), terminal) && hasOpen(join(proc, one), device));
    if (pid === undefined) return undefined;
    return { pid: Number(pid), name: readFileSync(join(proc, pid, "comm"), "utf8").trim() };
  } catch {
    return undefined; // no /proc here, or the program has just ended: it is a word beside the result
  }
}

function hasOpen(folder: string, device: string): boolean {
  try {
    const open = readdirSync(join(folder, "fd")).map((file) => targetOf(join(folder, "fd", file)));
    const played = device.startsWith("/dev/pts/") && open.some((target) => target?.endsWith("ptmx"));
    return open.includes(device) && !played; // who plays a pseudo-terminal's device has both its ends
  } catch {
    return false; // another user's program, or one that has just ended
  }
}

function targetOf(link: string): string | undefined {
  try {
    return readlinkSync(link);
  } catch {
    return undefined; // closed meanwhile
  }
}

/** The shell inside a pseudo-terminal has it open as its own terminal, and is no user of the port. */
function livesIn(folder: string, terminal: number): boolean {
  try {
    const stat = readFileSync(join(folder, "stat"), "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" "); // from the state on; the 5th is the terminal
    return Number(fields[4]) === terminal;
  } catch {
    return false; // it has just ended
  }
}
