// Steps about sound: the microphone, the badge's own tone heard by it, and the switch that takes its supply away.

import { VOICE_FRONT_END_CLASS } from "../monitor/front-end";
import type { FactoryBench } from "./bench";
import { serviceOf } from "./bench";
import { findBuzzer, hearTone, playTone, steadyLevel } from "./buzzer";
import { Ear, type HeardFrame, levelAt, missingIn } from "./ear";
import { LIMITS, measured, type Value } from "./limits";
import { type Found, failed, judged, outside, passed, skipped } from "./step";

/** A second. */
const QUIET_FRAMES = 50;
const SETTLED_FRAMES = 15;
/** A switch and the front end's last frames need so long to settle. */
const SETTLE_MS = 300;
const LOOK_AT_MICROPHONE =
  "look at the microphone: its supply behind the mute switch, its clock and data lines, its hole";

/** Lets a step hear. @param without what it comes to where there is no front end */
async function withEar(
  { client, port }: FactoryBench,
  without: Found,
  step: (ear: Ear) => Promise<Found>,
): Promise<Found> {
  const frontEnd = await serviceOf(client, VOICE_FRONT_END_CLASS);
  if (frontEnd === undefined) return without;
  const ear = new Ear(port, frontEnd);
  try {
    return await step(ear);
  } finally {
    ear.close();
  }
}

export async function testMicrophone(bench: FactoryBench): Promise<Found> {
  const none = failed(
    "no voice front end announces itself",
    "look whether the runtime has the front end's component (firmware/native); flash the badge's own runtime",
  );
  return await withEar(bench, none, async (ear) => {
    const first = await ear.hear(1);
    if (isMuted(first) && !(await switchedOn(bench, ear))) {
      bench.heard.mutedThroughout = true;
      return skipped("the microphone stays switched off", "mend what the step 'mute' says");
    }
    bench.person.tell("Be quiet for a second.");
    const quiet = await ear.hear(QUIET_FRAMES);
    if (quiet.length === 0)
      return failed("the front end sends no frames", "look whether the runtime's sound task runs (its log)");
    const floorDbfs = levelAt(quiet, 0.5);
    const values = [measured("framesMissing", missing(quiet)), measured("noiseFloor", floorDbfs)];
    if (outside(values) !== undefined) return judged("", values, LOOK_AT_MICROPHONE);
    return await testHearing(bench, ear, floorDbfs, values);
  });
}

function missing(frames: HeardFrame[]): number {
  return Math.max(0, missingIn(frames), QUIET_FRAMES - frames.length);
}

const isMuted = (frames: HeardFrame[]) => frames.at(-1)?.muted === true;

async function switchedOn({ person, waitMs }: FactoryBench, ear: Ear): Promise<boolean> {
  person.tell("Switch the microphone on.");
  return await ear.until((frames) => frames.length > 0 && !isMuted(frames), waitMs);
}

/** A microphone with the right floor may still be deaf: its hole covered. The badge's own tone shows it, or else a voice. */
async function testHearing(
  bench: FactoryBench,
  ear: Ear,
  floorDbfs: number,
  values: Value[],
): Promise<Found> {
  const { client, heard, person, waitMs } = bench;
  const floor = `its floor is ${floorDbfs} dBFS`;
  heard.floorDbfs = floorDbfs;
  const buzzer = await findBuzzer(client);
  const toned = buzzer === undefined ? undefined : await hearTone(client, buzzer, ear);
  if (toned !== undefined) heard.ownToneDb = steadyLevel(toned) - floorDbfs;
  if ((heard.ownToneDb ?? 0) >= LIMITS.ownToneRise.least)
    return passed(`${floor}; it hears the badge's tone`, values);
  if (!person.asks) return passed(`${floor}; nothing sounded that it could have heard`, values);
  person.tell("Say something to the badge, half a metre away.");
  const loud = floorDbfs + LIMITS.soundRise.least;
  await ear.until((frames) => frames.filter(({ levelDbfs }) => levelDbfs >= loud).length >= 5, waitMs);
  const loudest = Math.max(floorDbfs, ...ear.last().map(({ levelDbfs }) => levelDbfs));
  const found = judged(
    `${floor}; it hears a voice`,
    [...values, measured("soundRise", loudest - floorDbfs)],
    `${LOOK_AT_MICROPHONE}; it hears neither the badge's tone nor a voice`,
  );
  if (found.verdict === "failed") heard.floorDbfs = undefined;
  return found;
}

export async function testTone({ client, heard, person, signal }: FactoryBench): Promise<Found> {
  const buzzer = await findBuzzer(client);
  const look = "look at the buzzer, its driver and the pin that drives it";
  if (buzzer === undefined)
    return failed(
      "no buzzer announces itself",
      "look whether the board's definition has the buzzer; flash it again",
    );
  const refusal = await playTone(client, buzzer);
  if (refusal !== undefined) return failed(`the buzzer takes no tone: ${refusal}`, look);
  if (heard.floorDbfs !== undefined)
    return judged("the badge's microphone hears it", [measured("ownToneRise", heard.ownToneDb ?? 0)], look);
  if (!person.asks)
    return skipped("it took the command; no microphone to hear it with", "mend the microphone, test again");
  const answer = await person.choose("Did the badge sound a tone?", ["yes", "no"], signal);
  return answer === "yes" ? passed("the technician heard it") : failed("the technician heard no tone", look);
}

export async function testMute(bench: FactoryBench): Promise<Found> {
  const { heard, person, waitMs } = bench;
  if (heard.mutedThroughout)
    return failed(
      `the front end says 'muted', whatever the switch does, for ${waitMs / 1000} s`,
      "look at the line from the mute switch to the processor, and its pull resistor: it reads as muted always",
    );
  const none = skipped("no microphone to switch off", "mend what the step 'microphone' says");
  if (heard.floorDbfs === undefined) return none;
  return await withEar(bench, none, async (ear) => {
    person.tell("Switch the microphone off.");
    let silent = 0;
    const flagged = await ear.until((frames) => {
      silent = frames.filter(({ levelDbfs }) => levelDbfs <= LIMITS.mutedLevel.most).length;
      return isMuted(frames);
    }, waitMs);
    if (!flagged) return unflagged(waitMs, silent > QUIET_FRAMES / 2);
    return await testCut(bench, ear);
  });
}

function unflagged(waitMs: number, silent: boolean): Found {
  if (silent)
    return failed(
      "the microphone falls silent, but the front end does not say 'muted'",
      "look at the line from the mute switch to the processor: the badge cannot show that it hears nothing",
    );
  return failed(
    `neither the mute flag nor the level followed the switch in ${waitMs / 1000} s`,
    "look at the mute switch and its solder joints",
  );
}

/** With the tone as something to hear: a flag alone proves nothing. */
async function testCut(bench: FactoryBench, ear: Ear): Promise<Found> {
  const { client, person, waitMs } = bench;
  await client.pause(SETTLE_MS);
  const buzzer = await findBuzzer(client);
  const frames = (buzzer && (await hearTone(client, buzzer, ear))) ?? (await ear.hear(QUIET_FRAMES));
  const muted = measured("mutedLevel", Math.max(-127.5, ...frames.map(({ levelDbfs }) => levelDbfs)));
  const cut = judged(
    "",
    [muted],
    "look at the load switch in the microphone's supply: it must open with the mute switch, without the processor",
  );
  person.tell("Switch the microphone on.");
  const back = await ear.until((heard) => heard.length > 0 && !isMuted(heard), waitMs);
  if (cut.verdict === "failed") return cut;
  if (frames.length === 0 || !back)
    return failed(
      back
        ? "the front end sends no frames while muted"
        : `the flag stays after the switch was put back, for ${waitMs / 1000} s`,
      "look at the line from the mute switch to the processor, and its pull resistor",
      [muted],
    );
  await client.pause(SETTLE_MS);
  const unmuted = measured("unmutedLevel", levelAt(await ear.hear(SETTLED_FRAMES), 0.5));
  return judged(
    "it cuts the microphone: flag and level follow the switch",
    [muted, unmuted],
    "look at the load switch in the microphone's supply: it does not close again",
  );
}
