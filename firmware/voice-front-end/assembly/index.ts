// The voice front end's calls. The host writes 320 i16 samples at input(), calls process() and reads 28 bytes at
// features(): flags, level, harmonicity, opusLength, 24 bands, as in bytes 4..31 of a frame of layout 1
// (firmware/services/voice-front-end.md). The host adds the mute flag, the packet's length and the packet.
// Rate 16 kHz mono, block 320 samples, fixed point throughout; stages state their formats and latency.

import { dcBlock, resetDcBlock } from "./dc-block";
import { harmonicity } from "./harmonicity";
import { clipped, level } from "./level";
import { initMelBands, melBands } from "./mel-bands";
import { FEATURE_BYTES, FEATURES, INPUT, WINDOW, WINDOW_SAMPLES } from "./memory";
import { powerSpectrum } from "./power-spectrum";
import { initSine } from "./sine";

const LAYOUT: u8 = 1 << 4;
const FLAG_CLIPPED: u8 = 1 << 1;

initSine();
initMelBands();

/** Address of the hop's input: 320 i16 samples. */
export function input(): usize {
  return INPUT;
}

/** Address of the 28 bytes that process() writes. */
export function features(): usize {
  return FEATURES;
}

/** Forgets all samples, as after power-on. */
export function reset(): void {
  resetDcBlock();
  memory.fill(WINDOW, 0, usize(WINDOW_SAMPLES) << 2);
  memory.fill(FEATURES, 0, usize(FEATURE_BYTES));
}

/** Takes the hop at input() into account and writes its features. */
export function process(): void {
  dcBlock();
  store<u8>(FEATURES, clipped() ? LAYOUT | FLAG_CLIPPED : LAYOUT);
  store<u8>(FEATURES, u8(level()), 1);
  store<u8>(FEATURES, u8(harmonicity()), 2);
  powerSpectrum();
  melBands();
}
