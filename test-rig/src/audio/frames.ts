// Turns samples into the frames that the badge's voice front end would send: features by its own WASM, packets by
// Opus. After the recording comes silence: ten seconds of it are encoded for real, after that its last five seconds
// repeat with running numbers, so that a source never ends, costs nothing more and needs no encoder state.

import { setImmediate as nextTurn } from "node:timers/promises";
import { FrontEnd, type FrontEndFiles, HOP_SAMPLES } from "../../../firmware/voice-front-end/front-end";
import { FRAME_HEADER_BYTES, FRAME_HEADER_BYTES_MAX, frameBytesAt, writeFrame } from "./frame";
import { OPUS_DEFAULTS, OPUS_PACKET_BYTES_MAX, OpusEncoder, type OpusOptions } from "./opus";

/** Frames of silence encoded after the recording. */
export const SILENCE_FRAMES = 500;
/** Frames at the end of the silence that repeat. */
export const REPEATED_FRAMES = 250;
/** Frames between two calls of the progress callback. */
const PROGRESS_FRAMES = 500;

/** How frames are made. */
export interface FrameOptions {
  /** The compiled front end and its network (firmware/voice-front-end/built.ts). */
  frontEnd: FrontEndFiles;
  opus?: OpusOptions;
  /** Called every 500 frames and at the end. */
  onProgress?: (framesDone: number, framesTotal: number) => void;
  /** Clock in ms for the timing split; default performance.now. */
  nowMs?: () => number;
}

/** Frames one after the other, and what making them cost. */
export interface EncodedFrames {
  bytes: Buffer;
  frontEndMs: number;
  opusMs: number;
}

/** Hops of a recording; the last one is filled up with zeros. */
export function hopCount(samples: Int16Array): number {
  return Math.ceil(samples.length / HOP_SAMPLES);
}

/** Makes all frames of a recording and of the silence after it. Yields to the event loop as it goes. */
export async function encodeFrames(samples: Int16Array, options: FrameOptions): Promise<EncodedFrames> {
  const { frontEnd: files, opus = OPUS_DEFAULTS, onProgress, nowMs = () => performance.now() } = options;
  const frontEnd = FrontEnd.load(files);
  const encoder = new OpusEncoder(opus);
  const framesTotal = hopCount(samples) + SILENCE_FRAMES;
  const bytes = Buffer.alloc(framesTotal * (FRAME_HEADER_BYTES_MAX + OPUS_PACKET_BYTES_MAX));
  const hop = new Int16Array(HOP_SAMPLES);
  let length = 0;
  let frontEndMs = 0;
  let opusMs = 0;
  for (let seq = 0; seq < framesTotal; seq++) {
    hop.fill(0);
    hop.set(samples.subarray(seq * HOP_SAMPLES, (seq + 1) * HOP_SAMPLES));
    const startMs = nowMs();
    const features = frontEnd.process(hop);
    const betweenMs = nowMs();
    const packet = encoder.encode(hop);
    opusMs += nowMs() - betweenMs;
    frontEndMs += betweenMs - startMs;
    length += writeFrame(bytes, length, seq, features, packet);
    if ((seq + 1) % PROGRESS_FRAMES === 0 && seq + 1 < framesTotal) {
      onProgress?.(seq + 1, framesTotal);
      await nextTurn();
    }
  }
  onProgress?.(framesTotal, framesTotal);
  return { bytes: Buffer.from(bytes.subarray(0, length)), frontEndMs, opusMs };
}

/** The frames of one recording by number, without end. */
export class FrameSource {
  /** Frames that hold sound of the recording; silence follows. */
  readonly recordedFrames: number;
  readonly #bytes: Buffer;
  readonly #offsets: number[] = [];

  /** Takes what `encodeFrames` made. Throws RangeError if the bytes are not a run of frames from 0. */
  constructor(bytes: Buffer) {
    let offset = 0;
    while (offset + FRAME_HEADER_BYTES <= bytes.length) {
      if (bytes.readUInt32LE(offset) !== this.#offsets.length) break;
      this.#offsets.push(offset);
      offset += frameBytesAt(bytes, offset);
    }
    if (offset !== bytes.length || this.#offsets.length < SILENCE_FRAMES) {
      throw new RangeError(
        `These ${bytes.length} bytes are no run of frames; frame ${this.#offsets.length} is bad.`,
      );
    }
    this.#bytes = bytes;
    this.recordedFrames = this.#offsets.length - SILENCE_FRAMES;
  }

  /** A copy of frame `seq`, 0 to 2^32 - 1. Throws RangeError for another number. */
  frame(seq: number): Buffer {
    if (!Number.isInteger(seq) || seq < 0 || seq > 0xffffffff) {
      throw new RangeError(`There is no frame ${seq}; frames count from 0.`);
    }
    const encoded = this.#offsets.length;
    const index = seq < encoded ? seq : encoded - REPEATED_FRAMES + ((seq - encoded) % REPEATED_FRAMES);
    const start = this.#offsets[index];
    const frame = Buffer.from(this.#bytes.subarray(start, start + frameBytesAt(this.#bytes, start)));
    frame.writeUInt32LE(seq, 0);
    return frame;
  }
}
