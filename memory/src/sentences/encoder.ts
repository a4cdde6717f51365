// The sentence encoder that comes with the program: Google's Universal Sentence Encoder Lite in a worker thread of its own, one for the whole process. The
// thread begins with the first text and does not keep the process alive.
import { Worker } from "node:worker_threads";
import { clauseOf } from "@salestag/protocol/service";
import { type SentenceEncoder, SentenceError, TEXT_CHARACTERS_MAX } from "./sentence-encoder";
import type { Answer, Request } from "./thread";

/** The model, its edition, and that of the package with its weights. */
export const ENCODER_NAME = "use-lite/0.2.0";
export const ENCODER_DIMS = 512;
/** Texts that are encoded at once: more are no faster, and others wait longer. */
const BATCH = 32;
/** A batch takes 0.3 s of an idle core, the model's start 2 s. */
const BATCH_MS_MAX = 120_000;

interface Asked {
  resolve(vectors: Float32Array): void;
  reject(cause: Error): void;
}

let shared: SentenceEncoder | undefined;

/** @returns the encoder that all parts of the program share */
export function sentenceEncoder(): SentenceEncoder {
  shared ??= new ThreadEncoder();
  return shared;
}

class ThreadEncoder implements SentenceEncoder {
  readonly name = ENCODER_NAME;
  readonly dims = ENCODER_DIMS;
  #worker: Worker | undefined;
  readonly #asked = new Map<number, Asked>();
  #lastId = 0;

  async encode(texts: readonly string[], signal?: AbortSignal): Promise<Float32Array[]> {
    const vectors = texts.map(() => new Float32Array(ENCODER_DIMS));
    const places = texts.map((_, place) => place).filter((place) => /[\p{L}\p{N}]/u.test(texts[place]));
    // Batches of like lengths: short texts then do not wait for a long one.
    places.sort((one, other) => texts[one].length - texts[other].length || one - other);
    for (let at = 0; at < places.length; at += BATCH) {
      signal?.throwIfAborted();
      const batch = places.slice(at, at + BATCH);
      const flat = await this.#ask(batch.map((place) => texts[place].slice(0, TEXT_CHARACTERS_MAX)));
      for (const [row, place] of batch.entries())
        vectors[place] = flat.slice(row * ENCODER_DIMS, (row + 1) * ENCODER_DIMS);
    }
    signal?.throwIfAborted();
    return vectors;
  }

  async #ask(texts: string[]): Promise<Float32Array> {
    this.#worker ??= this.#start();
    const worker = this.#worker;
    const id = ++this.#lastId;
    const answer = new Promise<Float32Array>((resolve, reject) => this.#asked.set(id, { resolve, reject }));
    worker.ref();
    worker.postMessage({ id, texts } satisfies Request);
    const timer = setTimeout(
      () => this.#fail(worker, `no answer within ${BATCH_MS_MAX / 1000} s`),
      BATCH_MS_MAX,
    );
    try {
      return await answer;
    } finally {
      clearTimeout(timer);
      this.#asked.delete(id);
      if (this.#asked.size === 0) worker.unref();
    }
  }

  #start(): Worker {
    const worker = new Worker(new URL("./thread.mjs", import.meta.url), {
      execArgv: [],
      stdout: true, // what TensorFlow.js says of its start is not the program's
      stderr: true,
    });
    worker.on("message", (answer: Answer) => this.#answered(answer));
    worker.on("error", (cause) => this.#fail(worker, clauseOf(cause)));
    worker.on("exit", (code) => this.#fail(worker, `its thread ended with ${code}`));
    return worker;
  }

  #answered({ id, vectors, error }: Answer): void {
    const asked = this.#asked.get(id);
    if (vectors !== undefined) asked?.resolve(vectors);
    else asked?.reject(new SentenceError(`Sentences cannot be encoded: ${error}.`));
  }

  /** The next text starts another thread. */
  #fail(worker: Worker, reason: string): void {
    if (this.#worker !== worker) return;
    this.#worker = undefined;
    void worker.terminate();
    for (const { reject } of this.#asked.values())
      reject(new SentenceError(`The sentence encoder stopped: ${reason}.`));
    this.#asked.clear();
  }
}
