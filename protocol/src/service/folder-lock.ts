// One holder of a folder at a time: an exclusive lock file that names its process. Node has no flock, so a lock whose process has
// ended is recognized and taken over.
import { randomBytes } from "node:crypto";
import { linkSync, readFileSync, renameSync, unlinkSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { systemCodeOf } from "./errors";

interface Holder {
  pid: number;
  /** The machine: a folder may lie on a shared disk. */
  host: string;
  /** Changes with every boot of the machine; empty where the system has none. */
  bootId: string;
  /** Start of the process in ticks since boot, so that a reused process id is not taken for the holder; empty where unknown. */
  started: string;
}

/** A folder is held by somebody else. */
export class FolderInUse extends Error {
  constructor(
    /** Who: a process and its machine. */
    readonly by: string,
    /** The lock file. */
    readonly path: string,
  ) {
    super(`the folder is in use by ${by} ('${path}')`);
    this.name = "FolderInUse";
  }
}

const TRY_EVERY_MS = 50;

/**
 * Takes the lock of a folder that other machines may use too.
 * @param waitMs how long to wait for another program
 * @returns gives it back
 * @throws FolderInUse when a running process still has it then
 */
export async function lockFolder(folder: string, waitMs: number): Promise<() => void> {
  for (let waitedMs = 0; ; waitedMs += TRY_EVERY_MS) {
    try {
      return lockFolderNow(folder, { shared: true });
    } catch (cause) {
      if (!(cause instanceof FolderInUse) || waitedMs >= waitMs) throw cause;
    }
    await setTimeout(TRY_EVERY_MS);
  }
}

export interface LockOptions {
  /**
   * The folder may be in use by other machines, of whose processes nothing can be known. Without it a lock with another machine's name is left over: a
   * container gets a new name each time.
   */
  shared: boolean;
  /** Told the process id, where it is known, of an ended holder. */
  onTakeover?: (pid?: number) => void;
}

/**
 * Takes the lock of a folder, or fails at once.
 * @returns gives it back
 * @throws FolderInUse when a running process has it
 */
export function lockFolderNow(folder: string, options: LockOptions): () => void {
  const path = join(folder, "lock");
  const claim = `${path}.${randomBytes(4).toString("hex")}`;
  writeFileSync(claim, `${JSON.stringify(thisProcess())}\n`, { flag: "wx", mode: 0o600 });
  try {
    // A link appears at once and with all of its content, and only one can.
    if (!tryLink(claim, path)) {
      removeIfStale(path, claim, options);
      if (!tryLink(claim, path)) throw new FolderInUse(SOMEBODY, path);
    }
  } finally {
    unlinkSync(claim);
  }
  return () => unlinkSync(path);
}

const SOMEBODY = "another program that is starting";

function tryLink(claim: string, path: string): boolean {
  try {
    linkSync(claim, path);
    return true;
  } catch (cause) {
    if (systemCodeOf(cause) === "EEXIST") return false;
    throw cause;
  }
}

/** @throws FolderInUse when the lock's process may be running */
function removeIfStale(path: string, claim: string, { shared, onTakeover }: LockOptions): void {
  const text = readIfThere(path);
  if (text === undefined) return;
  const holder = parseHolder(text);
  if (holder !== undefined && mayRun(holder, shared))
    throw new FolderInUse(`process ${holder.pid} on ${JSON.stringify(holder.host)}`, path);
  // Renaming it away shows whether it still is the one that was looked at: a second program may be doing the same.
  const aside = `${claim}.stale`;
  try {
    renameSync(path, aside);
  } catch (cause) {
    if (systemCodeOf(cause) === "ENOENT") return; // gone by itself
    throw cause;
  }
  const same = readFileSync(aside, "utf8") === text;
  if (!same) tryLink(aside, path);
  unlinkSync(aside);
  if (!same) throw new FolderInUse(SOMEBODY, path);
  onTakeover?.(holder?.pid);
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

function mayRun(holder: Holder, shared: boolean): boolean {
  const own = thisProcess();
  if (shared && holder.host !== own.host) return true;
  if (holder.bootId !== own.bootId) return false;
  try {
    process.kill(holder.pid, 0);
  } catch (cause) {
    if (systemCodeOf(cause) === "ESRCH") return false; // EPERM: it runs as somebody else
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
    if (systemCodeOf(cause) === "ENOENT" || systemCodeOf(cause) === "ESRCH") return undefined;
    throw cause;
  }
}
