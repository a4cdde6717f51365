// What only the program can reach on the board and the factory wants tested: the flash chip, the vibration motor. Asked for by the setting `factory`,
// done before anything else. It says what it found for a while and then starts the program again.
import { restart, sleep, VibrationMotor } from "@devicescript/core";
import { deleteSetting, readSetting } from "@devicescript/settings";
import { buzzBoard, hasBoard } from "./board";
import { type ChipProbe, probeChip } from "./chip-probe";
import { HEALTH_MS } from "./config";
import { openChip } from "./flash/open-chip";
import type { Trace } from "./trace";

const SETTING = "factory";
/** Values of the setting: test the chip where it is blank; the same, and a sector may be erased; vibrate so many times more than this. */
const TEST_CHIP = 1;
const TEST_CHIP_AND_ERASE = 2;
const VIBRATE = 10;
const PULSES_MAX = 9;
const PULSE_MS = 304;
const PAUSE_MS = 500;
const MOTOR_MS_MAX = 2000;
const BIND_MS = 50;
/** So often the result is said: a line can be lost. */
const TIMES = 10;

/** Returns at once unless the setting is there; it is deleted first, so that it is done once. */
export async function testIfAsked(trace: Trace): Promise<void> {
  const asked = await readSetting<number>(SETTING, 0);
  if (asked === 0) return;
  await deleteSetting(SETTING);
  if (asked === TEST_CHIP || asked === TEST_CHIP_AND_ERASE) {
    const probe = await chipProbe(asked === TEST_CHIP_AND_ERASE);
    await repeat(() => trace.chipTest(probe));
  } else if (asked > VIBRATE && asked <= VIBRATE + PULSES_MAX) {
    const pulses = await vibrate(asked - VIBRATE);
    await repeat(() => trace.motorTest(pulses));
  }
  restart();
}

async function repeat(say: () => void): Promise<void> {
  for (let i = 0; i < TIMES; i++) {
    say();
    await sleep(HEALTH_MS);
  }
}

async function chipProbe(mayErase: boolean): Promise<ChipProbe> {
  const chip = await openChip();
  if (chip === undefined) return { sectors: 0, places: 0, refused: 0, unerased: 0, unwritten: 0, wrong: 0 };
  return await probeChip(chip, mayErase, async () => await sleep(1));
}

/** @returns how many times it told the motor to; 0 when there is none */
async function vibrate(pulses: number): Promise<number> {
  const motor = new VibrationMotor();
  if (!hasBoard() && !(await isThere(motor))) return 0;
  for (let i = 0; i < pulses; i++) {
    if (hasBoard()) await buzzBoard(PULSE_MS);
    else await motor.sendCommand(COMMAND_VIBRATE, vibration());
    await sleep(hasBoard() ? PAUSE_MS : PULSE_MS + PAUSE_MS);
  }
  return pulses;
}

async function isThere(motor: VibrationMotor): Promise<boolean> {
  for (let ms = 0; ms < MOTOR_MS_MAX && !motor.isBound; ms += BIND_MS) await sleep(BIND_MS);
  return motor.isBound;
}

/** Jacdac's vibration motor: command `vibrate`, repeats of duration in 8 ms and intensity as u0.8. */
const COMMAND_VIBRATE = 0x80;

function vibration(): Buffer {
  const payload = Buffer.alloc(2);
  payload[0] = PULSE_MS >> 3;
  payload[1] = 255;
  return payload;
}
