// `rig badge`: an emulated badge that stays switched on, in real time, with its USB port on a pseudo-terminal or a TCP port of this machine.
import { randomBytes } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { type Command, InvalidArgumentError } from "commander";
import { quietRoom, recordingIn } from "../ambience";
import {
  type BadgeState,
  hardwareIdOf,
  keepBadgeState,
  loadBadgeState,
  newBadgeState,
  saveBadgeState,
} from "../badge-state";
import { BENCH_DEFAULTS, Bench, readProgram } from "../bench";
import { PaceGate } from "../emulator/pace-gate";
import { playedPower } from "../emulator/power";
import { playedVitals } from "../emulator/runtime-vitals";
import type { AccessPoint } from "../emulator/wifi";
import { RigError } from "../errors";
import { ESP32_SLOWER } from "../replay";
import { UsbDoor } from "../usb-door";
import { UsbPlug } from "../usb-plug";

interface Flags {
  state: string;
  port: number;
  link?: string;
  blank: boolean;
  air?: string;
  battery?: number;
  play?: string;
  loop: boolean;
  log: boolean;
}

const POWER_ID = "5a1e57a600000004";
const VITALS_ID = "5a1e57a600000005";

const HELP = `
Without --play it hears a quiet room.

Examples:
  rig badge --state badge1 --link ports/badge1
  rig badge --state badge1 --port 4001 --log
  rig badge --state badge1 --link ports/badge1 --play test-rig/samples/solar-sale.flac --loop --battery 87`;

export function addBadge(program: Command): void {
  program
    .command("badge")
    .description("Switch on an emulated badge whose USB port is a serial port or a TCP port of this machine.")
    .requiredOption("--state <dir>", "folder with the badge's flash, made for a new badge")
    .option("--link <path>", "serial port: a link to a pseudo-terminal, made while the badge is on")
    .option("--port <n>", "without --link: TCP port; 0 lets the system choose", upTo(65535), 0)
    .option("--blank", "a new badge: with the runtime alone, no program", false)
    .option("--play <file>", "a recording that it hears in real time: WAV or FLAC")
    .option("--loop", "with --play: again and again, with pauses in which a conversation ends", false)
    .option("--battery <percent>", "charge of its battery; without it nothing tells the charge", upTo(100))
    .option(
      "--air <file>",
      "Wi-Fi in reach: JSON, [{ssid, password, rssiDbm, channel}]; without it the badge has a network and no Wi-Fi",
    )
    .option("--log", "show what the badge logs", false)
    .addHelpText("after", HELP)
    .action(run);
}

async function run(flags: Flags): Promise<void> {
  if (flags.loop && flags.play === undefined)
    throw new RigError("--loop plays a recording again: name it with --play.");
  const room = await quietRoom();
  const ambience = flags.play === undefined ? room : await recordingIn(room, flags.play, flags.loop);
  const known = existsSync(flags.state);
  if (known && flags.blank)
    throw new RigError(`There is a badge in '${flags.state}' already: take another folder for a blank one.`);
  const state = known ? loadBadgeState(flags.state) : newBadgeState(hardwareIdOf(randomBytes(8)));
  if (!known) keepBadgeState(flags.state, state);
  const onLog = (line: string) => {
    if (flags.log) process.stderr.write(`${line}\n`);
  };
  const seed = randomBytes(4).readUInt32LE(0);
  const onState = (kept: BadgeState) => saveBadgeState(flags.state, kept);
  const program = known || flags.blank ? "in flash" : readProgram();
  const air = flags.air === undefined ? undefined : readAir(flags.air);
  const bench = await Bench.open({ ...BENCH_DEFAULTS, seed, state, program, air, onState, onLog });
  bench.plugFrontEnd(ambience);
  plugIn(bench, flags);
  const plug = await UsbPlug.plugIn(bench, (before) => openDoor(bench, flags, before));
  process.stdout.write(`badge ${state.deviceId} at ${plug.port}\n`);
  new PaceGate(bench.time, () => performance.now(), 1);
  let on = true;
  const off = () => {
    on = false;
  };
  process.on("SIGINT", off);
  process.on("SIGTERM", off);
  await bench.time.run(Number.POSITIVE_INFINITY, () => !on).finally(() => plug.close());
  process.exit(0);
}

function openDoor(bench: Bench, flags: Flags, before: string | undefined): Promise<UsbDoor> {
  if (flags.link !== undefined) return UsbDoor.onTerminal(bench, flags.link);
  return UsbDoor.onTcp(bench, before === undefined ? flags.port : Number(before.split(":").at(-1)));
}

function readAir(path: string): AccessPoint[] {
  const air: unknown = JSON.parse(readFileSync(path, "utf8"));
  const wellFormed = (one: AccessPoint) =>
    typeof one?.ssid === "string" &&
    typeof one.password === "string" &&
    Number.isInteger(one.rssiDbm) &&
    Number.isInteger(one.channel);
  if (!Array.isArray(air) || !air.every(wellFormed))
    throw new RigError(
      `'${path}' is no list of access points: write [{"ssid": "Office", "password": "...", "rssiDbm": -54, "channel": 6}].`,
    );
  return air;
}

/** The devices on its bus that only a technician asks for. */
function plugIn(bench: Bench, { battery }: Flags): void {
  const { time } = bench;
  const runtime = () => bench.runtime;
  bench.plug((send) => playedVitals({ time, deviceId: VITALS_ID, runtime, slower: ESP32_SLOWER, send }));
  if (battery !== undefined)
    bench.plug((send) => playedPower({ time, deviceId: POWER_ID, percent: battery, send }));
}

function upTo(max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text === "" || !Number.isInteger(value) || value < 0 || value > max)
      throw new InvalidArgumentError(`It must be a whole number from 0 to ${max}.`);
    return value;
  };
}
