// Resampling of a mono stream to 16 kHz by libsamplerate's medium sinc converter (121 dB), block by block.
// A stream that is at 16 kHz passes through untouched.

import { createRequire } from "node:module";

// The package is CommonJS in one bundle: loaders disagree about what importing it gives, requiring it is plain.
const { ConverterType, create } = createRequire(import.meta.url)(
  "@alexanderolsen/libsamplerate-js",
) as typeof import("@alexanderolsen/libsamplerate-js");

/** Rate of everything behind the microphone. */
export const SAMPLE_RATE_HZ = 16000;
/** Highest rate that the library takes; a higher one is given to it as a quarter, of both rates. */
const LIBRARY_RATE_MAX_HZ = 192_000;
/** Silence fed at the end, a block at a time, until the converter's delay has come out. */
const FLUSH_INPUT_SAMPLES = 4096;

/** A running conversion of one stream. */
export interface Resampler {
  /** Converts a block, -1..1; returns what is ready, which may be empty. */
  push(block: Float32Array): Float32Array;
  /** Ends the stream: returns the rest, so that the output is as long as the input, to the nearest sample. */
  finish(): Float32Array;
}

const PASS_THROUGH: Resampler = {
  push: (block) => block,
  finish: () => new Float32Array(0),
};

/** A converter from `rateHz` (1000..768000) to 16 kHz. */
export async function createResampler(rateHz: number): Promise<Resampler> {
  if (rateHz === SAMPLE_RATE_HZ) return PASS_THROUGH;
  // The library wants whole rates; rounding the quarter is off by 10 parts in a million at most.
  const divisor = rateHz > LIBRARY_RATE_MAX_HZ ? 4 : 1;
  const converter = await create(1, Math.round(rateHz / divisor), SAMPLE_RATE_HZ / divisor, {
    converterType: ConverterType.SRC_SINC_MEDIUM_QUALITY,
  });
  let samplesIn = 0;
  let samplesOut = 0;
  const convert = (block: Float32Array) => {
    if (block.length === 0) return block;
    const converted = converter.full(block).slice();
    samplesOut += converted.length;
    return converted;
  };
  return {
    push(block) {
      samplesIn += block.length;
      return convert(block);
    },
    finish() {
      const outputSamples = Math.round((samplesIn * SAMPLE_RATE_HZ) / rateHz);
      const rest = new Float32Array(Math.max(0, outputSamples - samplesOut));
      for (let filled = 0; filled < rest.length; ) {
        const converted = convert(new Float32Array(FLUSH_INPUT_SAMPLES));
        rest.set(converted.subarray(0, rest.length - filled), filled);
        filled += converted.length;
      }
      converter.destroy();
      return rest;
    },
  };
}
