// Node host of the front end's WASM module: hands it hops of samples and copies out what it measured.
// Frame bytes 4..31 of firmware/services/voice-front-end.md; the caller adds seq and the Opus packet.

/** Samples of one hop: 20 ms at 16 kHz. */
export const HOP_SAMPLES = 320;
/** Bytes of features: flags, level, harmonicity, opusLength (0) and 24 bands. */
export const FEATURE_BYTES = 28;

/** The part of the platform's WebAssembly used here; Node's type package does not declare it. */
declare const WebAssembly: {
  Module: new (bytes: Uint8Array<ArrayBuffer>) => object;
  Instance: new (module: object) => { exports: unknown };
};

interface FrontEndExports {
  memory: { buffer: ArrayBuffer };
  input(): number;
  features(): number;
  reset(): void;
  process(): void;
}

/** One instance of the front end with its own state. */
export class FrontEnd {
  readonly #calls: FrontEndExports;
  readonly #input: Int16Array;
  readonly #features: Uint8Array;

  private constructor(calls: FrontEndExports) {
    this.#calls = calls;
    this.#input = new Int16Array(calls.memory.buffer, calls.input(), HOP_SAMPLES);
    this.#features = new Uint8Array(calls.memory.buffer, calls.features(), FEATURE_BYTES);
  }

  /** Starts an instance of the compiled module. Throws WebAssembly.CompileError or LinkError if it is not one. */
  static load(wasm: Uint8Array<ArrayBuffer>): FrontEnd {
    const instance = new WebAssembly.Instance(new WebAssembly.Module(wasm));
    return new FrontEnd(instance.exports as FrontEndExports);
  }

  /** Forgets all samples, as after power-on. */
  reset(): void {
    this.#calls.reset();
  }

  /**
   * Processes one hop of 320 samples (16 kHz mono, full scale 32768).
   * Returns the frame's bytes 4..31; the view holds until the next call. Throws RangeError for another length.
   */
  process(samples: Int16Array): Uint8Array {
    if (samples.length !== HOP_SAMPLES) {
      throw new RangeError(
        `A hop has ${HOP_SAMPLES} samples, not ${samples.length}; pad the last one with zeros.`,
      );
    }
    this.#input.set(samples);
    this.#calls.process();
    return this.#features;
  }
}
