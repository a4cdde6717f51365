// The stored posteriors of other talk that thresholds are found on: an hour of synthesised conversation as the front end hears it.
// File: 16 bytes of head (magic "STBG", version u32 = 1, count of vectors u32, CRC-32 of the vectors u32, little endian), then Brotli of the
// vectors, 40 bytes each, posterior by posterior through all vectors, so that like stands beside like.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, brotliDecompressSync, constants, crc32 } from "node:zlib";
import { PHONE_CLASSES } from "@salestag/protocol";
import { ExitCode, ToolError } from "@salestag/protocol/team";

const STORED = fileURLToPath(new URL("../../data/background.bin", import.meta.url));
const MAGIC = "STBG";
const VERSION = 1;
const HEAD_BYTES = 16;
/** A day of vectors: more is no background. */
const VECTORS_MAX = 24 * 3600 * 25;

function turned(bytes: Uint8Array, rows: number, columns: number): Buffer {
  const out = Buffer.alloc(bytes.length);
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++) out[column * rows + row] = bytes[row * columns + column];
  return out;
}

/** @param vectors posterior vectors one after the other, 40 bytes each */
export function writeBackground(vectors: Uint8Array): Buffer {
  const count = vectors.length / PHONE_CLASSES;
  const head = Buffer.alloc(HEAD_BYTES);
  head.write(MAGIC, "latin1");
  head.writeUInt32LE(VERSION, 4);
  head.writeUInt32LE(count, 8);
  head.writeUInt32LE(crc32(vectors), 12);
  const params = {
    [constants.BROTLI_PARAM_QUALITY]: 11,
    [constants.BROTLI_PARAM_LGWIN]: 24,
    [constants.BROTLI_PARAM_SIZE_HINT]: vectors.length,
  };
  return Buffer.concat([head, brotliCompressSync(turned(vectors, count, PHONE_CLASSES), { params })]);
}

/** @returns the vectors, 40 bytes each. @throws ToolError when the file is damaged */
export function readBackground(file: Buffer): Buffer {
  const damaged = (why: string) =>
    new ToolError(ExitCode.Usage, `the background file cannot be used: ${why}; install the tools again.`);
  if (file.length < HEAD_BYTES || file.toString("latin1", 0, 4) !== MAGIC) throw damaged("it is none");
  if (file.readUInt32LE(4) !== VERSION)
    throw damaged(`its version is ${file.readUInt32LE(4)}, not ${VERSION}`);
  const count = file.readUInt32LE(8);
  if (count > VECTORS_MAX) throw damaged(`it says that it has ${count} vectors`);
  let columns: Buffer;
  try {
    columns = brotliDecompressSync(file.subarray(HEAD_BYTES), { maxOutputLength: count * PHONE_CLASSES + 1 });
  } catch {
    throw damaged("it does not unpack");
  }
  if (columns.length !== count * PHONE_CLASSES) throw damaged("it is too short");
  const vectors = turned(columns, PHONE_CLASSES, count);
  if (crc32(vectors) !== file.readUInt32LE(12)) throw damaged("its checksum does not match");
  return vectors;
}

let stored: Buffer | undefined;

/** @returns the background that comes with the tools */
export function storedBackground(): Buffer {
  stored ??= readBackground(readFileSync(STORED));
  return stored;
}
