// Puts a program into a badge that has the runtime, looks whether it is well, and puts the earlier one back when it is not. The settings of the
// badge and what it has recorded stay as they are.
//
// The runtime has room for one program: with the command that announces the new one the old one is gone. Before this point of no return
// nothing on the badge is changed; after it an interruption leaves a badge without a program, which the next deploy mends.
import {
  type BadgeProgram,
  isRunning,
  JD_CLASS_DEVICESCRIPT_MANAGER,
  type JdService,
  readBadgeProgram,
  readSha256,
  setAutostart,
  writeBadgeProgram,
} from "@salestag/protocol/jacdac";
import { clauseOf, ExitCode, messageOf, ToolError } from "@salestag/protocol/team";
import type { BadgePort } from "../usb/badge-port";
import { HealthWatch, type Verdict } from "./health";
import { checkRuntime, type ProgramFile, restartsFor } from "./program-file";
import { findInFolder, type ProgramStore } from "./store";

export interface DeployOptions {
  /** Opens the badge's port; called again when the badge vanished from it. */
  open: () => Promise<BadgePort>;
  program: ProgramFile;
  store: ProgramStore;
  rollback: RollbackOptions;
  /** Deploys also what runs already. */
  force: boolean;
  /** How long the program may take to show that it is well, ms. */
  withinMs: number;
  /** Unix time in ms. */
  nowMs: () => number;
  /** The versions are known: from what to what. */
  onPlan: (before: BadgeProgram, program: ProgramFile) => void;
  /** From now on the badge has no program until this is done. */
  onPointOfNoReturn: () => void;
  onProgress: (sentBytes: number, allBytes: number) => void;
  onNotice: (text: string) => void;
}

export interface RollbackOptions {
  /** The program to go back to, whatever runs now. */
  to?: ProgramFile;
  /** A folder in which the program that runs now is looked for. */
  fromFolder?: string;
  /** Goes on when there is none to go back to. */
  none: boolean;
}

export interface Deployed {
  outcome: "deployed" | "up to date" | "started";
  /** Hardware id, 16 hexadecimal digits. */
  deviceId: string;
  before: BadgeProgram;
  program: ProgramFile;
}

/** A badge on its port; all of it is new after the badge vanished and came back. */
interface Badge {
  port: BadgePort;
  manager: JdService;
  watch: HealthWatch;
}

const FIND_MS = 5000;
/** A badge that restarts is back on its port after a second or two. */
const REACH_MS = 15_000;
const REACH_PAUSE_MS = 250;
/** A program that arrived with other bytes than were sent is sent again. */
const WRITES_MAX = 3;

/**
 * @returns what was done
 * @throws ToolError when the badge does not answer, does not take the program, or the program is not well and was rolled back
 */
export async function deployProgram(options: DeployOptions): Promise<Deployed> {
  const { program, store } = options;
  const badge = await attach(options).catch(noAnswer);
  try {
    const before = await look(badge, options);
    const { deviceId } = badge.manager;
    if (before.sha256 === program.sha256 && !options.force) {
      if (before.running) return { outcome: "up to date", deviceId, before, program };
      await startAgain(badge, options);
      return { outcome: "started", deviceId, before, program };
    }
    const old = oldProgram(deviceId, before, options);
    store.keep(program, options.nowMs());
    options.onPlan(before, program);
    options.onPointOfNoReturn();
    const wrong = await replace(badge, program, old, options);
    if (wrong !== undefined) await rollBack(badge, wrong, old, options);
    return { outcome: "deployed", deviceId, before, program };
  } finally {
    await detach(badge);
  }
}

async function attach({ open }: DeployOptions): Promise<Badge> {
  const port = await open();
  try {
    const manager = await port.client.find(JD_CLASS_DEVICESCRIPT_MANAGER, FIND_MS);
    return { port, manager, watch: new HealthWatch(port, manager, () => performance.now()) };
  } catch (cause) {
    await port.close();
    throw cause;
  }
}

async function detach({ port, watch }: Badge): Promise<void> {
  watch.end();
  await port.close();
}

/** @returns what the badge runs; changes nothing */
async function look({ port, manager }: Badge, { program }: DeployOptions): Promise<BadgeProgram> {
  const before = await readBadgeProgram(port.client, manager).catch(noAnswer);
  checkRuntime(program, before.runtime);
  return before;
}

function noAnswer(cause: unknown): never {
  if (cause instanceof ToolError) throw cause;
  throw new ToolError(
    ExitCode.Badge,
    `no badge answers (${messageOf(cause)}); nothing was changed. Check the cable and that the badge is switched on.`,
    { cause },
  );
}

/**
 * @returns what to go back to; undefined when there is nothing: the badge had no program, or the user does without
 * @throws ToolError when it is not here, and the user does not do without
 */
function oldProgram(deviceId: string, before: BadgeProgram, options: DeployOptions): ProgramFile | undefined {
  const { rollback, store, program, nowMs, onNotice } = options;
  if (rollback.to !== undefined) {
    checkRuntime(rollback.to, before.runtime);
    return rollback.to;
  }
  const ran = before.sha256 ?? store.ran(deviceId);
  if (ran === undefined || ran === program.sha256) return undefined;
  const found = store.find(ran) ?? (rollback.fromFolder && findInFolder(rollback.fromFolder, ran));
  if (found) {
    store.keep(found, nowMs());
    store.noteRan(deviceId, ran);
    return found;
  }
  if (before.sha256 === undefined) return undefined;
  const missing = `the badge runs ${nameOf(before)}, which this computer does not have and a badge cannot give back`;
  if (!rollback.none)
    throw new ToolError(
      ExitCode.Usage,
      `${missing}: if the new program failed there would be nothing to go back to. Name a folder that has it with --rollback-from, any good program with --rollback-to, or do without by --no-rollback. Nothing was changed.`,
    );
  onNotice(`${missing}; there is no way back.`);
  return undefined;
}

/** The right program is there and does not run: another tool was cut off, or the badge was plugged in a moment ago. */
async function startAgain({ port, manager, watch }: Badge, { withinMs }: DeployOptions): Promise<void> {
  watch.forget();
  await setAutostart(port.client, manager).catch(noAnswer);
  const wrong = await watch.verdict(withinMs);
  if (wrong === undefined) return;
  throw new ToolError(
    ExitCode.Badge,
    `the badge has this program already, but it did not run and, started, it ${wrong}; deploy an earlier one with --program.`,
  );
}

/**
 * @param before what the program takes the place of
 * @returns what is wrong with the program in the badge, or undefined
 * @throws ToolError when the badge does not take it
 */
async function replace(
  badge: Badge,
  program: ProgramFile,
  before: ProgramFile | undefined,
  options: DeployOptions,
): Promise<Verdict> {
  const wrong = await sendAndJudge(badge, program, options);
  if (wrong === undefined || !badge.watch.restarted || !restartsFor(program, before)) return wrong;
  try {
    await reach(badge, options);
    badge.watch.forget();
    return await judge(badge, options);
  } catch (cause) {
    return unanswered(cause);
  }
}

async function sendAndJudge(badge: Badge, program: ProgramFile, options: DeployOptions): Promise<Verdict> {
  const { port, manager, watch } = badge;
  for (let tries = 0; tries < WRITES_MAX; tries++) {
    await send(badge, program, options);
    try {
      if ((await readSha256(port.client, manager)) === program.sha256) return await judge(badge, options);
    } catch (cause) {
      return watch.failure ?? unanswered(cause);
    }
  }
  throw notIn(`other bytes than were sent arrived, ${WRITES_MAX} times`);
}

/** Sends all of the program; the runtime then starts it by itself, unless another tool left it otherwise. */
async function send({ port, manager, watch }: Badge, { bytes }: ProgramFile, options: DeployOptions) {
  let begun = false;
  try {
    await writeBadgeProgram(port.client, manager, bytes, (sentBytes) => {
      if (!begun) watch.forget(); // the old program said until now how it was
      begun = true;
      options.onProgress(sentBytes, bytes.length);
    });
  } catch (cause) {
    throw notIn(clauseOf(cause), cause);
  }
}

/** @returns what is wrong with the program, or undefined. Rejects when the badge does not answer. */
async function judge({ port, manager, watch }: Badge, { withinMs }: DeployOptions): Promise<Verdict> {
  await setAutostart(port.client, manager);
  const wrong = await watch.verdict(withinMs);
  if (wrong !== undefined) return wrong;
  // One that ended unheard, on a line that lost the news, is found out here.
  return (await isRunning(port.client, manager)) ? undefined : "stopped again";
}

function unanswered(cause: unknown): string {
  return `left the badge without an answer (${clauseOf(cause)})`;
}

function notIn(why: string, cause?: unknown): ToolError {
  return new ToolError(
    ExitCode.Badge,
    `the program did not get into the badge (${why}): it has none now, its settings and recordings are safe. Check the cable and run the same command again.`,
    { cause },
  );
}

/** Puts the old program back. @throws ToolError always: what happened, and in what state the badge is */
async function rollBack(
  badge: Badge,
  wrong: string,
  old: ProgramFile | undefined,
  options: DeployOptions,
): Promise<never> {
  const failed = `the new program ${nameOf(options.program)} is not well: it ${wrong}`;
  if (old === undefined)
    throw new ToolError(
      ExitCode.Badge,
      `${failed}. There is no earlier program to go back to: deploy one that is known to be good with --program.`,
    );
  options.onNotice(`${failed}. Going back to ${nameOf(old)}.`);
  let still: Verdict;
  try {
    await reach(badge, options);
  } catch (cause) {
    throw new ToolError(
      ExitCode.Badge,
      `${failed}, and the badge does not come back (${clauseOf(cause)}). Plug it in and run the same command again; when that does not help, use 'salestag flash'.`,
      { cause },
    );
  }
  try {
    still = await replace(badge, old, options.program, options);
  } catch (cause) {
    throw new ToolError(ExitCode.Badge, stranded(failed, old, clauseOf(cause)), { cause });
  }
  if (still !== undefined) throw new ToolError(ExitCode.Badge, stranded(failed, old, `it ${still}`));
  throw new ToolError(
    ExitCode.Badge,
    `${failed}. The badge runs ${nameOf(old)} again, and that one is well.`,
  );
}

function stranded(failed: string, old: ProgramFile, why: string): string {
  return `${failed}, and going back to ${nameOf(old)} failed too (${why}). Put everything on anew with 'salestag flash'; settings are kept.`;
}

/** Has an open port with the badge on it that answers, which after a restart takes a while. */
async function reach(badge: Badge, options: DeployOptions): Promise<void> {
  const untilMs = performance.now() + REACH_MS;
  const { deviceId } = badge.manager;
  for (;;) {
    try {
      await isRunning(badge.port.client, badge.manager);
      return;
    } catch (cause) {
      if (performance.now() >= untilMs) throw cause;
    }
    await detach(badge);
    await new Promise((resolve) => setTimeout(resolve, REACH_PAUSE_MS));
    const again = await attach(options).catch(() => undefined); // asked for again until the time is up
    if (again === undefined) continue;
    Object.assign(badge, again);
    if (again.manager.deviceId !== deviceId)
      throw new Error(`another badge, ${again.manager.deviceId}, is on the port now`);
  }
}

/** For people: version, and enough of the SHA-256 to tell two builds apart. */
function nameOf({ version, sha256 }: { version: string; sha256: string | undefined }): string {
  const digest = sha256 === undefined ? "none" : sha256.slice(0, 8);
  return version === "" ? `the program ${digest}` : `${version} (${digest})`;
}
