// A part of a conversation as an audio file: 16 kHz mono, silence where there is no packet.
import { setImmediate } from "node:timers/promises";
import { Decoder } from "@evan/opus";
import { oggOpus, SILENCE_PACKET } from "@salestag/protocol/team";
import { PACKET_MS, type Part } from "./cut";
import type { AudioFile } from "./transcriber";

export const RATE_HZ = 16_000;
const SAMPLES_PER_MS = RATE_HZ / 1000;
const PACKET_SAMPLES = PACKET_MS * SAMPLES_PER_MS;
/** The encoder's delay, 6.5 ms: what a decoder gives comes so much later than it was said. */
const DELAY_SAMPLES = 104;
/** Packets that are decoded before others get their turn: some 10 ms. */
const PACKETS_AT_ONCE = 250;
/** Bytes of a WAV file before its samples. */
const WAV_HEADER_BYTES = 44;

/** Samples of a part, full scale 32768, and how many of its packets could not be decoded: silence is in their places. */
export interface Decoded {
  samples: Int16Array;
  unreadable: number;
}

/** Decodes a part: a sample of it lies at its time, within 1/16 ms. Others get their turn between: ten minutes take most of a second. */
export async function decode(part: Part): Promise<Decoded> {
  const decoder = new Decoder({ channels: 1, sample_rate: RATE_HZ });
  const samples = new Int16Array(part.durationMs * SAMPLES_PER_MS + DELAY_SAMPLES);
  let unreadable = 0;
  let done = 0;
  for (const { packets, offsetMs } of part.pieces)
    for (const { startMs, packet } of packets) {
      if (++done % PACKETS_AT_ONCE === 0) await setImmediate();
      const heard = decodePacket(decoder, packet);
      if (heard === undefined) unreadable++;
      else samples.set(heard, (startMs - offsetMs) * SAMPLES_PER_MS);
    }
  return { samples: samples.subarray(DELAY_SAMPLES), unreadable };
}

/** @returns the samples of 20 ms, or undefined for what is no such packet */
function decodePacket(decoder: Decoder, packet: Buffer): Int16Array | undefined {
  let bytes: Uint8Array;
  try {
    bytes = decoder.decode(packet);
  } catch {
    return undefined; // counted, and told in the notes of what was heard
  }
  if (bytes.length !== 2 * PACKET_SAMPLES) return undefined;
  return new Int16Array(Uint8Array.from(bytes).buffer);
}

/** @returns a WAV file (RIFF, PCM of 16 bit) of 16 kHz mono */
export function wavOf(samples: Int16Array): AudioFile {
  const header = Buffer.alloc(WAV_HEADER_BYTES);
  header.write("RIFF", 0, "latin1");
  header.writeUInt32LE(WAV_HEADER_BYTES + samples.byteLength - 8, 4);
  header.write("WAVEfmt ", 8, "latin1");
  header.writeUInt32LE(16, 16); // bytes of the format
  header.writeUInt16LE(1, 20); // PCM
  header.writeUInt16LE(1, 22); // channels
  header.writeUInt32LE(RATE_HZ, 24);
  header.writeUInt32LE(2 * RATE_HZ, 28); // bytes in a second
  header.writeUInt16LE(2, 32); // bytes of a sample
  header.writeUInt16LE(16, 34); // bits
  header.write("data", 36, "latin1");
  header.writeUInt32LE(samples.byteLength, 40);
  const body = new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength);
  return {
    format: "wav",
    bytes: Buffer.concat([header, body]),
    durationMs: samples.length / SAMPLES_PER_MS,
  };
}

/** @returns an Ogg Opus file with the badge's own packets, and packets of silence between; they lie at their times within 10 ms */
export function oggOf(part: Part): AudioFile {
  const packets = new Array<Buffer>(Math.ceil(part.durationMs / PACKET_MS)).fill(SILENCE_PACKET);
  for (const { packets: placed, offsetMs } of part.pieces)
    for (const { startMs, packet } of placed)
      if (packet.length > 0) packets[Math.round((startMs - offsetMs) / PACKET_MS)] = packet;
  const bytes = oggOpus(packets, { serial: 1, inputRateHz: RATE_HZ, comments: [] });
  return { format: "ogg", bytes, durationMs: packets.length * PACKET_MS };
}
