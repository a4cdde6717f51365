// The badge's Opus encoder (RFC 6716) as libopus through @evan/opus: 16 kHz mono, packets of 20 ms, voice mode,
// variable rate, no DTX and no in-band FEC. The same samples and options give the same packets on one platform.

import { createRequire } from "node:module";
import { Encoder } from "@evan/opus";

/** Samples of one packet: 20 ms at 16 kHz. */
export const OPUS_PACKET_SAMPLES = 320;
/** Longest packet that a frame carries (firmware/services/voice-front-end.md). */
export const OPUS_PACKET_BYTES_MAX = 160;
const BITRATE_MIN_BPS = 6000;
/** Measured: at 40 kbit/s noise bursts take 150 bytes a packet, at 48 kbit/s 177. */
const BITRATE_MAX_BPS = 40_000;

/** What a run may choose about the encoder. */
export interface OpusOptions {
  /** 6000..40000 */
  bitrateBps: number;
  /** 0..10 */
  complexity: number;
}

/** What the badge uses: complexity 0 is what its processor has time for. */
export const OPUS_DEFAULTS: OpusOptions = { bitrateBps: 16_000, complexity: 0 };

const { version } = createRequire(import.meta.url)("@evan/opus/package.json") as { version: string };
const build = process.env.OPUS_FORCE_WASM ? "wasm" : `${process.platform}-${process.arch}`;
/** The library and build that decide the packets' bits, for cache keys. */
export const OPUS_LIBRARY = `@evan/opus ${version} ${build}`;

/** One encoder with its state. */
export class OpusEncoder {
  readonly #encoder: Encoder;

  /** Throws RangeError for an option out of range. */
  constructor({ bitrateBps, complexity }: OpusOptions = OPUS_DEFAULTS) {
    if (!(bitrateBps >= BITRATE_MIN_BPS && bitrateBps <= BITRATE_MAX_BPS)) {
      throw new RangeError(
        `The Opus bit rate ${bitrateBps} is out of range; use ${BITRATE_MIN_BPS} to ${BITRATE_MAX_BPS} bit/s.`,
      );
    }
    if (!Number.isInteger(complexity) || complexity < 0 || complexity > 10) {
      throw new RangeError(
        `The Opus complexity ${complexity} is out of range; use a whole number from 0 to 10.`,
      );
    }
    this.#encoder = new Encoder({ channels: 1, sample_rate: 16000, application: "voip" });
    this.#encoder.bitrate = bitrateBps;
    this.#encoder.complexity = complexity as 0;
    this.#encoder.vbr = true;
    this.#encoder.dtx = false;
    this.#encoder.inband_fec = false;
  }

  /** The packet of 320 samples, full scale 32768. Throws RangeError if it does not fit a frame. */
  encode(samples: Int16Array): Uint8Array {
    if (samples.length !== OPUS_PACKET_SAMPLES) {
      throw new RangeError(`An Opus packet takes ${OPUS_PACKET_SAMPLES} samples, not ${samples.length}.`);
    }
    const packet = this.#encoder.encode(samples);
    if (packet.length > OPUS_PACKET_BYTES_MAX) {
      throw new RangeError(
        `An Opus packet of ${packet.length} bytes does not fit a frame (${OPUS_PACKET_BYTES_MAX}); lower the bit rate.`,
      );
    }
    return packet;
  }
}
