// Speech for tests of transcription: real Opus packets of tones, and of samples.
import { Encoder } from "@evan/opus";
import type { PlacedPacket } from "@salestag/protocol/team";
import { RATE_HZ } from "../transcribe/audio";
import { PACKET_MS } from "../transcribe/cut";
import type { Speech } from "../transcribe/transcriber";

const PACKET_SAMPLES = (RATE_HZ * PACKET_MS) / 1000;

/** @returns packets as a badge codes them, one after the other from `startMs` on; samples that do not fill a packet are left out */
export function packetsOf(samples: Int16Array, startMs = 0): PlacedPacket[] {
  const encoder = new Encoder({ channels: 1, sample_rate: RATE_HZ, application: "voip" });
  encoder.bitrate = 16_000;
  encoder.complexity = 0;
  return Array.from({ length: Math.floor(samples.length / PACKET_SAMPLES) }, (_, at) => ({
    startMs: startMs + at * PACKET_MS,
    packet: Buffer.from(encoder.encode(samples.slice(at * PACKET_SAMPLES, (at + 1) * PACKET_SAMPLES))),
  }));
}

/** @returns a tone of 440 Hz that swells and falls */
export function tone(lengthMs: number): Int16Array {
  return Int16Array.from({ length: (lengthMs * RATE_HZ) / 1000 }, (_, i) =>
    Math.round(8000 * Math.sin((2 * Math.PI * 440 * i) / RATE_HZ) * Math.abs(Math.sin(i / 3000))),
  );
}

/** @returns a tone for each stretch, [from, to) in ms, silence between */
export function speechOf(stretches: [number, number][], durationMs: number): Speech {
  return { packets: stretches.flatMap(([from, to]) => packetsOf(tone(to - from), from)), durationMs };
}
