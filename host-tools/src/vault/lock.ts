// One change of a vault at a time: an exclusive lock file that names its process. Node has no flock, so a lock whose process has
// ended is recognized and taken over.
import { randomBytes } from "node:crypto";
import { linkSync, readFileSync, renameSync, unlinkSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { ExitCode, ToolError } from "../errors";

interface Holder {
  pid: number;
  /** The machine: a vault may lie on a shared disk. */
  host: string;
  /** Changes with every boot of the machine; empty where the system has none. */
  bootId: string;
  /** Start of the process in ticks since boot, so that a reused process id is not taken for the holder; empty where unknown. */
  started: string;
}

const TRY_EVERY_MS = 50;

/**
 * Takes the lock of a folder.
 * @param waitMs how long to wait for another program
 * @returns gives it back
 * @throws ToolError when a running process still has it then
 */
export async function lockFolder(folder: string, waitMs: number): Promise<() => void> {
  const path = join(folder, "lock");
  for (let waitedMs = 0; ; waitedMs += TRY_EVERY_MS) {
    const holder = tryLock(path);
    if (holder === undefined) return () => unlinkSync(path);
    if (waitedMs >= waitMs) throw inUse(path, holder);
    await setTimeout(TRY_EVERY_MS);
  }
}

/** @returns who has it, or undefined when it was taken */
function tryLock(path: string): string | undefined {
  const claim = `${path}.${randomBytes(4).toString("hex")}`;
  writeFileSync(claim, `${JSON.stringify(thisProcess())}\n`, { flag: "wx", mode: 0o600 });
  try {
    // A link appears at once and with all of its content, and only one can.
    if (tryLink(claim, path)) return undefined;
    const holder = removeIfStale(path, claim);
    if (holder !== undefined) return holder;
    return tryLink(claim, path) ? undefined : "another program";
  } finally {
    unlinkSync(claim);
  }
}

function tryLink(claim: string, path: string): boolean {
  try {
    linkSync(claim, path);
    return true;
  } catch (cause) {
    if (codeOf(cause) === "EEXIST") return false;
    throw cause;
  }
}

/** @returns who has the lock, or undefined when it is gone now */
function removeIfStale(path: string, claim: string): string | undefined {
  const text = readIfThere(path);
  if (text === undefined) return undefined;
  const holder = parseHolder(text);
  if (holder !== undefined && mayRun(holder))
    return `process ${holder.pid} on ${JSON.stringify(holder.host)}`;
  // Renaming it away shows whether it still is the one that was looked at: a second program may be doing the same.
  const aside = `${claim}.stale`;
  try {
    renameSync(path, aside);
  } catch (cause) {
    if (codeOf(cause) === "ENOENT") return undefined; // gone by itself
    throw cause;
  }
  const same = readFileSync(aside, "utf8") === text;
  if (!same) tryLink(aside, path);
  unlinkSync(aside);
  return same ? undefined : "another program";
}

function inUse(path: string, by: string): ToolError {
  return new ToolError(
    ExitCode.Usage,
    `the vault is being changed by ${by}; try again when that is done, or delete '${path}' if it is not running.`,
  );
}

function parseHolder(text: string): Holder | undefined {
  try {
    const { pid, host, bootId, started } = JSON.parse(text) as Partial<Holder>;
    if (typeof pid === "number" && Number.isSafeInteger(pid) && pid > 0)
      return { pid, host: String(host), bootId: String(bootId), started: String(started) };
  } catch {
    // Not JSON: no program wrote it as a whole, so none holds it.
  }
  return undefined;
}

/** Of a process on another machine nothing can be known. */
function mayRun(holder: Holder): boolean {
  const own = thisProcess();
  if (holder.host !== own.host) return true;
  if (holder.bootId !== own.bootId) return false;
  try {
    process.kill(holder.pid, 0);
  } catch (cause) {
    if (codeOf(cause) === "ESRCH") return false; // EPERM: it runs as somebody else
  }
  return holder.started === "" || holder.started === startOf(holder.pid);
}

function thisProcess(): Holder {
  const bootId = readIfThere("/proc/sys/kernel/random/boot_id")?.trim() ?? "";
  return { pid: process.pid, host: hostname(), bootId, started: startOf(process.pid) };
}

/** Field 22 of /proc/PID/stat (proc(5)); the name in parentheses before it may hold spaces. */
function startOf(pid: number): string {
  const stat = readIfThere(`/proc/${pid}/stat`);
  return stat?.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? "";
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    if (codeOf(cause) === "ENOENT" || codeOf(cause) === "ESRCH") return undefined;
    throw cause;
  }
}

function codeOf(cause: unknown): string | undefined {
  return (cause as NodeJS.ErrnoException).code;
}
