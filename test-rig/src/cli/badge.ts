// `rig badge`: an emulated badge that stays switched on, in real time, with its USB port on a pseudo-terminal or a TCP port of this machine.
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { type Command, InvalidArgumentError } from "commander";
import {
  type BadgeState,
  keepBadgeState,
  loadBadgeState,
  newBadgeState,
  saveBadgeState,
} from "../badge-state";
import { BENCH_DEFAULTS, Bench, readProgram } from "../bench";
import { PaceGate } from "../emulator/pace-gate";
import { RigError } from "../errors";
import { UsbDoor } from "../usb-door";
import { UsbPlug } from "../usb-plug";

interface Flags {
  state: string;
  port: number;
  link?: string;
  blank: boolean;
  log: boolean;
}

export function addBadge(program: Command): void {
  program
    .command("badge")
    .description("Switch on an emulated badge whose USB port is a serial port or a TCP port of this machine.")
    .requiredOption("--state <dir>", "folder with the badge's flash, made for a new badge")
    .option("--link <path>", "serial port: a link to a pseudo-terminal, made while the badge is on")
    .option("--port <n>", "without --link: TCP port; 0 lets the system choose", port, 0)
    .option("--blank", "a new badge: with the runtime alone, no program", false)
    .option("--log", "show what the badge logs", false)
    .addHelpText(
      "after",
      "\nExamples:\n  rig badge --state badge1 --link ports/badge1\n  rig badge --state badge1 --port 4001 --log",
    )
    .action(run);
}

async function run(flags: Flags): Promise<void> {
  const known = existsSync(flags.state);
  if (known && flags.blank)
    throw new RigError(`There is a badge in '${flags.state}' already: take another folder for a blank one.`);
  const state = known ? loadBadgeState(flags.state) : newBadgeState(randomBytes(8).toString("hex"));
  if (!known) keepBadgeState(flags.state, state);
  const onLog = (line: string) => {
    if (flags.log) process.stderr.write(`${line}\n`);
  };
  const seed = randomBytes(4).readUInt32LE(0);
  const onState = (kept: BadgeState) => saveBadgeState(flags.state, kept);
  const program = known || flags.blank ? "in flash" : readProgram();
  const bench = await Bench.open({ ...BENCH_DEFAULTS, seed, state, program, onState, onLog });
  const plug = await UsbPlug.plugIn(bench, (before) => openDoor(bench, flags, before));
  process.stdout.write(`badge ${state.deviceId} at ${plug.port}\n`);
  new PaceGate(bench.time, () => performance.now(), 1);
  let on = true;
  const off = () => {
    on = false;
  };
  process.on("SIGINT", off);
  process.on("SIGTERM", off);
  await bench.time.run(Number.POSITIVE_INFINITY, () => !on);
  await plug.close();
  process.exit(0);
}

function openDoor(bench: Bench, flags: Flags, before: string | undefined): Promise<UsbDoor> {
  if (flags.link !== undefined) return UsbDoor.onTerminal(bench, flags.link);
  return UsbDoor.onTcp(bench, before === undefined ? flags.port : Number(before.split(":").at(-1)));
}

function port(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0 || value > 65535)
    throw new InvalidArgumentError("It must be a port, 0 to 65535.");
  return value;
}
