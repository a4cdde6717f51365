// One relay for each spool: an exclusive lock file with process id, boot id and the process's start time. Node has no flock, so
// a lock that a dead process left is recognized by these three and taken over.
import { randomBytes } from "node:crypto";
import { linkSync, readFileSync, renameSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ExitCode, RelayError, systemCodeOf } from "../errors";
import type { Log } from "../log";

interface Holder {
  pid: number;
  /** Changes with every boot of the machine; empty where the system has none. */
  bootId: string;
  /** Start of the process in ticks since boot, so that a reused process id is not taken for the holder; empty where unknown. */
  started: string;
}

/** A lock that is held. */
export interface SpoolLock {
  release(): void;
}

/**
 * Takes the lock of a spool folder.
 * @throws RelayError when a running process has it
 */
export function lockSpool(directory: string, log: Log): SpoolLock {
  const path = join(directory, "lock");
  const claim = `${path}.${process.pid}.${randomBytes(4).toString("hex")}`;
  writeFileSync(claim, `${JSON.stringify(thisProcess())}\n`, { flag: "wx", mode: 0o600 });
  try {
    // A link appears at once and with all of its content, and only one can.
    if (!tryLink(claim, path)) {
      removeIfStale(path, claim, log);
      if (!tryLink(claim, path)) throw inUse(path, "another relay that is starting");
    }
  } finally {
    unlinkSync(claim);
  }
  return { release: () => unlinkSync(path) };
}

function tryLink(claim: string, path: string): boolean {
  try {
    linkSync(claim, path);
    return true;
  } catch (cause) {
    if (systemCodeOf(cause) === "EEXIST") return false;
    throw cause;
  }
}

function removeIfStale(path: string, claim: string, log: Log): void {
  const text = readIfThere(path);
  if (text === undefined) return;
  const holder = parseHolder(text);
  if (holder !== undefined && isRunning(holder)) throw inUse(path, `process ${holder.pid}`);
  // Renaming it away shows whether it still is the one that was looked at: a second relay may be doing the same.
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
  if (!same) throw inUse(path, "another relay that is starting");
  log.warn("lock of an ended relay taken over", { pid: holder?.pid });
}

function inUse(path: string, by: string): RelayError {
  return new RelayError(
    ExitCode.Spool,
    `spool is in use by ${by} (${path}); stop it or choose another spool folder`,
  );
}

function parseHolder(text: string): Holder | undefined {
  try {
    const { pid, bootId, started } = JSON.parse(text) as Partial<Holder>;
    if (typeof pid === "number" && Number.isSafeInteger(pid) && pid > 0)
      return { pid, bootId: String(bootId), started: String(started) };
  } catch {
    // Not JSON: no relay wrote it as a whole, so none holds it.
  }
  return undefined;
}

function isRunning(holder: Holder): boolean {
  const own = thisProcess();
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
  return { pid: process.pid, bootId, started: startOf(process.pid) };
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
