// Runs the front end that was translated to C over a recording, on this computer or in an emulator of another processor, and the WASM
// over the same, for comparing: a hop's features are the frame's bytes from 4 to before its packet.
import { execFileSync, spawnSync } from "node:child_process";
import type { Target } from "../../../firmware/native/build";
import { FrontEnd, type FrontEndFiles, HOP_SAMPLES } from "../../../firmware/voice-front-end/front-end";

/** Bytes that host/replay.c writes for every hop: the features' length, and room for the longest. */
const RECORD_BYTES = 73;
const OUTPUT_BYTES_MAX = 1 << 28;

/** Features of every hop by the WASM in Node. @param samples whole hops are used; the rest is left out */
export function replayWasm(files: FrontEndFiles, samples: Int16Array): Buffer[] {
  const frontEnd = FrontEnd.load(files);
  const hops = Math.floor(samples.length / HOP_SAMPLES);
  return Array.from({ length: hops }, (_, hop) =>
    Buffer.from(frontEnd.process(samples.subarray(hop * HOP_SAMPLES, (hop + 1) * HOP_SAMPLES))),
  );
}

/** What host/replay.c reads: the network's length, the network, whole hops. */
export function replayInput(network: Uint8Array, samples: Int16Array): Buffer {
  const head = Buffer.alloc(4);
  head.writeUInt32LE(network.length);
  const hopBytes = HOP_SAMPLES * Int16Array.BYTES_PER_ELEMENT;
  const bytes = samples.byteLength - (samples.byteLength % hopBytes);
  return Buffer.concat([head, network, Buffer.from(samples.buffer, samples.byteOffset, bytes)]);
}

/** Features of every hop from what host/replay.c wrote. Throws RangeError when a record is broken off. */
export function replayOutput(bytes: Buffer): Buffer[] {
  if (bytes.length % RECORD_BYTES !== 0)
    throw new RangeError(`${bytes.length} bytes are no whole records of ${RECORD_BYTES}.`);
  return Array.from({ length: bytes.length / RECORD_BYTES }, (_, hop) => {
    const start = hop * RECORD_BYTES + 1;
    return bytes.subarray(start, start + bytes[start - 1]);
  });
}

/** Features of every hop by a program that compileReplay made for a target. Throws an Error when it fails. */
export function replayNative(
  program: string,
  target: Target,
  network: Uint8Array,
  samples: Int16Array,
): Buffer[] {
  const [command, ...args] = [...target.runner, program];
  const input = replayInput(network, samples);
  return replayOutput(execFileSync(command, args, { input, maxBuffer: OUTPUT_BYTES_MAX }));
}

/** What counting gave: what the program wrote, and how many instructions it ran up to each of its writes since the one before. */
export interface CountedRun {
  output: Buffer;
  instructions: number[];
}

/**
 * Runs a program in its target's emulator, which counts its instructions exactly. Throws an Error when it fails.
 * @param counter what compileCounter made
 */
export function countedRun(program: string, target: Target, counter: string, input: Buffer): CountedRun {
  const [command, ...args] = target.runner;
  const plugin = ["-plugin", `${counter},write=${target.writeCall}`];
  const { status, stdout, stderr, error } = spawnSync(command, [...args, ...plugin, program], {
    input,
    maxBuffer: OUTPUT_BYTES_MAX,
  });
  const told = stderr?.toString("latin1") ?? "";
  if (error !== undefined || status !== 0)
    throw error ?? new Error(`${command} ended with ${status}: ${told.slice(-200)}`);
  return { output: stdout, instructions: told.trim().split("\n").map(Number) };
}
