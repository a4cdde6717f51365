// What the badge shows to its wearer and to those around: one table, from which the first line that applies is shown. The README has the same table
// for people; a test holds them together.

/** How a state looks, sounds and feels. */
export interface Pattern {
  name: string;
  /** 0xRRGGBB. */
  light: number;
  /** The light is on for one second of so many; 1: always. */
  everyS: number;
  /** Short tones when the state begins. */
  tones: number;
  /** Short vibrations when it begins. */
  buzzes: number;
}

/** What a pattern may depend on. */
export interface Situation {
  muted: boolean;
  storageFailed: boolean;
  storageFull: boolean;
  batteryLow: boolean;
  asking: boolean;
  recording: boolean;
  refused: boolean;
  paused: boolean;
  off: boolean;
  online: boolean;
}

const pattern = (name: string, light: number, everyS: number, tones: number, buzzes: number): Pattern => {
  return { name, light, everyS, tones, buzzes };
};

export const MUTED = pattern("muted", 0xff0000, 1, 0, 1);
export const STORAGE_FAILED = pattern("storage-failed", 0xff0000, 2, 3, 3);
export const STORAGE_FULL = pattern("storage-full", 0xff6000, 2, 2, 2);
export const ASKING = pattern("asking", 0x0000ff, 2, 2, 1);
export const RECORDING = pattern("recording", 0x00ff00, 1, 1, 0);
export const REFUSED = pattern("not-recording", 0x800080, 1, 0, 2);
export const PAUSED = pattern("paused", 0xffff00, 3, 0, 2);
export const OFF = pattern("off", 0x000000, 1, 0, 0);
export const BATTERY_LOW = pattern("battery-low", 0xff6000, 5, 0, 1);
export const NO_NETWORK = pattern("no-network", 0x00ffff, 5, 0, 0);
export const READY = pattern("ready", 0x00ff00, 5, 0, 0);

/** @returns what is shown: the first that applies */
export function patternFor(now: Situation): Pattern {
  if (now.storageFailed) return STORAGE_FAILED;
  if (now.muted) return MUTED;
  if (now.asking) return ASKING;
  if (now.recording) return now.storageFull ? STORAGE_FULL : RECORDING;
  if (now.refused) return REFUSED;
  if (now.paused) return PAUSED;
  if (now.off) return OFF;
  if (now.storageFull) return STORAGE_FULL;
  if (now.batteryLow) return BATTERY_LOW;
  return now.online ? READY : NO_NETWORK;
}
