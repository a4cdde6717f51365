// Some of the board only the badge program reaches: flash chip, motor. It is asked by a setting, does it at its next start, and says what it found.
import { parseTrace, type TraceEvent } from "@salestag/protocol/host";
import { BadgeSettings, setProgramRunning } from "@salestag/protocol/jacdac";
import type { FactoryBench } from "./bench";

const SETTING = "factory";
/** Values of the setting (docs/provisioning.md). */
export const ASK_CHIP = 1;
export const ASK_CHIP_AND_ERASE = 2;
export const ASK_VIBRATE = 10;
const ANSWER_MS = 30_000;

/** @returns true unless the badge is known to have another program */
export function hasRightProgram({ seen, known }: FactoryBench): boolean {
  return known === undefined || seen.program?.sha256 === known.sha256;
}

/**
 * Starts the program with a task, and stops it again.
 * @returns what it says; undefined when it says nothing. Rejects when the badge is gone or does not take the setting.
 */
export async function askProgram<W extends TraceEvent["word"]>(
  { client, manager, settingsService, port }: FactoryBench,
  task: number,
  word: W,
): Promise<Extract<TraceEvent, { word: W }> | undefined> {
  const settings = new BadgeSettings(client, settingsService);
  await setProgramRunning(client, manager, false);
  await settings.write(SETTING, Buffer.from(String(task)));
  let unlisten: () => void = () => undefined;
  const told = new Promise<Extract<TraceEvent, { word: W }>>((resolve) => {
    unlisten = port.onLine((line) => {
      const event = parseTrace(line);
      if (event?.word === word) resolve(event as Extract<TraceEvent, { word: W }>);
    });
  });
  try {
    await setProgramRunning(client, manager, true);
    return await Promise.race([told, client.pause(ANSWER_MS).then(() => undefined)]);
  } finally {
    unlisten();
    await setProgramRunning(client, manager, false);
    await settings.delete(SETTING);
  }
}
