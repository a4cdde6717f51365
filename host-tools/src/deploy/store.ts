// The programs that were put into badges from this computer, by their SHA-256: a badge cannot give its program back, so what may have to
// go back into it is kept here. Holds no secrets. Bounded to the newest few.
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, statSync, unlinkSync, utimesSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { replaceFile } from "@salestag/protocol/team";
import { PROGRAM_BYTES_MAX, type ProgramFile, programOf } from "./program-file";

/** So many programs are kept. */
const KEPT_MAX = 10;
/** Of so many badges it is known what they ran. */
const BADGES_MAX = 1000;
/** So many files of a folder are looked at. */
const LOOKED_AT_MAX = 1000;
const ENDING = ".devs";
const RAN_ENDING = ".ran";

/** @param env the process's environment @returns the user's own folder of programs */
export function storeFolder(env: NodeJS.ProcessEnv): string {
  const data =
    env.XDG_DATA_HOME ||
    (process.platform === "win32" && env.LOCALAPPDATA) ||
    join(homedir(), ".local", "share");
  return join(data, "salestag", "programs");
}

export class ProgramStore {
  /** @param folder made when something is kept */
  constructor(private readonly folder: string) {}

  /** Keeps a program, and lets go of the one that was used longest ago. @param nowMs Unix time */
  keep(program: ProgramFile, nowMs: number): void {
    const path = this.pathOf(program.sha256);
    if (this.find(program.sha256) === undefined) this.write(path, program.bytes);
    utimesSync(path, nowMs / 1000, nowMs / 1000);
    this.forgetOldest(ENDING, KEPT_MAX);
  }

  /** Notes what a badge runs before it gets something else: after an interruption the badge cannot tell any more. */
  noteRan(deviceId: string, sha256: string): void {
    this.write(join(this.folder, `${deviceId}${RAN_ENDING}`), sha256);
    this.forgetOldest(RAN_ENDING, BADGES_MAX);
  }

  /** @returns SHA-256 of the program that was noted last for a badge, or undefined */
  ran(deviceId: string): string | undefined {
    const path = join(this.folder, `${deviceId}${RAN_ENDING}`);
    if (statSync(path, { throwIfNoEntry: false }) === undefined) return undefined;
    return /^[0-9a-f]{64}$/.exec(readFileSync(path, "latin1"))?.[0];
  }

  /** @returns the program, or undefined when it is not kept, or not any more what it was */
  find(sha256: string): ProgramFile | undefined {
    return load(this.pathOf(sha256), sha256);
  }

  private write(path: string, content: Buffer | string): void {
    mkdirSync(this.folder, { recursive: true, mode: 0o700 });
    replaceFile(path, content, 0o600);
  }

  private forgetOldest(ending: string, keptMax: number): void {
    const newestFirst = readdirSync(this.folder)
      .filter((name) => name.endsWith(ending) && !name.startsWith("."))
      .map((name) => join(this.folder, name))
      .sort((a, b) => statSync(b).mtimeMs - statSync(a).mtimeMs);
    for (const old of newestFirst.slice(keptMax)) unlinkSync(old);
  }

  private pathOf(sha256: string): string {
    return join(this.folder, `${sha256}${ENDING}`);
  }
}

/** @returns the program with this SHA-256 among a folder's .devs files, or undefined. Throws what the system says when there is no folder. */
export function findInFolder(folder: string, sha256: string): ProgramFile | undefined {
  const names = readdirSync(folder).filter((name) => name.endsWith(ENDING));
  for (const name of names.slice(0, LOOKED_AT_MAX)) {
    const program = load(join(folder, name), sha256);
    if (program !== undefined) return program;
  }
  return undefined;
}

function load(path: string, sha256: string): ProgramFile | undefined {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined || !stat.isFile() || stat.size > PROGRAM_BYTES_MAX) return undefined;
  const bytes = readFileSync(path);
  if (createHash("sha256").update(bytes).digest("hex") !== sha256) return undefined;
  return programOf(bytes, path);
}
