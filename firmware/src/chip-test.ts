// The factory's test of the flash chip, asked for by the setting `chiptest` and done before the program opens the chip for itself. It says
// what it found for a while and then starts the program again.
import { restart, sleep } from "@devicescript/core";
import { deleteSetting, readSetting } from "@devicescript/settings";
import { type ChipProbe, probeChip } from "./chip-probe";
import { HEALTH_MS } from "./config";
import { openServiceChip } from "./flash/service-chip";
import type { Trace } from "./trace";

const SETTING = "chiptest";
/** Value of the setting with which a sector that is not blank may be erased. */
const MAY_ERASE = 2;
const CHIP_MS_MAX = 5000;
/** So often the result is said: a line can be lost. */
const TIMES = 10;

/** Returns at once unless the setting is there; it is deleted first, so that the test is done once. */
export async function testChipIfAsked(trace: Trace): Promise<void> {
  const asked = await readSetting<number>(SETTING, 0);
  if (asked === 0) return;
  await deleteSetting(SETTING);
  const probe = await probeOf(asked === MAY_ERASE);
  for (let i = 0; i < TIMES; i++) {
    trace.chipTest(probe);
    await sleep(HEALTH_MS);
  }
  restart();
}

async function probeOf(mayErase: boolean): Promise<ChipProbe> {
  const none: ChipProbe = { sectors: 0, places: 0, refused: 0, unerased: 0, unwritten: 0, wrong: 0 };
  try {
    const chip = await openServiceChip(CHIP_MS_MAX);
    if (chip === undefined) return none;
    return await probeChip(chip, mayErase, async () => await sleep(1));
  } catch (error) {
    console.warn((error as Error).message);
    return none;
  }
}
