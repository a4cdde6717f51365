// Reads the trace lines that the badge program logs (firmware/src/trace.ts): '> @word numbers...'.

/** How the badge is, by its own account, every few seconds. */
export interface BadgeHealth {
  /** Badge id, 16 hexadecimal digits. */
  badge: string;
  /** Seconds since its program started. */
  upS: number;
  /** KB of the outbox that are in use, and its size. */
  usedKb: number;
  sizeKb: number;
  /** Longest time in ms by which something that was due came late since the last line: how loaded the program is. */
  lateMs: number;
  /** Frames of sound that never came, since the start. */
  lostFrames: number;
  online: boolean;
  storageFailed: boolean;
  /** Charge of the battery in per cent; -1 when nothing tells it. */
  batteryPercent: number;
}

/** What the factory's test of the flash chip found; bytes are counted over all sectors that were tried. */
export interface ChipTest {
  /** Sectors of 4096 bytes that the chip says it has; 0: no chip answers. */
  sectors: number;
  /** Sectors that were tried. */
  places: number;
  /** Commands that the chip refused or left unanswered. */
  refused: number;
  /** Bytes that were not blank after an erasure. */
  unerased: number;
  /** Bytes that were still blank after they were written. */
  unwritten: number;
  /** Bytes that read as something else than was written. */
  wrong: number;
}

/** One thing that the badge said it did. */
export type TraceEvent =
  | { word: "ready"; badge: string; relay: string }
  | { word: "unprovisioned" | "nochip" }
  | ({ word: "chiptest" } & ChipTest)
  | { word: "motortest"; pulses: number }
  | ({ word: "health" } & BadgeHealth)
  | { word: "onset"; seq: number }
  | { word: "speech"; fromSeq: number; toSeq: number }
  | { word: "lost"; fromSeq: number; toSeq: number }
  | { word: "turn"; fromSeq: number; toSeq: number; talker: number; level: number }
  | { word: "phrase"; number: number; fromSeq: number; toSeq: number; atSeq: number; score: number }
  | { word: "conversation"; epoch: number; seq: number }
  | { word: "asking" | "denied"; epoch: number }
  | { word: "consent"; epoch: number; means: number }
  | { word: "stored"; epoch: number; index: number }
  | { word: "gaveup"; durationMs: number; cause: number }
  | { word: "nudge"; cause: number; id: number }
  | { word: "configured"; version: number; used: number }
  | { word: "mark" }
  | { word: "account"; seq: number; epoch: number }
  | { word: "shows"; pattern: string }
  | { word: "ended"; epoch: number; reason: number }
  | { word: "chunk"; epoch: number; index: number; kind: number; count: number; bytes: number }
  | { word: "refused"; epoch: number; kind: number; durationMs: number }
  | { word: "acked"; nextEpoch: number; nextIndex: number; waiting: number }
  | { word: "held" }
  | { word: "up" }
  | { word: "rest"; restMs: number }
  | { word: "down"; retryMs: number; why: string };

const PREFIX = "> @";

/** @returns true for a trace line, known or not */
export function isTrace(line: string): boolean {
  return line.startsWith(PREFIX);
}

/** @returns the event; undefined for a line that is none, or one that only another version of the program knows */
export function parseTrace(line: string): TraceEvent | undefined {
  if (!isTrace(line)) return undefined;
  const [word, ...rest] = line.slice(PREFIX.length).split(" ");
  const [a, b, c, d, e] = rest.map(Number);
  switch (word) {
    case "ready":
      return { word, badge: rest[0], relay: rest[1] };
    case "unprovisioned":
    case "nochip":
      return { word };
    case "chiptest": {
      const [sectors, places, refused, unerased, unwritten, wrong] = rest.map(Number);
      return { word, sectors, places, refused, unerased, unwritten, wrong };
    }
    case "motortest":
      return { word, pulses: a };
    case "health": {
      const [upS, usedKb, sizeKb, lateMs, lostFrames, online, storageFailed, batteryPercent] = rest
        .slice(1)
        .map(Number);
      return {
        word,
        badge: rest[0],
        upS,
        usedKb,
        sizeKb,
        lateMs,
        lostFrames,
        online: online === 1,
        storageFailed: storageFailed === 1,
        batteryPercent,
      };
    }
    case "onset":
      return { word, seq: a };
    case "speech":
    case "lost":
      return { word, fromSeq: a, toSeq: b };
    case "turn":
      return { word, fromSeq: a, toSeq: b, talker: c, level: d };
    case "phrase":
      return { word, number: a, fromSeq: b, toSeq: c, atSeq: d, score: e };
    case "conversation":
      return { word, epoch: a, seq: b };
    case "asking":
    case "denied":
      return { word, epoch: a };
    case "consent":
      return { word, epoch: a, means: b };
    case "stored":
      return { word, epoch: a, index: b };
    case "gaveup":
      return { word, durationMs: a, cause: b };
    case "nudge":
      return { word, cause: a, id: b };
    case "configured":
      return { word, version: a, used: b };
    case "mark":
      return { word };
    case "account":
      return { word, seq: a, epoch: b };
    case "shows":
      return { word, pattern: rest[0] };
    case "ended":
      return { word, epoch: a, reason: b };
    case "chunk":
      return { word, epoch: a, index: b, kind: c, count: d, bytes: e };
    case "refused":
      return { word, epoch: a, kind: b, durationMs: c };
    case "acked":
      return { word, nextEpoch: a, nextIndex: b, waiting: c };
    case "held":
    case "up":
      return { word };
    case "rest":
      return { word, restMs: a };
    case "down":
      return { word, retryMs: a, why: rest.slice(1).join(" ") };
    default:
      return undefined;
  }
}
