// The int8 time-delay network: phones of every pair of hops and the log odds of speech of every hop.
// Layer 0 runs each hop, layers 1 to 5 each pair; the pair's outputs come 9 hops (180 ms) after its end. In: i8, 24 values.
// Weights i8, activations u8, sums i32, scaling by 64-bit products. Out: 42 logits in 1/256 nat. Arithmetic: ../network.md.

import {
  HOP_ACTIVATIONS,
  INPUT_HISTORY,
  LOGITS,
  NETWORK_INPUT,
  PAIR_ACTIVATIONS,
  WEIGHTS,
  WEIGHTS_LAYERS_OFFSET,
} from "./memory";

const INPUTS: i32 = 24;
const HOP_CHANNELS: i32 = 64;
const PAIR_CHANNELS: i32 = 128;
const OUTPUTS: i32 = 42;
const HOP_TAPS: i32 = 5;
const PAIR_TAPS: i32 = 4;
const CONTEXT_TAPS: i32 = 3;
const CONTEXT_LAYERS: i32 = 3;
/** Vectors in each layer's ring; a power of two above the oldest one still read. */
const RING: i32 = 8;
/** Hops from the start to the first pair's outputs. */
const LOOK_AHEAD: i32 = 10;

/** Bytes of bias and multiplier of one output. */
const SCALE_BYTES: i32 = 8;
const HOP_LAYER: usize = WEIGHTS + usize(WEIGHTS_LAYERS_OFFSET);
const PAIR_LAYER: usize = HOP_LAYER + usize(HOP_CHANNELS * (HOP_TAPS * INPUTS + SCALE_BYTES));
const CONTEXT_LAYER: usize = PAIR_LAYER + usize(PAIR_CHANNELS * (PAIR_TAPS * HOP_CHANNELS + SCALE_BYTES));
const CONTEXT_BYTES: usize = usize(PAIR_CHANNELS * (CONTEXT_TAPS * PAIR_CHANNELS + SCALE_BYTES) + 4);
const OUTPUT_LAYER: usize = CONTEXT_LAYER + usize(CONTEXT_LAYERS) * CONTEXT_BYTES;

const HALF_Q32: i64 = 1 << 31;

/** Hops since the start. */
let hops: i32 = 0;

/** Forgets everything heard. */
export function resetNetwork(): void {
  hops = 0;
  memory.fill(INPUT_HISTORY, 0, usize(RING * INPUTS));
  memory.fill(HOP_ACTIVATIONS, 0, usize(RING * HOP_CHANNELS));
  memory.fill(PAIR_ACTIVATIONS, 0, usize((CONTEXT_LAYERS + 1) * RING * PAIR_CHANNELS));
}

function inputAt(hop: i32): usize {
  return INPUT_HISTORY + usize((hop & (RING - 1)) * INPUTS);
}

function hopAt(hop: i32): usize {
  return HOP_ACTIVATIONS + usize((hop & (RING - 1)) * HOP_CHANNELS);
}

function pairAt(layer: i32, pair: i32): usize {
  return PAIR_ACTIVATIONS + usize((layer * RING + (pair & (RING - 1))) * PAIR_CHANNELS);
}

/** Sum of weight * input over `length` (a multiple of 8) signed inputs. */
function dotSigned(weights: usize, inputs: usize, length: i32): i32 {
  let sum = 0;
  for (const end = inputs + usize(length); inputs < end; inputs += 8, weights += 8) {
    sum += i32(load<i8>(weights)) * i32(load<i8>(inputs));
    sum += i32(load<i8>(weights, 1)) * i32(load<i8>(inputs, 1));
    sum += i32(load<i8>(weights, 2)) * i32(load<i8>(inputs, 2));
    sum += i32(load<i8>(weights, 3)) * i32(load<i8>(inputs, 3));
    sum += i32(load<i8>(weights, 4)) * i32(load<i8>(inputs, 4));
    sum += i32(load<i8>(weights, 5)) * i32(load<i8>(inputs, 5));
    sum += i32(load<i8>(weights, 6)) * i32(load<i8>(inputs, 6));
    sum += i32(load<i8>(weights, 7)) * i32(load<i8>(inputs, 7));
  }
  return sum;
}

/** Sum of weight * activation over `length` (a multiple of 8) unsigned activations. */
function dot(weights: usize, activations: usize, length: i32): i32 {
  let sum = 0;
  for (const end = activations + usize(length); activations < end; activations += 8, weights += 8) {
    sum += i32(load<i8>(weights)) * i32(load<u8>(activations));
    sum += i32(load<i8>(weights, 1)) * i32(load<u8>(activations, 1));
    sum += i32(load<i8>(weights, 2)) * i32(load<u8>(activations, 2));
    sum += i32(load<i8>(weights, 3)) * i32(load<u8>(activations, 3));
    sum += i32(load<i8>(weights, 4)) * i32(load<u8>(activations, 4));
    sum += i32(load<i8>(weights, 5)) * i32(load<u8>(activations, 5));
    sum += i32(load<i8>(weights, 6)) * i32(load<u8>(activations, 6));
    sum += i32(load<i8>(weights, 7)) * i32(load<u8>(activations, 7));
  }
  return sum;
}

/** A sum with its bias, in the scale of the layer's output. `biases` is followed by as many multipliers. */
function scaled(sum: i32, biases: usize, channel: i32, channels: i32): i32 {
  const at = biases + (usize(channel) << 2);
  const biased = i64(sum + load<i32>(at));
  return i32((biased * i64(load<i32>(at + (usize(channels) << 2))) + HALF_Q32) >> 32);
}

function toByte(value: i32): u8 {
  return u8(max<i32>(0, min<i32>(value, 255)));
}

/** Layer 0 at a hop whose inputs from hop - 2 to hop + 2 are known. */
function hopLayer(hop: i32): void {
  const biases = HOP_LAYER + usize(HOP_CHANNELS * HOP_TAPS * INPUTS);
  const out = hopAt(hop);
  let weights = HOP_LAYER;
  for (let channel = 0; channel < HOP_CHANNELS; channel++) {
    let sum = 0;
    for (let tap = -2; tap <= 2; tap++, weights += usize(INPUTS)) {
      sum += dotSigned(weights, inputAt(hop + tap), INPUTS);
    }
    store<u8>(out + usize(channel), toByte(scaled(sum, biases, channel, HOP_CHANNELS)));
  }
}

/** Layer 1 at a pair whose hops up to 2 pair + 2 are known. */
function pairLayer(pair: i32): void {
  const biases = PAIR_LAYER + usize(PAIR_CHANNELS * PAIR_TAPS * HOP_CHANNELS);
  const out = pairAt(0, pair);
  let weights = PAIR_LAYER;
  for (let channel = 0; channel < PAIR_CHANNELS; channel++) {
    let sum = 0;
    for (let tap = -1; tap <= 2; tap++, weights += usize(HOP_CHANNELS)) {
      sum += dot(weights, hopAt(2 * pair + tap), HOP_CHANNELS);
    }
    store<u8>(out + usize(channel), toByte(scaled(sum, biases, channel, PAIR_CHANNELS)));
  }
}

/** Residual layer 2 + `index` at a pair whose next one below is known; its oldest tap is index + 1 pairs back. */
function contextLayer(index: i32, pair: i32): void {
  const layer = CONTEXT_LAYER + usize(index) * CONTEXT_BYTES;
  const biases = layer + usize(PAIR_CHANNELS * CONTEXT_TAPS * PAIR_CHANNELS);
  const residual = load<u32>(biases + usize(PAIR_CHANNELS * SCALE_BYTES));
  const past = pairAt(index, pair - index - 1);
  const centre = pairAt(index, pair);
  const next = pairAt(index, pair + 1);
  const out = pairAt(index + 1, pair);
  let weights = layer;
  for (let channel = 0; channel < PAIR_CHANNELS; channel++, weights += usize(CONTEXT_TAPS * PAIR_CHANNELS)) {
    const sum =
      dot(weights, past, PAIR_CHANNELS) +
      dot(weights + usize(PAIR_CHANNELS), centre, PAIR_CHANNELS) +
      dot(weights + usize(2 * PAIR_CHANNELS), next, PAIR_CHANNELS);
    const value = max<i32>(scaled(sum, biases, channel, PAIR_CHANNELS), 0);
    const passed = i32((u32(load<u8>(centre + usize(channel))) * residual + (1 << 15)) >> 16);
    store<u8>(out + usize(channel), toByte(value + passed));
  }
}

/** Layer 5 at a pair: the logits. */
function outputLayer(pair: i32): void {
  const biases = OUTPUT_LAYER + usize(OUTPUTS * PAIR_CHANNELS);
  const activations = pairAt(CONTEXT_LAYERS, pair);
  let weights = OUTPUT_LAYER;
  for (let output = 0; output < OUTPUTS; output++, weights += usize(PAIR_CHANNELS)) {
    const sum = dot(weights, activations, PAIR_CHANNELS);
    store<i32>(LOGITS + (usize(output) << 2), scaled(sum, biases, output, OUTPUTS));
  }
}

/**
 * Takes the hop's input. Returns how the newest outputs stand: 0 when there are none yet, 1 when the logits are those of a
 * new pair, 2 on the hop after.
 */
export function network(): i32 {
  const hop = hops++;
  memory.copy(inputAt(hop), NETWORK_INPUT, usize(INPUTS));
  if (hop >= 2) hopLayer(hop - 2);
  if ((hop & 1) === 0) {
    // Hop 2k + 4 completes layer 0 up to hop 2k + 2, and with it pair k of layer 1; each layer above is a pair later.
    const pair = (hop >> 1) - 2;
    if (pair >= 0) pairLayer(pair);
    for (let index = 0; index < CONTEXT_LAYERS; index++) {
      const ready = pair - index - 1;
      if (ready >= 0) contextLayer(index, ready);
    }
    if (pair >= CONTEXT_LAYERS) outputLayer(pair - CONTEXT_LAYERS);
  }
  if (hop < LOOK_AHEAD) return 0;
  return 1 + (hop & 1);
}
