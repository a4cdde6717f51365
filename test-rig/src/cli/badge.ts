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
import { BENCH_DEFAULTS, Bench } from "../bench";
import { PaceGate } from "../emulator/pace-gate";
import { UsbDoor } from "../usb-door";

interface Flags {
  state: string;
  port: number;
  link?: string;
  log: boolean;
}

export function addBadge(program: Command): void {
  program
    .command("badge")
    .description("Switch on an emulated badge whose USB port is a serial port or a TCP port of this machine.")
    .requiredOption("--state <dir>", "folder with the badge's flash, made for a new badge")
    .option("--link <path>", "serial port: a link to a pseudo-terminal, made while the badge is on")
    .option("--port <n>", "without --link: TCP port; 0 lets the system choose", port, 0)
    .option("--log", "show what the badge logs", false)
    .addHelpText(
      "after",
      "\nExamples:\n  rig badge --state badge1 --link ports/badge1\n  rig badge --state badge1 --port 4001 --log",
    )
    .action(run);
}

async function run(flags: Flags): Promise<void> {
  const known = existsSync(flags.state);
  const state = known ? loadBadgeState(flags.state) : newBadgeState(randomBytes(8).toString("hex"));
  if (!known) keepBadgeState(flags.state, state);
  const onLog = (line: string) => {
    if (flags.log) process.stderr.write(`${line}\n`);
  };
  const seed = randomBytes(4).readUInt32LE(0);
  const onState = (kept: BadgeState) => saveBadgeState(flags.state, kept);
  const bench = await Bench.open({ ...BENCH_DEFAULTS, seed, state, onState, onLog });
  const { link } = flags;
  const door =
    link === undefined ? await UsbDoor.onTcp(bench, flags.port) : await UsbDoor.onTerminal(bench, link);
  process.stdout.write(`badge ${state.deviceId} at ${door.port}\n`);
  new PaceGate(bench.time, () => performance.now(), 1);
  let on = true;
  const off = () => {
    on = false;
  };
  process.on("SIGINT", off);
  process.on("SIGTERM", off);
  await bench.time.run(Number.POSITIVE_INFINITY, () => !on);
  await door.close();
  bench.badge.powerOff();
  process.exit(0);
}

function port(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0 || value > 65535)
    throw new InvalidArgumentError("It must be a port, 0 to 65535.");
  return value;
}
