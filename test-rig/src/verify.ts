// Compares what was opened at the end with what was played at the start: every frame that the badge called speech must be there,
// once, in its place, with the very packet that the encoder made; and nothing may be there that was not played.
import type { OpenedConversation } from "@salestag/host-tools";
import { FRAME_MS } from "@salestag/protocol";
import { parseFrame } from "./audio/frame";
import type { Bench } from "./bench";
import type { Frames } from "./play";

export interface Verification {
  /** Sentences; none when all is as it must be. */
  problems: string[];
  /** Frames that the badge called speech. */
  speechFrames: number;
  /** Frames that arrived. */
  keptFrames: number;
  /** Opus payload of those. */
  opusBytes: number;
}

const PROBLEMS_MAX = 20;

export function verify(bench: Bench, frames: Frames, opened: OpenedConversation[]): Verification {
  const problems: string[] = [];
  const arrived = new Set<number>();
  let opusBytes = 0;
  for (const { timeline, packets } of opened) {
    const begun = bench.traced("conversation").find(({ epoch }) => epoch === timeline.epoch);
    if (begun === undefined) {
      problems.push(`conversation ${timeline.epoch} arrived, but the badge began none of that number`);
      continue;
    }
    problems.push(...timeline.problems);
    if (!timeline.complete) problems.push(`conversation ${timeline.epoch} is not complete`);
    let before = -1;
    for (const { startMs, packet } of packets) {
      const seq = begun.seq + startMs / FRAME_MS;
      opusBytes += packet.length;
      if (seq <= before) problems.push(`frame ${seq} comes after frame ${before}`);
      if (arrived.has(seq)) problems.push(`frame ${seq} arrived twice`);
      if (!packet.equals(parseFrame(frames.frame(seq)).opus))
        problems.push(`frame ${seq} is not the encoder's packet`);
      arrived.add(seq);
      before = seq;
    }
  }
  const lost = new Set(bench.traced("lost").flatMap(({ fromSeq, toSeq }) => range(fromSeq, toSeq)));
  const speech = bench.traced("speech").flatMap(({ fromSeq, toSeq }) => range(fromSeq, toSeq));
  const spoken = speech.filter((seq) => !lost.has(seq));
  for (const seq of spoken)
    if (!arrived.has(seq)) problems.push(`frame ${seq} was speech and did not arrive`);
  return {
    problems: problems.slice(0, PROBLEMS_MAX),
    speechFrames: spoken.length,
    keptFrames: arrived.size,
    opusBytes,
  };
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, i) => from + i);
}
