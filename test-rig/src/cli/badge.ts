// `rig badge`: an emulated badge that stays switched on, in real time, with its USB port on a pseudo-terminal or a TCP port of this machine.
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { type Command, InvalidArgumentError } from "commander";
import { quietRoom, recordingIn } from "../ambience";
import {
  type BadgeState,
  keepBadgeState,
  loadBadgeState,
  newBadgeState,
  saveBadgeState,
} from "../badge-state";
import { BENCH_DEFAULTS, Bench } from "../bench";
import { PaceGate } from "../emulator/pace-gate";
import { playedPower } from "../emulator/power";
import { playedVitals } from "../emulator/runtime-vitals";
import { RigError } from "../errors";
import { ESP32_SLOWER } from "../replay";
import { UsbDoor } from "../usb-door";

interface Flags {
  state: string;
  port: number;
  link?: string;
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
    .option("--play <file>", "a recording that it hears in real time: WAV or FLAC")
    .option("--loop", "with --play: again and again, with pauses in which a conversation ends", false)
    .option("--battery <percent>", "charge of its battery; without it nothing tells the charge", upTo(100))
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
  const state = known ? loadBadgeState(flags.state) : newBadgeState(randomBytes(8).toString("hex"));
  if (!known) keepBadgeState(flags.state, state);
  const onLog = (line: string) => {
    if (flags.log) process.stderr.write(`${line}\n`);
  };
  const seed = randomBytes(4).readUInt32LE(0);
  const onState = (kept: BadgeState) => saveBadgeState(flags.state, kept);
  const bench = await Bench.open({ ...BENCH_DEFAULTS, seed, state, onState, onLog });
  bench.plugFrontEnd(ambience);
  plugIn(bench, flags);
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
  await bench.time.run(Number.POSITIVE_INFINITY, () => !on).finally(() => door.close());
  bench.badge.powerOff();
  process.exit(0);
}

/** The devices on its bus that only a technician asks for. */
function plugIn(bench: Bench, { battery }: Flags): void {
  const { time, badge } = bench;
  bench.plug((send) =>
    playedVitals({ time, deviceId: VITALS_ID, runtime: badge, slower: ESP32_SLOWER, send }),
  );
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
