import assert from "node:assert/strict";
import { isTrace, parseTrace, type TraceEvent } from "@salestag/protocol/host";
import { Trace } from "../../firmware/src/trace";

/** One line of each kind, as the badge prints it, and what it says. */
const CASES: { word: keyof Trace; print: (trace: Trace) => void; event: TraceEvent }[] = [
  {
    word: "ready",
    print: (trace) => trace.ready("0011223344556677", "tls://relay.example:4242"),
    event: { word: "ready", badge: "0011223344556677", relay: "tls://relay.example:4242" },
  },
  {
    word: "nochip",
    print: (trace) => trace.nochip(),
    event: { word: "nochip" },
  },
  {
    word: "unprovisioned",
    print: (trace) => trace.unprovisioned(),
    event: { word: "unprovisioned" },
  },
  {
    word: "chipTest",
    print: (trace) =>
      trace.chipTest({ sectors: 16384, places: 4, refused: 0, unerased: 1, unwritten: 2, wrong: 3 }),
    event: {
      word: "chiptest",
      sectors: 16384,
      places: 4,
      refused: 0,
      unerased: 1,
      unwritten: 2,
      wrong: 3,
    },
  },
  { word: "motorTest", print: (trace) => trace.motorTest(3), event: { word: "motortest", pulses: 3 } },
  {
    word: "health",
    print: (trace) => trace.health("0011223344556677", [65, 12, 65000, 140, 3, 1, 0, -1]),
    event: {
      word: "health",
      badge: "0011223344556677",
      upS: 65,
      usedKb: 12,
      sizeKb: 65000,
      lateMs: 140,
      lostFrames: 3,
      online: true,
      storageFailed: false,
      batteryPercent: -1,
    },
  },
  { word: "onset", print: (trace) => trace.onset(0), event: { word: "onset", seq: 0 } },
  {
    word: "speech",
    print: (trace) => trace.speech(12, 4294967295),
    event: { word: "speech", fromSeq: 12, toSeq: 4294967295 },
  },
  { word: "lost", print: (trace) => trace.lost(3, 5), event: { word: "lost", fromSeq: 3, toSeq: 5 } },
  {
    word: "turn",
    print: (trace) => trace.turn(10, 90, 2, 66),
    event: { word: "turn", fromSeq: 10, toSeq: 90, talker: 2, level: 66 },
  },
  {
    word: "phrase",
    print: (trace) => trace.phrase(4, 10, 50, 72, -1843),
    event: { word: "phrase", number: 4, fromSeq: 10, toSeq: 50, atSeq: 72, score: -1843 },
  },
  {
    word: "conversation",
    print: (trace) => trace.conversation(7, 100),
    event: { word: "conversation", epoch: 7, seq: 100 },
  },
  { word: "asking", print: (trace) => trace.asking(7), event: { word: "asking", epoch: 7 } },
  { word: "denied", print: (trace) => trace.denied(7), event: { word: "denied", epoch: 7 } },
  {
    word: "consent",
    print: (trace) => trace.consent(7, 3),
    event: { word: "consent", epoch: 7, means: 3 },
  },
  { word: "stored", print: (trace) => trace.stored(7, 2), event: { word: "stored", epoch: 7, index: 2 } },
  {
    word: "gaveUp",
    print: (trace) => trace.gaveUp(2000, 4),
    event: { word: "gaveup", durationMs: 2000, cause: 4 },
  },
  { word: "nudge", print: (trace) => trace.nudge(3, 9), event: { word: "nudge", cause: 3, id: 9 } },
  {
    word: "configured",
    print: (trace) => trace.configured(1780000000, 1),
    event: { word: "configured", version: 1780000000, used: 1 },
  },
  { word: "mark", print: (trace) => trace.mark(), event: { word: "mark" } },
  { word: "account", print: (trace) => trace.account(5, 7), event: { word: "account", seq: 5, epoch: 7 } },
  {
    word: "shows",
    print: (trace) => trace.shows("no-network"),
    event: { word: "shows", pattern: "no-network" },
  },
  { word: "ended", print: (trace) => trace.ended(7, 2), event: { word: "ended", epoch: 7, reason: 2 } },
  {
    word: "chunk",
    print: (trace) => trace.chunk(7, 1, 2, 50, 2000),
    event: { word: "chunk", epoch: 7, index: 1, kind: 2, count: 50, bytes: 2000 },
  },
  {
    word: "refused",
    print: (trace) => trace.refused(7, 1, 1000),
    event: { word: "refused", epoch: 7, kind: 1, durationMs: 1000 },
  },
  {
    word: "acked",
    print: (trace) => trace.acked(7, 2, 3),
    event: { word: "acked", nextEpoch: 7, nextIndex: 2, waiting: 3 },
  },
  { word: "held", print: (trace) => trace.held(), event: { word: "held" } },
  { word: "up", print: (trace) => trace.up(), event: { word: "up" } },
  { word: "rest", print: (trace) => trace.rest(60000), event: { word: "rest", restMs: 60000 } },
  {
    word: "down",
    print: (trace) => trace.down(500, "refused 3: this relay has no badge"),
    event: { word: "down", retryMs: 500, why: "refused 3: this relay has no badge" },
  },
];

const printed = (print: (trace: Trace) => void): string[] => {
  const lines: string[] = [];
  print(new Trace((line) => lines.push(`> ${line}`)));
  return lines;
};

describe("trace", () => {
  for (const { word, print, event } of CASES)
    it(`reads what the badge prints (@${word})`, () => {
      assert.deepEqual(printed(print).map(parseTrace), [event]);
    });

  it("every line that the badge can print is among the cases above", () => {
    const methods = Object.getOwnPropertyNames(Trace.prototype).filter((name) => name !== "constructor");
    assert.deepEqual(CASES.map(({ word }) => word).sort(), methods.sort());
  });

  it("a trace line of an unknown word is a trace line, and no event", () => {
    for (const line of ["> @sleep 1", "> @", "> @Onset 1"]) {
      assert.equal(isTrace(line), true);
      assert.equal(parseTrace(line), undefined);
    }
  });

  it("other log lines are ignored", () => {
    for (const line of ["", "@onset 1", "> onset 1", ">@onset 1", "* @onset 1", "> mail@example.com"])
      assert.equal(parseTrace(line), undefined, line);
  });
});
