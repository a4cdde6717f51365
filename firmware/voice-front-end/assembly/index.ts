// The voice front end's calls. The host writes the network at weights() and calls reset(); then, for every hop, it writes
// 320 i16 samples at input(), calls process() and reads as many bytes as that returns at features(): bytes 4..35 or 4..75
// of a frame of layout 2 (firmware/services/voice-front-end.md). It adds the mute flag, the packet's length and the packet.
// Rate 16 kHz mono, block 320 samples, fixed point throughout; stages state their formats and latency.

import { bandMean, resetBandMean } from "./band-mean";
import { cues, resetCues } from "./cues";
import { dcBlock, resetDcBlock } from "./dc-block";
import { harmonicity } from "./harmonicity";
import { clipped, level } from "./level";
import { initMelBands, melBands } from "./mel-bands";
import { FEATURE_BYTES, FEATURES, INPUT, WEIGHTS, WEIGHTS_BYTES, WINDOW, WINDOW_SAMPLES } from "./memory";
import { network, resetNetwork } from "./network";
import { initPosteriors, posteriors, speech } from "./posteriors";
import { powerSpectrum } from "./power-spectrum";
import { initSine } from "./sine";

const LAYOUT: u8 = 2 << 4;
const FLAG_CLIPPED: u8 = 1 << 1;
const FLAG_POSTERIORS: u8 = 1 << 2;
/** Features of a frame without posteriors. */
const FEATURE_BYTES_SHORT: i32 = FEATURE_BYTES - 40;

initSine();
initMelBands();
initPosteriors();

/** Address of the hop's input: 320 i16 samples. */
export function input(): usize {
  return INPUT;
}

/** Address of what process() writes. */
export function features(): usize {
  return FEATURES;
}

/** Address of the network's weights: the body of network.bin. */
export function weights(): usize {
  return WEIGHTS;
}

/** Bytes of the network's weights. */
export function weightsBytes(): i32 {
  return WEIGHTS_BYTES;
}

/** Forgets all samples, as after power-on. Called once after the weights were written, too. */
export function reset(): void {
  resetDcBlock();
  resetCues();
  resetBandMean();
  resetNetwork();
  memory.fill(WINDOW, 0, usize(WINDOW_SAMPLES) << 2);
  memory.fill(FEATURES, 0, usize(FEATURE_BYTES));
}

/** Takes the hop at input() into account, writes its features and returns how many bytes they have. */
export function process(): i32 {
  dcBlock();
  let flags: u8 = clipped() ? LAYOUT | FLAG_CLIPPED : LAYOUT;
  store<u8>(FEATURES, u8(level()), 1);
  store<u8>(FEATURES, u8(harmonicity()), 2);
  powerSpectrum();
  melBands();
  cues();
  bandMean();
  const outputs = network();
  if (outputs === 1) {
    posteriors();
    flags |= FLAG_POSTERIORS;
  }
  if (outputs !== 0) speech(outputs - 1);
  store<u8>(FEATURES, flags);
  return outputs === 1 ? FEATURE_BYTES : FEATURE_BYTES_SHORT;
}
