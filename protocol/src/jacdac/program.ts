// The program in a badge's DeviceScript runtime, over Jacdac: what runs, and putting another one in its place. The runtime keeps one
// program: from the moment on at which it is told of a new one the old one is gone, and the new one counts only when it is complete.
// It starts a complete program by itself. A program cannot be read back: the command for it (0x81) makes the runtime panic.
import type { JacdacClient, JdService } from "./client";
import { sendToPipe } from "./pipe";

const COMMAND_DEPLOY = 0x80;
const REGISTER_RUNNING = 0x80;
const REGISTER_AUTOSTART = 0x81;
const REGISTER_SHA256 = 0x182;
const REGISTER_RUNTIME_VERSION = 0x183;
const REGISTER_PROGRAM_NAME = 0x184;
const REGISTER_PROGRAM_VERSION = 0x185;
/** The event of a program that ended by a mistake, or that asked to be started again. */
const EVENT_PANIC = 0x80;
const EVENT_FLAG = 0x8000;
const EVENT_NUMBER_SHIFT = 8;
const EVENT_CODE_MASK = 0xff;

/** Events of a device are numbered up to this, and then from 0. */
export const EVENT_NUMBER_MAX = 0x7f;

/** Also for a line that loses every second frame. */
const ANSWER_MS = 3000;
/** The runtime erases the flash before it answers: 20 pages of up to 400 ms each. */
const DEPLOY_ANSWER = { timeoutMs: 12_000, resendMs: 3000 };
const TRIES_MAX = 8;

/** The program that is in a badge. */
export interface BadgeProgram {
  /** As its build named it; "" for none. */
  name: string;
  version: string;
  /** 64 hexadecimal digits; undefined when there is no complete program. */
  sha256: string | undefined;
  /** Of the runtime, such as "2.16.4": major, minor, patch. */
  runtime: [number, number, number];
  running: boolean;
}

/** Reads what program is in a badge. Rejects with a JdTimeoutError. */
export async function readBadgeProgram(client: JacdacClient, manager: JdService): Promise<BadgeProgram> {
  const read = (register: number) => client.readRegister(manager, register, ANSWER_MS);
  const text = async (register: number) => (await read(register)).toString("utf8").replace(/\0.*$/s, "");
  const sha256 = await readSha256(client, manager);
  const runtime = await read(REGISTER_RUNTIME_VERSION);
  if (runtime.length !== 4)
    throw new Error(`the runtime tells its version in ${runtime.length} bytes, not 4`);
  return {
    name: sha256 === undefined ? "" : await text(REGISTER_PROGRAM_NAME),
    version: sha256 === undefined ? "" : await text(REGISTER_PROGRAM_VERSION),
    sha256,
    runtime: [runtime[3], runtime[2], runtime.readUInt16LE(0)],
    running: await isRunning(client, manager),
  };
}

/** @returns true when a program runs; a runtime without one runs an empty one. Rejects with a JdTimeoutError. */
export async function isRunning(client: JacdacClient, manager: JdService): Promise<boolean> {
  return (await client.readRegister(manager, REGISTER_RUNNING, ANSWER_MS))[0] === 1;
}

/** @returns 64 hexadecimal digits, or undefined when there is no complete program. Rejects with a JdTimeoutError. */
export async function readSha256(client: JacdacClient, manager: JdService): Promise<string | undefined> {
  const digest = await client.readRegister(manager, REGISTER_SHA256, ANSWER_MS);
  if (digest.length !== 32) throw new Error(`the runtime tells a SHA-256 of ${digest.length} bytes, not 32`);
  return digest.every((byte) => byte === 0) ? undefined : digest.toString("hex");
}

/**
 * Puts a program into a badge in the place of the one that is there. Read its SHA-256 afterwards: a damaged frame that passes for
 * a good one, once in 65,536, shows only there. Rejects with a JdTimeoutError, also when the runtime refuses the size.
 * @param program a multiple of 32 bytes
 * @param onSent called with the bytes that the badge has so far
 */
export async function writeBadgeProgram(
  client: JacdacClient,
  manager: JdService,
  program: Buffer,
  onSent?: (sentBytes: number) => void,
): Promise<void> {
  const size = Buffer.alloc(4);
  size.writeUInt32LE(program.length);
  const report = await client.request(
    manager,
    COMMAND_DEPLOY,
    size,
    DEPLOY_ANSWER,
    ({ length }) => length === 2,
  );
  await sendToPipe(client, manager.deviceId, report.readUInt16LE(0), program, onSent);
}

/**
 * Lets the runtime start its program by itself, now and whenever it is switched on.
 * @throws Error when it does not take it
 */
export async function setAutostart(client: JacdacClient, manager: JdService): Promise<void> {
  for (let tries = 0; tries < TRIES_MAX; tries++) {
    client.writeRegister(manager, REGISTER_AUTOSTART, Buffer.from([1]));
    if ((await client.readRegister(manager, REGISTER_AUTOSTART, ANSWER_MS))[0] === 1) return;
  }
  throw new Error("the badge's runtime does not start its program: unplug the badge and plug it in again");
}

/** @returns the number of an event, the same in each of its three copies; undefined for what is no event */
export function eventNumberIn(command: number): number | undefined {
  return (command & EVENT_FLAG) === 0 ? undefined : (command >> EVENT_NUMBER_SHIFT) & EVENT_NUMBER_MAX;
}

/** @returns the panic code in an event of the manager, 0 for a program that starts itself again; undefined for anything else */
export function panicCodeIn(command: number, data: Buffer): number | undefined {
  if ((command & EVENT_FLAG) === 0 || (command & EVENT_CODE_MASK) !== EVENT_PANIC) return undefined;
  return data.length >= 4 ? data.readUInt32LE(0) : undefined;
}
