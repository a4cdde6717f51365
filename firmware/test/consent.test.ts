// Consent, account and coaching, from frames to chunks: what is held, released and destroyed, and that every ms is accounted for.
import assert from "node:assert/strict";
import {
  accountedMs,
  accountHash,
  ConsentMeans,
  type ConsentPolicy,
  EndReason,
  EventKind,
  firstAccountHash,
  NudgeCause,
  readAccountEvent,
} from "@salestag/protocol";
import { BADGE_ID, Bench, crypto, keptSeqs, makeFrame, type Opened } from "./support";

const QUIET = 10;
const LOUD = 90;
const VERBAL: Partial<ConsentPolicy> = { policy: "verbal", withinMs: 10000 };

const kinds = (opened: Opened[]) => opened.flatMap(({ events }) => events.map(({ kind }) => kind));

/** Plays syllables: a level that never changes would become the noise floor. */
function talk(bench: Bench, from: number, to: number): void {
  for (let seq = from; seq < to; seq += 20) {
    bench.play(seq, Math.min(seq + 12, to), LOUD);
    bench.play(Math.min(seq + 12, to), Math.min(seq + 20, to), QUIET);
  }
}

describe("consent", () => {
  it("check: a technician's seconds are kept in silence too, without asking, and say what they are", () => {
    const bench = new Bench({ consent: VERBAL });
    bench.recorder.checkFrames = 100;
    bench.play(0, 400, QUIET);
    const opened = bench.open();
    assert.deepEqual(
      keptSeqs(opened),
      Array.from({ length: 100 }, (_, seq) => seq),
    );
    const valuesOf = (wanted: EventKind) =>
      opened.flatMap(({ events }) =>
        events.filter(({ kind }) => kind === wanted).map(({ values }) => values),
      );
    assert.deepEqual(valuesOf(EventKind.Consent), [[ConsentMeans.Check]]);
    assert.deepEqual(valuesOf(EventKind.ConversationEnd), [[EndReason.Checked]]);
    assert.deepEqual(bench.traced("asking"), []);
    talk(bench, 400, 600);
    assert.deepEqual(bench.traced("asking"), [[1]], "what is said after it is asked for");
  });

  it("check: a badge that is to record nothing records no check either, nor later", () => {
    const bench = new Bench({ consent: { policy: "off" } });
    bench.recorder.checkFrames = 100;
    bench.play(0, 50, QUIET);
    bench.gate.policy = { ...bench.gate.policy, policy: "announce" };
    bench.play(50, 400, QUIET);
    assert.deepEqual(bench.open(), []);
  });

  it("verbal: chunks are held until somebody consents; from then on not, and the event says how", () => {
    const bench = new Bench({ consent: VERBAL });
    talk(bench, 0, 200);
    assert.ok(bench.shelf.chunks.length > 0);
    assert.ok(bench.shelf.chunks.every(({ held }) => held));
    assert.equal(bench.gate.button(true), true);
    bench.recorder.decided(true, ConsentMeans.Button);
    const before = bench.shelf.chunks.findIndex(({ held }) => !held);
    talk(bench, 200, 400);
    bench.play(400, 2100, QUIET);
    assert.ok(bench.shelf.chunks.slice(before).every(({ held }) => !held));
    const opened = bench.open();
    assert.ok(keptSeqs(opened)[0] <= 3);
    const consent = opened.flatMap(({ events }) => events).find(({ kind }) => kind === EventKind.Consent);
    assert.deepEqual(consent?.values, [ConsentMeans.Button]);
    assert.deepEqual(bench.traced("asking"), [[0]]);
  });

  for (const [what, refuse] of [
    [
      "the wearer says no",
      (bench: Bench) => bench.gate.button(false) && bench.recorder.decided(false, ConsentMeans.Button),
    ],
    ["nobody says anything in time", () => undefined],
  ] as const)
    it(`verbal: ${what}: all is dropped, and nothing more is taken until the conversation is over`, () => {
      const bench = new Bench({ consent: VERBAL });
      talk(bench, 0, 200);
      refuse(bench);
      talk(bench, 200, 800);
      assert.deepEqual(bench.shelf.refused, [0]);
      assert.deepEqual(bench.open(), []);
      assert.deepEqual(bench.traced("denied"), [[0]]);
      bench.play(800, 2500, QUIET);
      talk(bench, 2500, 2600);
      assert.deepEqual(bench.traced("asking"), [[0], [1]]);
    });

  it("verbal: a conversation that ends before anybody consents is dropped", () => {
    const bench = new Bench({ consent: { ...VERBAL, withinMs: 300000 } });
    talk(bench, 0, 100);
    bench.play(100, 1800, QUIET);
    assert.deepEqual(bench.shelf.refused, [0]);
    assert.deepEqual(bench.open(), []);
  });

  it("off, or paused: nothing is taken; paused amid a conversation ends it", () => {
    const off = new Bench({ consent: { policy: "off" } });
    talk(off, 0, 400);
    assert.equal(off.epochs, 0);
    const bench = new Bench();
    talk(bench, 0, 200);
    bench.recorder.pause(true);
    const last = keptSeqs(bench.open()).at(-1) as number;
    talk(bench, 200, 400);
    assert.ok(last < 200);
    assert.deepEqual(bench.open(), []);
    bench.recorder.pause(false);
    talk(bench, 400, 500);
    assert.ok(keptSeqs(bench.open()).every((seq) => seq >= 400));
  });

  it("a mark is an event of the conversation, outside of any it is nothing", () => {
    const bench = new Bench();
    assert.equal(bench.recorder.mark(), false);
    talk(bench, 0, 100);
    assert.equal(bench.recorder.mark(), true);
    bench.play(100, 1800, QUIET);
    assert.equal(kinds(bench.open()).filter((kind) => kind === EventKind.Mark).length, 1);
  });
});

describe("account", () => {
  /** Closes what is open and tells it. @returns the entries that were told, each with its hash checked */
  async function told(bench: Bench): Promise<Record<string, number>[]> {
    const entries = [];
    bench.recorder.tick();
    for (let round = 0; round < 4; round++) {
      await bench.account.close();
      bench.recorder.tell();
      for (const { epoch, index } of bench.shelf.chunks) bench.account.stored(epoch, index);
      for (const { events } of bench.open())
        for (const event of events) {
          if (event.kind !== EventKind.Account) continue;
          const { entry, hash } = readAccountEvent(event);
          chain = accountHash(crypto, chain, entry);
          assert.deepEqual(hash, chain);
          entries.push({ ...entry });
        }
    }
    return entries;
  }
  let chain: Buffer;
  beforeEach(() => {
    chain = firstAccountHash(crypto, BADGE_ID);
  });

  it("every ms since boot is somewhere: silence, a conversation, a pause, lost frames, a microphone that is gone", async () => {
    const bench = new Bench({ tuning: { conversationGapMs: 2000 } });
    bench.play(0, 100, QUIET);
    talk(bench, 100, 300);
    bench.play(310, 600, QUIET);
    bench.recorder.pause(true);
    bench.play(600, 700, QUIET);
    bench.recorder.pause(false);
    bench.play(700, 800, QUIET);
    bench.nowMs += 5000;
    const entries = await told(bench);
    const sum = (name: string) => entries.reduce((total, entry) => total + entry[name], 0);
    assert.equal(
      entries.reduce((total, entry) => total + accountedMs(entry as never), 0),
      bench.nowMs,
    );
    for (let i = 1; i < entries.length; i++)
      assert.equal(entries[i].startMs, entries[i - 1].startMs + accountedMs(entries[i - 1] as never));
    assert.equal(sum("unheardMs"), 200 + 5000);
    assert.ok(Math.abs(sum("pausedMs") - 2000) <= 600, `${sum("pausedMs")} ms paused`);
    assert.ok(sum("sentMs") >= 4000 && sum("sentMs") < 6000, `${sum("sentMs")} ms sent`);
  });

  it("what is refused is told as refused, what is muted as muted", async () => {
    const bench = new Bench({ consent: { ...VERBAL, withinMs: 3000 }, tuning: { conversationGapMs: 2000 } });
    talk(bench, 0, 400);
    bench.play(400, 600, QUIET);
    for (let seq = 600; seq < 700; seq++) {
      bench.nowMs = (seq + 1) * 20;
      const frame = makeFrame(seq, 0);
      frame[4] |= 1;
      bench.recorder.frame(frame);
    }
    bench.play(700, 800, QUIET);
    const entries = await told(bench);
    const sum = (name: string) => entries.reduce((total, entry) => total + entry[name], 0);
    assert.equal(sum("mutedMs"), 2000);
    assert.equal(sum("sentMs"), 0);
    assert.ok(sum("refusedMs") >= 7500, `${sum("refusedMs")} ms refused`);
  });

  it("an entry that did not get into a chunk comes again, the same", async () => {
    const bench = new Bench();
    bench.play(0, 500, QUIET);
    await bench.account.close();
    bench.recorder.tell();
    const first = bench
      .open()
      .flatMap(({ events }) => events.filter(({ kind }) => kind === EventKind.Account));
    bench.account.again();
    bench.recorder.tell();
    const second = bench
      .open()
      .flatMap(({ events }) => events.filter(({ kind }) => kind === EventKind.Account));
    assert.equal(first.length, 1);
    assert.deepEqual(second, first);
  });
});

describe("coaching", () => {
  it("a monologue nudges once, and talk time is told at the end", () => {
    const bench = new Bench({ tuning: { monologueMsMax: 5000, conversationGapMs: 3000 } });
    for (let round = 0; round < 6; round++) {
      // Loud turns of 3 s and soft ones of 1.5 s: two groups of levels.
      for (let seq = round * 400; seq < round * 400 + 400; seq++) {
        const at = seq - round * 400;
        const near = at < 150;
        const speaks = near || (at >= 220 && at < 300);
        bench.nowMs = (seq + 1) * 20;
        const frame = makeFrame(seq, speaks && seq % 20 < 13 ? LOUD : QUIET);
        frame[5] = near ? 40 : 80;
        bench.recorder.frame(frame);
      }
    }
    bench.play(2400, 2700, QUIET);
    const events = bench.open().flatMap(({ events }) => events);
    const talkTime = events.filter(({ kind }) => kind === EventKind.TalkTime).at(-1);
    assert.ok(talkTime !== undefined);
    const [, nearMs, farMs] = talkTime.values;
    assert.ok(nearMs > farMs, `${nearMs} near, ${farMs} far`);
    for (const cause of bench.nudges) assert.equal(cause, NudgeCause.Monologue);
  });
});
