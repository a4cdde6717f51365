// Reads the voice front end's frames off the badge's bus (firmware/services/voice-front-end.md), and of each only level, flags and the network's
// word. The packet of sound that a frame also carries is neither kept nor shown.
import type { JdPacket } from "@salestag/protocol/jacdac";
import { JD_GET_REGISTER } from "@salestag/protocol/jacdac";
import type { Sound } from "./model";

/** Service class of voice-front-end.md. */
export const VOICE_FRONT_END_CLASS = 0x1f5a7c3e;

const REGISTER_READING = 0x101;
const LAYOUT = 2;
const FLAGS_OFFSET = 4;
const LEVEL_OFFSET = 5;
const SPEECH_OFFSET = 32;
const HEADER_BYTES = 36;
const MUTED = 1 << 0;
const CLIPPED = 1 << 1;

/** @returns what a packet of the front end tells of its frame; undefined for another packet, or a layout that is not known */
export function soundOf({ command, data }: JdPacket): Sound | undefined {
  if (command !== (JD_GET_REGISTER | REGISTER_READING) || data.length < HEADER_BYTES) return undefined;
  const flags = data[FLAGS_OFFSET];
  if (flags >> 4 !== LAYOUT) return undefined;
  const speech = data[SPEECH_OFFSET];
  return {
    levelDb: -data[LEVEL_OFFSET] / 2,
    clipped: (flags & CLIPPED) !== 0,
    muted: (flags & MUTED) !== 0,
    speech: speech === 0 ? undefined : 1 / (1 + Math.exp(-(speech - 128) / 16)),
  };
}
