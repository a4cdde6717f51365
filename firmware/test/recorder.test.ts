import assert from "node:assert/strict";
import { ChunkKind, EndReason, EventKind, GapCause, LossCause, TUNING_DEFAULT } from "@salestag/protocol";
import fc from "fast-check";
import { Bench, keptSeqs, makeFrame, type Opened, range } from "./support";

const QUIET = 10;
const LOUD = 90;
const { preRollFrames, hangoverFrames } = TUNING_DEFAULT;

const eventsOf = (opened: Opened[]) => opened.flatMap(({ events }) => events);
const oneSpeech = (bench: Bench) => {
  const [speech, ...more] = bench.traced("speech");
  assert.deepEqual(more, []);
  return speech;
};

describe("recorder", () => {
  it("speech: keeps pre-roll, speech and hangover, each frame once and in order", () => {
    const bench = new Bench();
    bench.play(0, 200, QUIET);
    bench.play(200, 260, LOUD);
    bench.play(260, 400, QUIET);
    const [from, to] = oneSpeech(bench);
    assert.ok(from >= 200 && from <= 203, `onset at frame ${from}`);
    assert.ok(to >= 260 && to < 300, `speech ends at frame ${to}`);
    assert.deepEqual(keptSeqs(bench.open()), range(from - preRollFrames, to + hangoverFrames));
  });

  it("speech: a pre-roll of at least 300 ms is kept before the first loud frame", () => {
    const bench = new Bench();
    bench.play(0, 200, QUIET);
    bench.play(200, 300, LOUD);
    assert.ok(keptSeqs(bench.open())[0] <= 200 - 15);
  });

  it("speech: a badge that starts amid speech keeps it from the first frame on", () => {
    const bench = new Bench();
    bench.play(0, 150, LOUD);
    assert.equal(keptSeqs(bench.open())[0], 0);
  });

  it("silence: no conversation begins and nothing is sealed", () => {
    const bench = new Bench();
    bench.play(0, 3000, QUIET);
    assert.deepEqual(bench.open(), []);
    assert.equal(bench.epochs, 0);
  });

  it("pause: chunks span 2 s at most, a short pause is a gap inside a chunk", () => {
    const bench = new Bench();
    bench.play(0, 100, QUIET);
    bench.play(100, 105, LOUD);
    bench.play(105, 165, QUIET);
    bench.play(165, 200, LOUD);
    bench.play(200, 500, QUIET);
    const opened = bench.open();
    for (const { header } of opened.filter(({ header }) => header.kind === ChunkKind.Audio))
      assert.ok(header.durationMs > 0 && header.durationMs <= 2000, `${header.durationMs} ms`);
    const gaps = opened.flatMap(({ items }) => items.filter((item) => item.type === "gap"));
    assert.ok(gaps.length > 0);
    for (const gap of gaps) assert.equal(gap.type === "gap" && gap.cause, GapCause.Silence);
    keptSeqs(opened);
  });

  it("loss: frames that never came are a lost gap in their place, an event, and counted", () => {
    const bench = new Bench();
    bench.play(0, 100, QUIET);
    bench.play(100, 120, LOUD);
    bench.play(125, 160, LOUD);
    bench.play(160, 300, QUIET);
    const opened = bench.open();
    const seqs = keptSeqs(opened);
    assert.ok(!seqs.includes(120) && seqs.includes(119) && seqs.includes(125));
    const lost = opened.flatMap(({ items }) =>
      items.filter((i) => i.type === "gap" && i.cause === GapCause.Lost),
    );
    assert.deepEqual(
      lost.map((gap) => gap.type === "gap" && gap.frames),
      [5],
    );
    const losses = eventsOf([...opened, ...endOf(bench, 300)]).filter(({ kind }) => kind === EventKind.Loss);
    assert.deepEqual(losses, [{ kind: EventKind.Loss, atMs: 2400, values: [100, LossCause.Bus] }]);
    assert.equal(bench.recorder.lostFrames, 5);
    assert.deepEqual(bench.traced("lost"), [[120, 125]]);
  });

  it("loss: a frame that comes twice, and one of an unknown layout, are dropped", () => {
    const bench = new Bench();
    bench.play(0, 100, QUIET);
    bench.play(100, 120, LOUD);
    bench.recorder.frame(makeFrame(119, LOUD));
    bench.recorder.frame(makeFrame(104, LOUD));
    const other = makeFrame(120, LOUD);
    other[4] = 0x20;
    bench.recorder.frame(other);
    bench.recorder.frame(makeFrame(120, LOUD).subarray(0, 40));
    bench.recorder.frame(Buffer.alloc(0));
    bench.play(120, 160, LOUD);
    bench.play(160, 300, QUIET);
    const seqs = keptSeqs(bench.open());
    assert.deepEqual(seqs, range(seqs[0], seqs[0] + seqs.length));
    assert.equal(bench.recorder.lostFrames, 0);
  });

  it("conversation: ends after the provisioned silence, with its events; the next one has a new epoch", () => {
    const bench = new Bench({ tuning: { conversationGapMs: 5000 } });
    bench.clock.told(1750000000000, 0);
    bench.recorder.clockSet();
    bench.play(0, 100, QUIET);
    bench.play(100, 150, LOUD);
    bench.play(150, 600, QUIET);
    const opened = bench.open();
    const events = eventsOf(opened);
    const [from, to] = oneSpeech(bench);
    assert.deepEqual(
      events.map(({ kind }) => kind),
      [
        EventKind.ConversationStart,
        EventKind.Boot,
        EventKind.Consent,
        EventKind.Speech,
        EventKind.Turn,
        EventKind.Clock,
        EventKind.ConversationEnd,
      ],
    );
    const of = (kind: EventKind) => events.find((event) => event.kind === kind)!;
    assert.equal(of(EventKind.ConversationStart).atMs, (from - preRollFrames) * 20);
    assert.deepEqual(of(EventKind.Speech), {
      kind: EventKind.Speech,
      atMs: from * 20,
      values: [(to - from) * 20],
    });
    const clock = of(EventKind.Clock);
    assert.equal(clock.values[0] - clock.atMs, 1750000000000);
    assert.deepEqual(of(EventKind.ConversationEnd).values, [EndReason.Silence]);
    assert.equal(of(EventKind.ConversationEnd).atMs, (to - 1) * 20 + 5000);
    assert.deepEqual(
      opened.map(({ header }) => header.index),
      range(0, opened.length),
    );
    bench.play(600, 700, LOUD);
    assert.deepEqual(
      bench.traced("conversation").map(([epoch]) => epoch),
      [0, 1],
    );
  });

  it("conversation: the longest time ends it and speech goes on in the next one without a hole", () => {
    const bench = new Bench({ tuning: { conversationMsMax: 10000, hangoverFrames: 5 } });
    bench.play(0, 100, QUIET);
    const opened: Opened[] = [];
    for (let seq = 100; seq < 1500; seq += 50) {
      bench.play(seq, seq + 25, LOUD);
      bench.play(seq + 25, seq + 50, QUIET + 40);
      opened.push(...bench.open());
    }
    assert.ok(bench.epochs >= 2);
    const ends = eventsOf(opened).filter(({ kind }) => kind === EventKind.ConversationEnd);
    for (const end of ends) assert.deepEqual(end.values, [EndReason.TooLong]);
    const seqs = keptSeqs(opened);
    assert.deepEqual(
      [...seqs].sort((a, b) => a - b),
      seqs,
    );
    assert.equal(new Set(seqs).size, seqs.length);
  });

  it("conversation: waits for an epoch that is not ready, and the pre-roll bridges the wait", () => {
    const bench = new Bench();
    bench.epochReady = false;
    bench.play(0, 100, QUIET);
    bench.play(100, 110, LOUD);
    bench.epochReady = true;
    bench.play(110, 150, LOUD);
    bench.play(150, 300, QUIET);
    const seqs = keptSeqs(bench.open());
    assert.ok(seqs[0] <= 100);
    assert.deepEqual(seqs, range(seqs[0], seqs[0] + seqs.length));
  });

  it("microphone: no frames for 2 s end the conversation", () => {
    const bench = new Bench();
    bench.play(0, 100, QUIET);
    bench.play(100, 150, LOUD);
    bench.nowMs += 1999;
    bench.recorder.tick();
    assert.deepEqual(bench.traced("ended"), []);
    bench.nowMs += 1;
    bench.recorder.tick();
    assert.deepEqual(bench.traced("ended"), [[0, EndReason.MicrophoneLost]]);
    assert.equal(keptSeqs(bench.open()).at(-1), 149);
  });

  it("microphone: a front end that starts again in its first seconds is followed at once", () => {
    const bench = new Bench();
    bench.play(0, 100, QUIET);
    const before = bench.nowMs;
    for (let seq = 0; seq < 90; seq++) {
      bench.nowMs = before + (seq + 1) * 20;
      bench.recorder.frame(makeFrame(seq, LOUD));
    }
    assert.equal(bench.recorder.lostFrames, 0);
    assert.deepEqual(bench.traced("conversation"), [[0, 0]]);
  });

  it("microphone: a front end that starts again while no epoch is ready: nothing of before is dated by its new frames", () => {
    const bench = new Bench({ tuning: { conversationGapMs: 2000 } });
    bench.epochReady = false;
    bench.play(0, 1000, QUIET);
    bench.play(1000, 1050, LOUD);
    const before = bench.nowMs;
    for (let seq = 0; seq < 300; seq++) {
      bench.epochReady = seq > 0;
      bench.nowMs = before + (seq + 1) * 20;
      bench.recorder.frame(makeFrame(seq, seq < 100 ? LOUD : QUIET));
    }
    const events = eventsOf(bench.open());
    for (const { kind, values } of events)
      if (kind === EventKind.Speech || kind === EventKind.Turn) assert.ok(values[0] > 0 && values[0] <= 3000);
    assert.equal(events.filter(({ kind }) => kind === EventKind.Turn).length, 1);
    assert.deepEqual(
      bench.traced("speech").map(([from, to]) => to > from),
      [true, true],
    );
  });

  it("microphone: a front end that starts again ends the conversation and is followed from its new start", () => {
    const bench = new Bench();
    bench.play(0, 1000, QUIET);
    bench.play(1000, 1050, LOUD);
    const before = bench.nowMs;
    for (let seq = 0; seq < 100; seq++) {
      bench.nowMs = before + (seq + 1) * 20;
      bench.recorder.frame(makeFrame(seq, LOUD));
    }
    assert.equal(bench.recorder.lostFrames, 0);
    assert.deepEqual(bench.traced("ended"), [[0, EndReason.MicrophoneLost]]);
    assert.equal(bench.epochs, 2);
  });

  it("outbox full: what does not fit becomes a loss event, and index numbers have no hole", () => {
    const bench = new Bench({ tuning: { conversationGapMs: 5000 }, shelfBytes: 12800 });
    bench.play(0, 100, QUIET);
    // Syllables: a level that never changes would become the noise floor.
    for (let seq = 100; seq < 1100; seq += 20) {
      bench.play(seq, seq + 12, LOUD);
      bench.play(seq + 12, seq + 20, QUIET);
    }
    const first = bench.open();
    const refused = bench.traced("refused");
    assert.ok(refused.length > 0);
    const opened = [...first, ...endOf(bench, 1100)];
    assert.deepEqual(
      opened.map(({ header }) => header.index),
      range(0, opened.length),
    );
    const losses = eventsOf(opened).filter(({ kind }) => kind === EventKind.Loss);
    assert.equal(losses.length, refused.length);
    for (const loss of losses) assert.equal(loss.values[1], LossCause.OutboxFull);
    const keptMs = keptSeqs(opened).length * 20;
    const lostMs = losses.reduce((sum, { values }) => sum + values[0], 0);
    const start = eventsOf(opened).find(({ kind }) => kind === EventKind.ConversationStart)!.atMs;
    const [, to] = bench.traced("speech").at(-1)!;
    assert.equal(keptMs + lostMs, (to + hangoverFrames) * 20 - start);
  });

  it("any mix of speech, silence and loss: all speech that came is kept once, in order, in its place", () => {
    const stretch = fc.record({
      frames: fc.integer({ min: 1, max: 150 }),
      level: fc.constantFrom(QUIET, QUIET, 45, LOUD),
      lost: fc.constantFrom(0, 0, 0, 1, 3, 40),
    });
    fc.assert(
      fc.property(fc.array(stretch, { minLength: 1, maxLength: 20 }), (stretches) => {
        const bench = new Bench({ tuning: { conversationGapMs: 4000 } });
        const opened: Opened[] = [];
        const came = new Set<number>();
        let seq = 0;
        for (const { frames, level, lost } of [...stretches, { frames: 300, level: QUIET, lost: 0 }]) {
          for (let i = 0; i < frames; i++, seq++) {
            bench.play(seq, seq + 1, level);
            came.add(seq);
            opened.push(...bench.open());
          }
          seq += lost;
        }
        const kept = keptSeqs(opened);
        for (let i = 1; i < kept.length; i++) assert.ok(kept[i] > kept[i - 1], `${kept[i - 1]}, ${kept[i]}`);
        const keptSet = new Set(kept);
        for (const [from, to] of bench.traced("speech"))
          for (let s = from; s < to; s++) if (came.has(s)) assert.ok(keptSet.has(s), `frame ${s} is missing`);
        for (const { header, items } of opened) {
          if (header.kind !== ChunkKind.Audio) continue;
          const packets = items.filter((item) => item.type === "packet").length;
          assert.equal(packets, header.count);
          assert.ok(header.durationMs <= 2000 && header.durationMs >= packets * 20);
        }
      }),
      { numRuns: 60 },
    );
  });
});

/** Plays silence until the conversation has ended. @returns what was sealed meanwhile */
function endOf(bench: Bench, fromSeq: number): Opened[] {
  const opened: Opened[] = [];
  const ended = bench.traced("ended").length;
  for (let seq = fromSeq; seq < fromSeq + 3000; seq++) {
    bench.play(seq, seq + 1, QUIET);
    opened.push(...bench.open());
    if (bench.traced("ended").length > ended) return opened;
  }
  throw new Error("the conversation did not end within a minute");
}
