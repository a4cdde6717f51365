// The small parts of the badge's logic: pauses between attempts, gestures, the clock, the gate, talk time, what is shown.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { CONSENT_DEFAULT, ConsentMeans, Talker } from "@salestag/protocol";
import { backoffMs } from "../src/backoff";
import { Gesture, Presses } from "../src/button";
import { BadgeClock } from "../src/clock";
import { RETRY_MS_MAX, RETRY_MS_MIN } from "../src/config";
import { ConsentGate, Gate } from "../src/gate";
import * as indicators from "../src/indicators";
import { type Pattern, patternFor, type Situation } from "../src/indicators";
import { TalkTime } from "../src/talk";

describe("backoff", () => {
  it("doubles from half a second to a minute, and spreads over the upper half", () => {
    let pauseMs = RETRY_MS_MIN;
    for (let attempt = 1; attempt <= 12; attempt++) {
      assert.equal(backoffMs(attempt, 0), pauseMs / 2, `attempt ${attempt}`);
      assert.ok(backoffMs(attempt, 255) < pauseMs && backoffMs(attempt, 255) > 0.99 * pauseMs);
      pauseMs = Math.min(2 * pauseMs, RETRY_MS_MAX);
    }
  });
});

describe("button", () => {
  /** Plays downs (rising) and ups (falling) at their times, looking every 100 ms. @returns the gestures, with when they were known */
  function gestures(changes: [atMs: number, down: boolean][]): [number, Gesture][] {
    const presses = new Presses();
    const told: [number, Gesture][] = [];
    for (let nowMs = 0; nowMs <= 4000; nowMs += 100) {
      for (const [atMs, down] of changes)
        if (atMs > nowMs - 100 && atMs <= nowMs) down ? presses.down(atMs) : presses.up(atMs);
      const gesture = presses.tick(nowMs);
      if (gesture !== Gesture.None) told.push([nowMs, gesture]);
    }
    assert.equal(presses.isBusy(), false);
    return told;
  }
  const press = (atMs: number, forMs: number): [number, boolean][] => [
    [atMs, true],
    [atMs + forMs, false],
  ];
  for (const [what, changes, wanted] of [
    ["short", press(100, 150), [[800, Gesture.Short]]],
    ["twice", [...press(100, 100), ...press(400, 100)], [[500, Gesture.Twice]]],
    [
      "two that are apart",
      [...press(100, 100), ...press(900, 100)],
      [
        [700, Gesture.Short],
        [1500, Gesture.Short],
      ],
    ],
    ["long, told while it is held, and its end is no press", press(100, 1500), [[1100, Gesture.Long]]],
    ["just not long", press(100, 999), [[1600, Gesture.Short]]],
  ] as [string, [number, boolean][], [number, Gesture][]][])
    it(what, () => assert.deepEqual(gestures(changes), wanted));
});

describe("clock", () => {
  const NOW = 1780000000000;
  it("follows the first relay, and small corrections", () => {
    const clock = new BadgeClock(0);
    assert.equal(clock.unixMs(0), undefined);
    assert.equal(clock.told(NOW, 5000), true);
    assert.equal(clock.unixMs(6000), NOW + 1000);
    assert.equal(clock.told(NOW + 61000, 6000), true);
    assert.equal(clock.unixMs(6000), NOW + 61000);
  });
  for (const [what, known, first, then] of [
    ["before the badge existed", 0, 1735689600000 - 1, undefined],
    ["before what the badge knows already", NOW, NOW - 600001, undefined],
    ["more than 400 days after what it knows", NOW, NOW + 400 * 86400000 + 1, undefined],
    ["a leap forward", 0, NOW, NOW + 61002],
    ["a leap back", 0, NOW, NOW - 59002],
  ] as const)
    it(`does not follow a relay that tells the wrong time (${what})`, () => {
      const clock = new BadgeClock(known);
      assert.equal(clock.told(first, 0), then !== undefined);
      if (then === undefined) {
        assert.equal(clock.unixMs(0), undefined);
        return;
      }
      assert.equal(clock.told(then, 1000), false);
      assert.equal(clock.unixMs(1000), NOW + 1000);
    });
});

describe("consent gate", () => {
  const verbal = {
    ...CONSENT_DEFAULT,
    policy: "verbal" as const,
    withinMs: 30000,
    yes: ["you may"],
    no: ["no way"],
  };

  it("announce: open at once", () => {
    const gate = new ConsentGate(CONSENT_DEFAULT);
    assert.equal(gate.begin(0), ConsentMeans.Announced);
    assert.equal(gate.gate, Gate.Open);
  });
  for (const [what, act, wanted] of [
    ["a phrase that consents", (gate) => gate.phrase("you may"), Gate.Open],
    ["a phrase that refuses", (gate) => gate.phrase("no way"), Gate.Refused],
    ["another phrase", (gate) => gate.phrase("too expensive"), Gate.Asking],
    ["the button", (gate) => gate.button(true), Gate.Open],
    ["the button, held", (gate) => gate.button(false), Gate.Refused],
    ["the last ms of the time", (gate) => gate.tick(1000 + 29999), Gate.Asking],
    ["the end of the time", (gate) => gate.tick(1000 + 30000), Gate.Refused],
  ] as [string, (gate: ConsentGate) => boolean, Gate][])
    it(`verbal: ${what}`, () => {
      const gate = new ConsentGate(verbal);
      assert.equal(gate.begin(1000), undefined);
      assert.equal(act(gate), wanted !== Gate.Asking);
      assert.equal(gate.gate, wanted);
    });
  it("a gate that has decided changes no more until the conversation is over", () => {
    const gate = new ConsentGate(verbal);
    gate.begin(0);
    gate.phrase("no way");
    assert.deepEqual([gate.phrase("you may"), gate.button(true), gate.tick(99999)], [false, false, false]);
    assert.equal(gate.gate, Gate.Refused);
    gate.end();
    assert.equal(gate.gate, Gate.Closed);
  });
});

describe("talk time", () => {
  const MINUTE = 60000;
  it("the wearer's share within the window; what is older is forgotten", () => {
    const talk = new TalkTime(10 * MINUTE, 60, 0);
    talk.turn(Talker.Near, 60000, MINUTE);
    talk.turn(Talker.Far, 40000, 2 * MINUTE);
    talk.turn(Talker.Unsure, 50000, 3 * MINUTE);
    assert.deepEqual(talk.times(3 * MINUTE), {
      windowMs: 600000,
      nearMs: 60000,
      farMs: 40000,
      longestMs: 60000,
    });
    assert.deepEqual(talk.times(11 * MINUTE).nearMs, 0);
    assert.deepEqual(talk.times(11 * MINUTE).farMs, 40000);
    assert.deepEqual(talk.times(500 * MINUTE).farMs, 0);
  });
  it("nudges when the share is over the limit and enough was said, and not again for five minutes", () => {
    const talk = new TalkTime(10 * MINUTE, 60, 0);
    talk.turn(Talker.Near, 119999, MINUTE);
    assert.equal(talk.shareIsOver(MINUTE), false);
    talk.turn(Talker.Far, 80000, MINUTE);
    assert.equal(talk.shareIsOver(MINUTE), false); // 59.99%
    talk.turn(Talker.Near, 2000, MINUTE);
    assert.equal(talk.shareIsOver(MINUTE), true);
    assert.equal(talk.shareIsOver(6 * MINUTE - 1), false);
    assert.equal(talk.shareIsOver(6 * MINUTE), true);
  });
  it("nudges once for a monologue; a far turn ends it", () => {
    const talk = new TalkTime(10 * MINUTE, 0, 90000);
    talk.turn(Talker.Near, 89999, MINUTE);
    assert.equal(talk.monologueIsOver(), false);
    talk.turn(Talker.Near, 1, MINUTE);
    assert.deepEqual([talk.monologueIsOver(), talk.monologueIsOver()], [true, false]);
    talk.turn(Talker.Far, 1000, 2 * MINUTE);
    talk.turn(Talker.Near, 90000, 3 * MINUTE);
    assert.equal(talk.monologueIsOver(), true);
  });
});

describe("indicators", () => {
  const calm: Situation = {
    muted: false,
    storageFailed: false,
    storageFull: false,
    batteryLow: false,
    asking: false,
    recording: false,
    refused: false,
    paused: false,
    off: false,
    online: true,
  };
  it("the README's table has every pattern, and no other", () => {
    const patterns = Object.values(indicators).filter((value): value is Pattern => typeof value === "object");
    const readme = readFileSync(new URL("../../README.md", import.meta.url), "utf8");
    const listed = [...readme.matchAll(/^\| `([a-z-]+)` \| /gm)].map(([, name]) => name);
    assert.deepEqual(listed.sort(), patterns.map(({ name }) => name).sort());
  });

  for (const [change, wanted] of [
    [{}, "ready"],
    [{ online: false }, "no-network"],
    [{ recording: true }, "recording"],
    [{ recording: true, online: false }, "recording"],
    [{ recording: true, storageFull: true }, "storage-full"],
    [{ storageFull: true }, "storage-full"],
    [{ asking: true }, "asking"],
    [{ refused: true }, "not-recording"],
    [{ paused: true, batteryLow: true }, "paused"],
    [{ batteryLow: true }, "battery-low"],
    [{ muted: true, recording: true }, "muted"],
    [{ storageFailed: true, muted: true }, "storage-failed"],
    [{ off: true }, "off"],
  ] as [Partial<Situation>, string][])
    it(`${JSON.stringify(change)} shows ${wanted}`, () =>
      assert.equal(patternFor({ ...calm, ...change }).name, wanted));
});
