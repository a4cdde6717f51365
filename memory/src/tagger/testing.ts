// Short talks for tests, written as "R: words" and "C: words", "U: words" where nobody knows who spoke.
import type { Transcript, Turn } from "../model/transcript";

const WORD_MS = 375;
const GAP_MS = 400;
const SPEAKERS = { R: "rep", C: "other", U: "unsure" } as const;

/** @returns a transcript of these turns, everybody speaking 160 words a minute */
export function talk(...lines: string[]): Transcript {
  const turns: Turn[] = [];
  for (const line of lines) {
    const startMs = turns.length === 0 ? 0 : turns[turns.length - 1].endMs + GAP_MS;
    turns.push(turnOf(SPEAKERS[line[0] as keyof typeof SPEAKERS], line.slice(3), startMs));
  }
  return { source: "test", language: "en", durationMs: turns.at(-1)?.endMs ?? 0, turns };
}

function turnOf(speaker: Turn["speaker"], text: string, startMs: number): Turn {
  const words = text.split(" ").map((word, place) => ({
    text: word,
    startMs: startMs + place * WORD_MS,
    endMs: startMs + (place + 1) * WORD_MS,
  }));
  return { speaker, startMs, endMs: startMs + words.length * WORD_MS, text, words };
}
