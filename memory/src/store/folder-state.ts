// Whether the embedded database in a data folder can be trusted: DATA/database.json says how far it was made, and in which run of the machine it was
// open. PGlite never waits for the disk, so after a machine stopped under it nothing of it is certain.
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { systemCodeOf } from "@salestag/protocol/service";
import { replaceFile } from "@salestag/protocol/team";
import { RebuildNeeded } from "./engine";
import type { Folders } from "./thread";
import { hasTold } from "./told";

interface State {
  /** `making`: not yet whole. `open`: a program has it open, or ended without closing it. `closed`: all of it is on the disk. */
  state: "making" | "open" | "closed";
  /** Changes with every start of the machine; empty where the system has none. */
  boot: string;
}

/** @param data the memory's data folder */
export function foldersOf(data: string): Folders {
  return { folder: join(data, "database"), toldFolder: join(data, "told") };
}

/**
 * Looks whether the database can be opened.
 * @returns whether it is to be made
 * @throws RebuildNeeded
 */
export function checkState(data: string): boolean {
  const { folder, toldFolder } = foldersOf(data);
  const state = readState(data);
  const there = existsSync(join(folder, "PG_VERSION"));
  if (state === undefined || state.state === "making") {
    if (hasTold(toldFolder))
      throw new RebuildNeeded(folder, "it is not there or was not made to its end, but something was told");
    if (state === undefined && existsSync(folder))
      throw new RebuildNeeded(folder, "it is there, but 'database.json' beside it is not");
    rmSync(folder, { recursive: true, force: true });
    return true;
  }
  if (!there) throw new RebuildNeeded(folder, "it is gone or not whole");
  if (state.state === "open" && (state.boot === "" || state.boot !== bootId()))
    throw new RebuildNeeded(folder, "the machine stopped while it was open, and it never waits for the disk");
  return false;
}

/** Writes down how far the database is; durable when this returns. */
export function writeState(data: string, state: State["state"]): void {
  replaceFile(
    join(data, "database.json"),
    `${JSON.stringify({ state, boot: bootId() } satisfies State)}\n`,
    0o600,
  );
}

/** @throws RebuildNeeded when the file is damaged */
function readState(data: string): State | undefined {
  const path = join(data, "database.json");
  try {
    const { state, boot } = JSON.parse(readFileSync(path, "utf8")) as Partial<State>;
    if (state === "making" || state === "open" || state === "closed") return { state, boot: String(boot) };
  } catch (cause) {
    if (systemCodeOf(cause) === "ENOENT") return undefined;
    if (!(cause instanceof SyntaxError)) throw cause;
  }
  throw new RebuildNeeded(foldersOf(data).folder, `'${path}' is damaged`);
}

function bootId(): string {
  try {
    return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  } catch (cause) {
    if (systemCodeOf(cause) === "ENOENT") return "";
    throw cause;
  }
}
