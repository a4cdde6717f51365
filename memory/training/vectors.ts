// Sentence vectors for training, kept in memory/.cache from one run to the next: encoding the labelled talks takes minutes, training on them does not.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import type { SentenceEncoder } from "../src/sentences";

const FOLDER = new URL("../.cache/", import.meta.url);
/** Bytes of a text's digest before its vector. */
const KEY_BYTES = 16;
/** Texts after which what is new is kept. */
const STEP = 2000;

/** An encoder that remembers. */
export function cachedEncoder(encoder: SentenceEncoder): SentenceEncoder {
  const file = new URL(`${encoder.name.replaceAll(/[^a-z0-9.-]/g, "_")}.vectors`, FOLDER);
  const known = readVectors(file, encoder.dims);
  return {
    name: encoder.name,
    dims: encoder.dims,
    async encode(texts, signal) {
      const missing = [...new Set(texts)].filter((text) => !known.has(keyOf(text)));
      for (let at = 0; at < missing.length; at += STEP) {
        const part = missing.slice(at, at + STEP);
        const vectors = await encoder.encode(part, signal);
        for (const [place, text] of part.entries()) known.set(keyOf(text), vectors[place]);
        writeVectors(file, known);
      }
      return texts.map((text) => known.get(keyOf(text))!);
    },
  };
}

function keyOf(text: string): string {
  return createHash("sha256")
    .update(text)
    .digest("hex")
    .slice(0, 2 * KEY_BYTES);
}

function readVectors(file: URL, dims: number): Map<string, Float32Array> {
  const known = new Map<string, Float32Array>();
  if (!existsSync(file)) return known;
  const bytes = readFileSync(file);
  const size = KEY_BYTES + 4 * dims;
  for (let at = 0; at + size <= bytes.length; at += size) {
    const vector = new Float32Array(dims);
    for (let place = 0; place < dims; place++) vector[place] = bytes.readFloatLE(at + KEY_BYTES + 4 * place);
    known.set(bytes.toString("hex", at, at + KEY_BYTES), vector);
  }
  return known;
}

function writeVectors(file: URL, known: ReadonlyMap<string, Float32Array>): void {
  mkdirSync(FOLDER, { recursive: true });
  const parts = [...known].flatMap(([key, vector]) => [
    Buffer.from(key, "hex"),
    Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength),
  ]);
  const unfinished = new URL(`${file.href}.${process.pid}.part`);
  writeFileSync(unfinished, Buffer.concat(parts));
  renameSync(unfinished, file);
}
