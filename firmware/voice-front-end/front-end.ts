// Node host of the front end's WASM module: gives it the network, hands it hops of samples and copies out what it measured.
// Frame bytes from 4 on of firmware/services/voice-front-end.md; the caller adds seq and the Opus packet.
import { networkBody } from "./network-file";

/** Samples of one hop: 20 ms at 16 kHz. */
export const HOP_SAMPLES = 320;
/** Bytes of features without posteriors: flags, level, harmonicity, opusLength (0), 24 bands, speech, tilt, contrast, 0. */
export const FEATURE_BYTES = 32;
/** Bytes of the posteriors that follow them in every second frame. */
export const POSTERIOR_BYTES = 40;
/** Bit of the flags that says that there are posteriors. */
export const FLAG_POSTERIORS = 1 << 2;
/** Hops by which `speech` and `posteriors` look back. */
export const LOOK_AHEAD_HOPS = 10;

/** The part of the platform's WebAssembly used here; Node's type package does not declare it. */
declare const WebAssembly: {
  Module: new (bytes: Uint8Array<ArrayBuffer>) => object;
  Instance: new (module: object) => { exports: unknown };
};

/** What a front end is made of: the module and the weights of its network. */
export interface FrontEndFiles {
  wasm: Uint8Array<ArrayBuffer>;
  /** Contents of network.bin. */
  network: Uint8Array;
}

interface FrontEndExports {
  memory: { buffer: ArrayBuffer };
  input(): number;
  features(): number;
  weights(): number;
  weightsBytes(): number;
  reset(): void;
  process(): number;
}

/** One instance of the front end with its own state. */
export class FrontEnd {
  readonly #calls: FrontEndExports;
  readonly #input: Int16Array;
  readonly #features: Uint8Array;

  private constructor(calls: FrontEndExports) {
    this.#calls = calls;
    this.#input = new Int16Array(calls.memory.buffer, calls.input(), HOP_SAMPLES);
    this.#features = new Uint8Array(calls.memory.buffer, calls.features(), FEATURE_BYTES + POSTERIOR_BYTES);
  }

  /**
   * Starts an instance of the compiled module with a network.
   * Throws WebAssembly.CompileError or LinkError for another module, RangeError for a bad network file.
   */
  static load({ wasm, network }: FrontEndFiles): FrontEnd {
    const instance = new WebAssembly.Instance(new WebAssembly.Module(wasm));
    const calls = instance.exports as FrontEndExports;
    const body = networkBody(network, calls.weightsBytes());
    new Uint8Array(calls.memory.buffer, calls.weights(), body.length).set(body);
    calls.reset();
    return new FrontEnd(calls);
  }

  /** Forgets all samples, as after power-on. */
  reset(): void {
    this.#calls.reset();
  }

  /**
   * Processes one hop of 320 samples (16 kHz mono, full scale 32768).
   * Returns the frame's bytes from 4 to before the packet, 32 or with posteriors 72; the view holds until the next call.
   * Throws RangeError for another length.
   */
  process(samples: Int16Array): Uint8Array {
    if (samples.length !== HOP_SAMPLES) {
      throw new RangeError(
        `A hop has ${HOP_SAMPLES} samples, not ${samples.length}; pad the last one with zeros.`,
      );
    }
    this.#input.set(samples);
    return this.#features.subarray(0, this.#calls.process());
  }
}
