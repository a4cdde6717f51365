// All phrases at once as the badge decides: its own Phrases with the thresholds that `salestag phrases` sets, competing with each other;
// nothing is swept. What is found, what is false, and how long after the phrase's last sound the event comes.
import { FRAME_MS, type Phrase } from "@salestag/protocol";
import { Phrases } from "../../../firmware/src/phrases";
import type { Clip, Stream } from "./phrases";
import { RATE_HZ } from "./sound";

/** A phrase's event belongs to the clip in which its last frame lies; the clip's end may be passed by this much. */
const LATE_MS = 400;

export interface Together {
  spoken: number;
  found: number;
  /** Events where no phrase, or another one, was spoken. */
  falseAlarms: number;
  hours: number;
  /** From the last sound of the phrase to the event, for each that was found. */
  delaysMs: number[];
}

/** @param frames of the stream, as the front end makes them */
export function hearTogether(stream: Stream, frames: Buffer[], phrases: Phrase[]): Together {
  const msOf = (samples: number) => (samples * 1000) / RATE_HZ;
  const listener = new Phrases(phrases);
  const found = new Set<Clip>();
  const result: Together = {
    spoken: stream.clips.filter(({ phrase }) => phrase !== undefined).length,
    found: 0,
    falseAlarms: 0,
    hours: msOf(stream.pcm.length) / 3_600_000,
    delaysMs: [],
  };
  let clip = 0;
  frames.forEach((frame, seq) => {
    const hit = listener.frame(frame, seq);
    if (hit === undefined) return;
    const endMs = hit.toSeq * FRAME_MS;
    while (
      clip + 1 < stream.clips.length &&
      msOf(stream.clips[clip].firstSample + stream.clips[clip].samples) + LATE_MS < endMs
    )
      clip++;
    // The slack reaches into the next clip: whichever of the two holds the phrase is meant.
    const own = stream.clips.slice(clip, clip + 2).find(({ phrase }) => phrase === hit.text);
    if (own === undefined || msOf(own.firstSample) > endMs || found.has(own)) {
      result.falseAlarms++;
      return;
    }
    found.add(own);
    result.found++;
    result.delaysMs.push((seq + 1) * FRAME_MS - msOf(own.firstSample + own.speechSamples));
  });
  return result;
}
