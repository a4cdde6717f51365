// Looks at a badge without disturbing it: asks its runtime for registers, and listens to what its program logs. A badge that records
// goes on recording.
import { type BadgeHealth, parseTrace } from "@salestag/protocol/host";
import { JD_CLASS_DEVICESCRIPT_MANAGER, type JdService } from "@salestag/protocol/jacdac";
import type { BadgePort } from "./badge-port";

/** What a badge showed of itself while it was looked at. */
export interface Observation {
  /** Hardware id, 16 hexadecimal digits; undefined when the runtime did not answer. */
  deviceId?: string;
  /** Version of the runtime, such as 2.16.4. */
  runtimeVersion?: string;
  /** What lies in the badge; `sizeBytes` is 0 for none, or one that is not complete. */
  program?: { name: string; version: string; sizeBytes: number; sha256: string };
  running?: boolean;
  /** It was stopped before the one who looks started it. */
  wasStopped?: boolean;
  /** False after somebody stopped the program; true means that the runtime starts it again by itself. */
  autostart?: boolean;
  /** Classes of the services on its bus. */
  serviceClasses: Set<number>;
  /** What the program said last about itself. */
  said?: "health" | "unprovisioned" | "nochip";
  /** Its first and its last account of how it is. */
  firstHealth?: BadgeHealth;
  health?: BadgeHealth;
  /** Longest lateness of all accounts, ms. */
  lateMsMax: number;
  /** Codes with which the program panicked. */
  panics: number[];
  /** How often the program started. */
  starts: number;
  /** Address of its relay, where it said it. */
  relay?: string;
  /** Why the last connection to the relay ended or did not come about; undefined after one that stands. */
  down?: string;
  /** Warnings and errors that it logged, the newest last. */
  warnings: string[];
  /** Why the port is gone; undefined while it is there. */
  gone?: string;
}

export interface ObserveOptions {
  /** Looks so long. */
  forMs: number;
  /** Ends sooner, as soon as the badge's state is known. */
  briefly?: boolean;
}

const REGISTER_RUNNING = 0x80;
const REGISTER_AUTOSTART = 0x81;
const REGISTER_SIZE = 0x180;
const REGISTER_SHA256 = 0x182;
const REGISTER_RUNTIME_VERSION = 0x183;
const REGISTER_NAME = 0x184;
const REGISTER_VERSION = 0x185;
const JD_EVENT = 0x8000;
const EVENT_PANIC = 0x80;
const EVENT_CODE_BITS = 0xff;
/** Code and place in the program. */
const PANIC_BYTES = 8;
const PANIC = /^PANIC (\d{1,9})$/;
const WARNINGS_MAX = 20;
const TEXT_CHARACTERS_MAX = 200;
/** The runtime logs this when it starts a program. */
const STARTS = /^\* start: /;
/** Warnings and errors of a program. The runtime marks some of its own words in the same way, of which these say nothing. */
const WARNS = /^[*!] /;
const CHATTER = /^\* (start|stop|DeviceScript|connecting|connected|socket|tcp)\b/i;

/** @returns an observation of a badge that showed nothing */
export function nothingSeen(): Observation {
  return { serviceClasses: new Set(), lateMsMax: 0, panics: [], starts: 0, warnings: [] };
}

/** Watches a badge for a while. Never throws: a badge that does not answer shows nothing, and one that is unplugged is gone. */
export async function observe(port: BadgePort, options: ObserveOptions): Promise<Observation> {
  const seen = nothingSeen();
  let known: () => void = () => undefined;
  const early = new Promise<undefined>((resolve) => {
    known = () => resolve(undefined);
  });
  const look = () => {
    if (options.briefly && stateIsKnown(seen)) known();
  };
  // A panic is an event on the bus and a line of the log, and either can be lost.
  const logged: number[] = [];
  const heard: number[] = [];
  const panicked = (list: number[], code: number) => {
    list.push(code);
    seen.panics = logged.length > heard.length ? logged : heard;
  };
  const unlisten = port.onLine((line) => {
    const code = PANIC.exec(line)?.[1];
    if (code === undefined) takeLine(seen, printable(line));
    else panicked(logged, Number(code));
    look();
  });
  const unhear = hearPanics(port, seen, (code) => {
    panicked(heard, code);
    look();
  });
  const asked = askRegisters(port, seen, options.forMs).then(look);
  const why = await firstOf(options.forMs, [early, port.gone]);
  if (why !== undefined) seen.gone = why;
  unlisten();
  unhear();
  for (const { serviceClass } of port.client.allServices()) seen.serviceClasses.add(serviceClass);
  if (seen.gone !== undefined) await asked;
  return seen;
}

/** @returns what the first of `others` gives; undefined when the time is over before */
async function firstOf(ms: number, others: Promise<string | undefined>[]): Promise<string | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const time = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, ms, undefined);
  });
  try {
    return await Promise.race([time, ...others]);
  } finally {
    clearTimeout(timer);
  }
}

/** @returns true when more watching would not change what the badge's state is called */
function stateIsKnown({ program, running, said, panics }: Observation): boolean {
  if (program === undefined || running === undefined) return false;
  return program.sizeBytes === 0 || !running || said !== undefined || panics.length > 0;
}

function takeLine(seen: Observation, line: string): void {
  const event = parseTrace(line);
  if (event === undefined) {
    if (STARTS.test(line)) seen.starts++;
    else if (WARNS.test(line) && !CHATTER.test(line)) warn(seen, line.slice(2));
    return;
  }
  if (event.word === "unprovisioned" || event.word === "nochip") seen.said = event.word;
  else if (event.word === "ready") seen.relay = event.relay;
  else if (event.word === "down") seen.down = event.why;
  else if (event.word === "up") seen.down = undefined;
  else if (event.word === "health") {
    seen.said = "health";
    seen.firstHealth ??= event;
    seen.health = event;
    seen.lateMsMax = Math.max(seen.lateMsMax, event.lateMs);
  }
}

function warn(seen: Observation, text: string): void {
  seen.warnings.push(text);
  if (seen.warnings.length > WARNINGS_MAX) seen.warnings.shift();
}

/** Each event comes three times, with the same number. @returns a function that ends it */
function hearPanics(port: BadgePort, seen: Observation, heard: (code: number) => void): () => void {
  let last = -1;
  let over = false;
  const take = (deviceId: string, _index: number, command: number, data: Buffer): boolean | undefined => {
    if (over) return true;
    const mine = seen.deviceId === undefined || deviceId === seen.deviceId;
    if (!mine || (command & JD_EVENT) === 0 || data.length !== PANIC_BYTES) return undefined;
    if ((command & EVENT_CODE_BITS) !== EVENT_PANIC || command === last) return undefined;
    last = command;
    heard(data.readUInt32LE(0));
    return undefined;
  };
  port.client.await("panics", Number.MAX_SAFE_INTEGER, take).catch(() => undefined); // ends with the port
  return () => {
    over = true;
  };
}

/** What does not answer stays undefined. */
async function askRegisters(port: BadgePort, seen: Observation, forMs: number): Promise<void> {
  const { client } = port;
  let manager: JdService;
  try {
    manager = await client.find(JD_CLASS_DEVICESCRIPT_MANAGER, forMs);
  } catch {
    return; // told by what stays undefined
  }
  seen.deviceId = manager.deviceId;
  const ask = (register: number): Promise<Buffer | undefined> =>
    client.readRegister(manager, register, forMs).catch(() => undefined);
  const asked = [
    REGISTER_RUNNING,
    REGISTER_AUTOSTART,
    REGISTER_SIZE,
    REGISTER_SHA256,
    REGISTER_RUNTIME_VERSION,
    REGISTER_NAME,
    REGISTER_VERSION,
  ];
  const [running, autostart, size, sha256, runtime, name, version] = await Promise.all(asked.map(ask));
  if (running !== undefined) seen.running = running[0] === 1;
  if (autostart !== undefined) seen.autostart = autostart[0] === 1;
  if (runtime !== undefined && runtime.length >= 4) seen.runtimeVersion = versionOf(runtime);
  if (size !== undefined && size.length >= 4) {
    const complete = sha256 === undefined || sha256.some((byte) => byte !== 0);
    seen.program = {
      name: printable(name?.toString("utf8") ?? ""),
      version: printable(version?.toString("utf8") ?? ""),
      sizeBytes: complete ? size.readUInt32LE(0) : 0,
      sha256: sha256?.toString("hex") ?? "",
    };
  }
}

/** @param bytes patch (2 bytes), minor, major, as the runtime and a program's head have them */
export function versionOf(bytes: Buffer): string {
  return `${bytes[3]}.${bytes[2]}.${bytes.readUInt16LE(0)}`;
}

/** What a device says goes to terminals, and some of it comes from others. */
function printable(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, "").slice(0, TEXT_CHARACTERS_MAX);
}
