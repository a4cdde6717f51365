// Decoder of one FLAC frame (RFC 9639 section 9): all subframe types, stereo modes and depths up to 32 bits.
// Values are kept as doubles, which hold every intermediate of the format exactly (at most 52 bits).

import { BitReader } from "./bit-reader";

/** What the stream's header promises of its frames. */
export interface FlacStream {
  channels: number;
  bitsPerSample: number;
  /** Most samples of each channel in a frame. */
  blockSamplesMax: number;
}

/** A frame's samples and where the next frame begins. */
export interface FlacFrame {
  /** One array for each channel, in units of the stream's depth. */
  channels: Float64Array[];
  end: number;
}

/** Thrown for bytes that are no frame of the stream. */
export class BadFrame extends Error {}

const SYNC_FIXED = 0x7ffc;
const DEPTHS = [0, 8, 12, -1, 16, 20, 24, 32];
const LEFT_SIDE = 8;
const SIDE_RIGHT = 9;
const MID_SIDE = 10;
/** Coefficients of the fixed predictors (section 9.2.5), newest sample first. */
const FIXED_COEFFICIENTS = [[], [1], [2, -1], [3, -3, 1], [4, -6, 4, -1]];

const CRC16_TABLE = Uint16Array.from({ length: 256 }, (_, byte) => {
  let value = byte << 8;
  for (let bit = 0; bit < 8; bit++) value = value & 0x8000 ? (value << 1) ^ 0x8005 : value << 1;
  return value;
});

function crc16(bytes: Uint8Array, start: number, end: number): number {
  let value = 0;
  for (let i = start; i < end; i++) value = ((value << 8) & 0xffff) ^ CRC16_TABLE[(value >> 8) ^ bytes[i]];
  return value;
}

function blockSamples(code: number, reader: BitReader): number {
  if (code === 1) return 192;
  if (code >= 2 && code <= 5) return 144 << code;
  if (code === 6) return reader.bits(8) + 1;
  if (code === 7) return reader.bits(16) + 1;
  if (code >= 8) return 1 << code;
  throw new BadFrame("reserved block size");
}

/** Reads a frame's header; leaves the reader at the first subframe. */
function readHeader(reader: BitReader, stream: FlacStream): { samples: number; assignment: number } {
  if (reader.bits(15) !== SYNC_FIXED) throw new BadFrame("no frame where one must begin");
  reader.bits(1);
  const sizeCode = reader.bits(4);
  const rateCode = reader.bits(4);
  const assignment = reader.bits(4);
  const depth = DEPTHS[reader.bits(3)];
  reader.bits(1);
  // The frame's number, coded like UTF-8: the leading one bits count its bytes.
  const leadingOnes = Math.clz32(~(reader.bits(8) << 24));
  if (leadingOnes === 1 || leadingOnes > 7) throw new BadFrame("a malformed frame number");
  for (let byte = 1; byte < leadingOnes; byte++) reader.bits(8);
  const samples = blockSamples(sizeCode, reader);
  if (rateCode === 12) reader.bits(8);
  if (rateCode === 13 || rateCode === 14) reader.bits(16);
  reader.bits(8);

  const channels = assignment < LEFT_SIDE ? assignment + 1 : 2;
  if (assignment > MID_SIDE || channels !== stream.channels) throw new BadFrame("a change of channels");
  if (depth !== 0 && depth !== stream.bitsPerSample) throw new BadFrame("a change of depth");
  if (samples > stream.blockSamplesMax) throw new BadFrame("a longer block than the header allows");
  return { samples, assignment };
}

/** Rice-coded residual (section 9.2.7) into `target` from `order` on. */
function readResidual(reader: BitReader, target: Float64Array, order: number): void {
  const method = reader.bits(2);
  if (method > 1) throw new BadFrame("reserved residual coding");
  const parameterBits = 4 + method;
  const escapeCode = (1 << parameterBits) - 1;
  const partitions = 1 << reader.bits(4);
  const partitionSamples = target.length / partitions;
  if (!Number.isInteger(partitionSamples) || partitionSamples < order)
    throw new BadFrame("uneven partitions");
  for (let partition = 0, i = order; partition < partitions; partition++) {
    const end = (partition + 1) * partitionSamples;
    const parameter = reader.bits(parameterBits);
    if (parameter === escapeCode) {
      const width = reader.bits(5);
      for (; i < end; i++) target[i] = reader.signed(width);
      continue;
    }
    const step = 2 ** parameter;
    for (; i < end; i++) {
      const folded = reader.unary() * step + reader.bits(parameter);
      target[i] = folded % 2 === 0 ? folded / 2 : -(folded + 1) / 2;
    }
  }
}

/** Adds to each residual what the samples before it predict. */
function predict(target: Float64Array, coefficients: number[], shift: number): void {
  const order = coefficients.length;
  const scale = 2 ** -shift;
  for (let i = order; i < target.length; i++) {
    let sum = 0;
    for (let j = 0; j < order; j++) sum += coefficients[j] * target[i - 1 - j];
    target[i] += Math.floor(sum * scale);
  }
}

function readPredicted(reader: BitReader, target: Float64Array, type: number, depth: number): void {
  const isLinear = type >= 32;
  const order = isLinear ? type - 31 : type - 8;
  if (order > target.length) throw new BadFrame("a predictor longer than its block");
  for (let i = 0; i < order; i++) target[i] = reader.signed(depth);
  let coefficients = FIXED_COEFFICIENTS[order];
  let shift = 0;
  if (isLinear) {
    const precision = reader.bits(4) + 1;
    shift = reader.signed(5);
    if (precision === 16 || shift < 0) throw new BadFrame("reserved predictor precision or shift");
    coefficients = Array.from({ length: order }, () => reader.signed(precision));
  }
  readResidual(reader, target, order);
  predict(target, coefficients, shift);
}

function readSubframe(reader: BitReader, samples: number, frameDepth: number): Float64Array {
  const target = new Float64Array(samples);
  if (reader.bits(1) !== 0) throw new BadFrame("no subframe where one must begin");
  const type = reader.bits(6);
  const wasted = reader.bits(1) === 1 ? reader.unary() + 1 : 0;
  const depth = frameDepth - wasted;
  if (depth < 1) throw new BadFrame("no bits left in a subframe");
  if (type === 0) target.fill(reader.signed(depth));
  else if (type === 1) for (let i = 0; i < samples; i++) target[i] = reader.signed(depth);
  else if ((type >= 8 && type <= 12) || type >= 32) readPredicted(reader, target, type, depth);
  else throw new BadFrame("reserved subframe type");
  if (wasted > 0) for (let i = 0; i < samples; i++) target[i] *= 2 ** wasted;
  return target;
}

/** Turns a side channel back into left and right, in place (section 4.2). */
function decorrelate([first, second]: Float64Array[], assignment: number): void {
  for (let i = 0; i < first.length; i++) {
    const [a, b] = [first[i], second[i]];
    if (assignment === LEFT_SIDE) second[i] = a - b;
    else if (assignment === SIDE_RIGHT) first[i] = a + b;
    else {
      const doubled = 2 * a + Math.abs(b % 2);
      first[i] = (doubled + b) / 2;
      second[i] = (doubled - b) / 2;
    }
  }
}

/**
 * Decodes the frame that begins at an offset, and checks its CRC-16.
 * Throws EndOfBits if the bytes end within it, BadFrame if they are no frame of the stream.
 */
export function decodeFlacFrame(bytes: Uint8Array, offset: number, stream: FlacStream): FlacFrame {
  const reader = new BitReader(bytes, offset);
  const { samples, assignment } = readHeader(reader, stream);
  const channels: Float64Array[] = [];
  for (let channel = 0; channel < stream.channels; channel++) {
    const isSide = assignment === SIDE_RIGHT ? channel === 0 : assignment >= LEFT_SIDE && channel === 1;
    channels.push(readSubframe(reader, samples, stream.bitsPerSample + (isSide ? 1 : 0)));
  }
  reader.align();
  const crcOffset = reader.byteOffset;
  if (reader.bits(16) !== crc16(bytes, offset, crcOffset)) throw new BadFrame("a wrong checksum");
  if (assignment >= LEFT_SIDE) decorrelate(channels, assignment);
  return { channels, end: crcOffset + 2 };
}
