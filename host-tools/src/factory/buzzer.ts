// The badge's own tone: heard by its microphone it proves both, without a person.
import type { JacdacClient, JdService } from "@salestag/protocol/jacdac";
import { refusalOf, serviceOf } from "./bench";
import { type Ear, type HeardFrame, levelAt } from "./ear";

const JD_CLASS_BUZZER = 0x1b57b1d7;
/** Period and duty of the tone in microseconds, its length in ms: the one tone command that the runtime's own service knows. */
const COMMAND_PLAY_TONE = 0x80;
const REGISTER_VOLUME = 0x01;
const LOUDEST = 255;
/** 2.4 kHz, as the badge program plays. */
const PERIOD_US = 416;
const TONE_MS = 1200;
const FRAME_MS = 20;
const HEARD_FRAMES = 30;
const STEADY_FRAMES = 15;

export async function findBuzzer(client: JacdacClient): Promise<JdService | undefined> {
  return await serviceOf(client, JD_CLASS_BUZZER);
}

/** Plays the tone. @returns why the buzzer does not take it; undefined when it does */
export async function playTone(client: JacdacClient, buzzer: JdService): Promise<string | undefined> {
  client.writeRegister(buzzer, REGISTER_VOLUME, Buffer.from([LOUDEST]));
  const tone = Buffer.alloc(6);
  tone.writeUInt16LE(PERIOD_US, 0);
  tone.writeUInt16LE(PERIOD_US / 2, 2);
  tone.writeUInt16LE(TONE_MS, 4);
  return await refusalOf(client, buzzer, COMMAND_PLAY_TONE, tone);
}

/** Plays the tone and hears it. @returns the frames while it sounds, and waits until it is over; undefined when the buzzer does not take it */
export async function hearTone(
  client: JacdacClient,
  buzzer: JdService,
  ear: Ear,
): Promise<HeardFrame[] | undefined> {
  ear.begin();
  if ((await playTone(client, buzzer)) !== undefined) return undefined;
  const frames = await ear.more(HEARD_FRAMES);
  await client.pause(TONE_MS - HEARD_FRAMES * FRAME_MS);
  return frames;
}

/** @returns level that a sound of 300 ms keeps up somewhere in these frames, dBFS */
export function steadyLevel(frames: HeardFrame[]): number {
  return levelAt(frames, Math.max(0, 1 - STEADY_FRAMES / frames.length));
}
