// What the monitor knows after each thing that a badge can say, and that it stays of one size.
import { strict as assert } from "node:assert";
import {
  initialState,
  LINES_KEPT,
  type MonitorState,
  PHRASES_KEPT,
  type Sound,
  TALK_WINDOW_MS,
  TURNS_MAX,
} from "./model";
import { PEAK_HOLD_MS, reduce } from "./state";
import { talkShares } from "./traced";

const BADGE = "0011223344556677";

/** Lines one second after the other. */
function heard(...lines: string[]): MonitorState {
  return lines.reduce(
    (state, text, at) => reduce(state, { kind: "line", text }, (at + 1) * 1000),
    reduce(initialState(0), { kind: "plugged" }, 0),
  );
}

/** What a trace line changes, and what is expected of it. */
const CASES: { line: string; before?: string[]; expect: (state: MonitorState) => unknown; is: unknown }[] = [
  {
    line: `@ready ${BADGE} tls://relay.example:1`,
    expect: ({ who }) => who,
    is: { badge: BADGE, relay: "tls://relay.example:1", provisioned: true },
  },
  {
    line: "@unprovisioned",
    before: [`@ready ${BADGE} tcp://h:1`, "@conversation 1 5", "@up"],
    expect: ({ who, conversation, link }) => [who, conversation, link],
    is: [{ badge: undefined, relay: undefined, provisioned: false }, undefined, undefined],
  },
  {
    line: `@health ${BADGE} 65 12 65000 140 3 1 0 87`,
    expect: ({ who, health }) => [who.badge, health],
    is: [
      BADGE,
      {
        badge: BADGE,
        upS: 65,
        usedKb: 12,
        sizeKb: 65000,
        lateMs: 140,
        lostFrames: 3,
        online: true,
        storageFailed: false,
        batteryPercent: 87,
        atMs: 1000,
      },
    ],
  },
  { line: "@shows recording", expect: ({ shows }) => shows, is: "recording" },
  { line: "@onset 5", expect: ({ speaking }) => speaking, is: true },
  { line: "@speech 5 9", before: ["@onset 5"], expect: ({ speaking }) => speaking, is: false },
  { line: "@lost 5 9", expect: ({ problems, meter }) => [problems, meter], is: [[], undefined] },
  {
    line: "@turn 100 150 1 66",
    expect: ({ turns }) => turns,
    is: [{ atMs: 1000, durationMs: 1000, talker: 1 }],
  },
  {
    line: "@phrase 4 10 50 72 -1843",
    expect: ({ phrases }) => phrases,
    is: [{ atMs: 1000, number: 4 }],
  },
  {
    line: "@conversation 7 100",
    expect: ({ conversation }) => conversation,
    is: { epoch: 7, sinceMs: 1000, seenBegin: true, consent: "not yet known" },
  },
  {
    line: "@asking 7",
    before: ["@conversation 7 100"],
    expect: ({ conversation }) => conversation,
    is: { epoch: 7, sinceMs: 1000, seenBegin: true, consent: "asking" },
  },
  ...["announced", "by phrase", "by button"].map((consent, at) => ({
    line: `@consent 7 ${at + 1}`,
    before: ["@conversation 7 100"],
    expect: ({ conversation }: MonitorState) => conversation,
    is: { epoch: 7, sinceMs: 1000, seenBegin: true, consent },
  })),
  {
    line: "@denied 7",
    before: ["@conversation 7 100", "@asking 7"],
    expect: ({ conversation, last }) => [conversation, last],
    is: [
      undefined,
      { epoch: 7, sinceMs: 1000, seenBegin: true, consent: "refused", endedMs: 3000, reason: 0 },
    ],
  },
  {
    line: "@ended 7 1",
    before: ["@conversation 7 100", "@denied 7"],
    expect: ({ last }) => [last?.reason, last?.endedMs],
    is: [0, 2000],
  },
  {
    line: "@ended 7 2",
    before: ["@consent 7 1"],
    expect: ({ conversation, last }) => [conversation, last],
    is: [
      undefined,
      { epoch: 7, sinceMs: 1000, seenBegin: false, consent: "announced", endedMs: 2000, reason: 2 },
    ],
  },
  {
    line: "@chunk 7 1 2 50 2000",
    expect: ({ outbox }) => [outbox.sealed, outbox.waiting],
    is: [1, undefined],
  },
  {
    line: "@chunk 7 2 2 50 2000",
    before: ["@acked 7 1 3"],
    expect: ({ outbox }) => outbox.waiting,
    is: 4,
  },
  { line: "@stored 7 1", expect: ({ outbox }) => outbox.stored, is: 1 },
  {
    line: "@acked 7 2 0",
    before: ["@up", "@held"],
    expect: ({ outbox, link }) => [outbox.acked, outbox.waiting, link?.held],
    is: [{ epoch: 7, index: 2, atMs: 3000 }, 0, false],
  },
  { line: "@refused 7 1 1000", expect: ({ outbox }) => outbox.refused, is: 1 },
  { line: "@gaveup 2000 4", before: ["@gaveup 500 3"], expect: ({ outbox }) => outbox.lostMs, is: 2500 },
  { line: "@held", before: ["@up"], expect: ({ link }) => link?.held, is: true },
  {
    line: "@up",
    before: ["@down 500 ECONNREFUSED"],
    expect: ({ link }) => link,
    is: { up: true, sinceMs: 2000, retryMs: 0, why: "", held: false, rests: false, downs: 1 },
  },
  {
    line: "@rest 300000",
    before: ["@up"],
    expect: ({ link }) => link,
    is: { up: true, sinceMs: 2000, retryMs: 302000, why: "", held: false, rests: true, downs: 0 },
  },
  {
    line: "@down 4000 relay-not-proved: wrong key",
    before: ["@up", "@down 2000 ECONNRESET"],
    expect: ({ link }) => link,
    is: {
      up: false,
      sinceMs: 2000,
      retryMs: 7000,
      why: "relay-not-proved: wrong key",
      held: false,
      rests: false,
      downs: 2,
    },
  },
  { line: "@mark", expect: ({ marks }) => marks, is: 1 },
  { line: "@nudge 3 9", expect: ({ nudges }) => nudges, is: 1 },
  {
    line: "@configured 5 1",
    expect: ({ chatter }) => chatter.at(-1)?.text,
    is: "configured version=5 used=1",
  },
  { line: "@account 5 7", expect: ({ chatter }) => chatter, is: [] },
];

describe("monitor: what is known", () => {
  for (const { line, before = [], expect, is } of CASES)
    it(`monitor: after ${[...before, line].join(", ")}`, () => {
      assert.deepEqual(expect(heard(...[...before, line].map((text) => `> ${text}`))), is);
    });

  it("monitor: warnings and errors are kept apart from what the badge chats", () => {
    const { problems, chatter } = heard("* no flash chip answers", "! panic 60005", "> hello", "boot", "? x");
    assert.deepEqual(
      problems.map(({ severity, text }) => [severity, text]),
      [
        ["warning", "no flash chip answers"],
        ["error", "panic 60005"],
      ],
    );
    assert.deepEqual(
      chatter.map(({ text }) => text),
      ["hello", "boot", "x"],
    );
  });

  it("monitor: nothing that a badge says can steer the terminal", () => {
    const evil = "* \x1b]0;title\x07\x1b[2J\u202eback\u0085next";
    const { problems } = heard(evil, `* ${"x".repeat(1000)}`);
    assert.equal(problems[0].text, "?]0;title??[2J?back?next");
    assert.equal(problems[1].text.length <= 400, true);
    const { shows, link } = heard("> @shows \x1b[31mred", "> @down 500 \x1b[2Jwhy");
    assert.deepEqual([shows, link?.why], ["?[31mred", "?[2Jwhy"]);
  });

  for (const line of [
    "@turn 1 x 1 5",
    "@ready",
    "@health",
    "@acked 1 2",
    "@ready \x1b[2J tcp://h:1",
    "@up2",
    "@",
  ])
    it(`monitor: a damaged or unknown trace line changes nothing but the log (${JSON.stringify(line)})`, () => {
      const { chatter, ...rest } = heard(`> ${line}`);
      const { chatter: none, ...untouched } = heard();
      assert.deepEqual([rest, none.length, chatter.length], [untouched, 0, 1]);
    });

  it("monitor: unplugged, what goes on is unknown, what happened stays", () => {
    const lines = [`@ready ${BADGE} tcp://h:1`, "@up", "@conversation 1 5", "@onset 5", "@phrase 1 2 3 4 -5"];
    const before = heard(...lines.map((line) => `> ${line}`));
    const after = reduce(before, { kind: "gone", why: "unplugged" }, 9000);
    assert.deepEqual(after.cable, { plugged: false, sinceMs: 9000, why: "unplugged" });
    assert.deepEqual([after.link, after.conversation, after.speaking], [undefined, undefined, false]);
    assert.deepEqual([after.who.badge, after.phrases], [BADGE, before.phrases]);
    const again = reduce(after, { kind: "plugged" }, 10_000);
    assert.deepEqual(again.cable, { plugged: true, sinceMs: 10_000, why: "" });
  });

  it("monitor: a conversation goes on no more when the program starts anew", () => {
    const state = heard("> @conversation 1 5", "> @onset 5", `> @ready ${BADGE} tcp://h:1`);
    assert.deepEqual([state.conversation, state.speaking], [undefined, false]);
  });
});

describe("monitor: meter and talk", () => {
  const sound = (levelDb: number, more: Partial<Sound> = {}) => ({
    kind: "sound" as const,
    sound: { levelDb, clipped: false, muted: false, ...more },
  });

  it("meter: a peak is held for its time, a higher one takes its place, clipping is remembered", () => {
    let state = reduce(initialState(0), sound(-10, { clipped: true }), 0);
    state = reduce(state, sound(-40), PEAK_HOLD_MS - 1);
    assert.deepEqual([state.meter?.levelDb, state.meter?.peakDb, state.meter?.clippedMs], [-40, -10, 0]);
    state = reduce(state, sound(-50), PEAK_HOLD_MS);
    assert.equal(state.meter?.peakDb, -50);
    state = reduce(state, sound(-20), PEAK_HOLD_MS + 1);
    assert.equal(state.meter?.peakDb, -20);
  });

  it("talk: shares count the window alone", () => {
    const turn = (state: MonitorState, talker: number, frames: number, atMs: number) =>
      reduce(state, { kind: "line", text: `> @turn 0 ${frames} ${talker} 60` }, atMs);
    let state = turn(initialState(0), 1, 50, 0);
    state = turn(state, 2, 100, 1000);
    state = turn(state, 0, 10, 2000);
    assert.deepEqual(talkShares(state.turns, 2000), { nearMs: 1000, farMs: 2000, unsureMs: 200 });
    assert.deepEqual(talkShares(state.turns, TALK_WINDOW_MS + 500), {
      nearMs: 0,
      farMs: 2000,
      unsureMs: 200,
    });
  });

  it("monitor: it stays of one size (a million lines and sounds)", function () {
    this.timeout(120_000);
    const lines = CASES.map(({ line }) => `> ${line}`);
    lines.push("* a warning", "! an error", "chat", "> @turn 5 9 1 60", "> @down 500 why");
    let state = initialState(0);
    for (let at = 0; at < 1_000_000; at++) {
      state = reduce(state, { kind: "line", text: lines[at % lines.length] }, at);
      if (at % 10 === 0) state = reduce(state, sound(-(at % 90)), at);
    }
    assert.deepEqual(
      [state.turns.length, state.phrases.length, state.problems.length, state.chatter.length],
      [TURNS_MAX, PHRASES_KEPT, LINES_KEPT, LINES_KEPT],
    );
    assert.ok(JSON.stringify(state).length < 64 * 1024);
  });
});
