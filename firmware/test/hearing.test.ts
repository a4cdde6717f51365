// What the badge hears: voice activity from bands and network, who is near, and key phrases, on frames made by hand.
import assert from "node:assert/strict";
import { EventKind, phraseSetting, Talker, TUNING_DEFAULT } from "@salestag/protocol";
import fc from "fast-check";
import { frameSeq, LOOK_AHEAD_FRAMES, OFFSET_SPEECH } from "../src/front-end-frame";
import { loadPhrases, Phrases } from "../src/phrases";
import { Talkers, type Turn } from "../src/talkers";
import { BANDS, BandEnergy, LookAhead, VoiceActivity } from "../src/vad";
import { Bench, makeFrame, withPosteriors } from "./support";

const { onsetScore, releaseScore } = TUNING_DEFAULT;

/** Energy and decision together, as the recorder has them, without look-ahead. */
class Ear {
  readonly energy = new BandEnergy();
  readonly vad = new VoiceActivity(onsetScore, releaseScore);

  hear(level: number, count: number, speechByte = 0): boolean {
    for (let i = 0; i < count; i++)
      this.vad.update(this.energy.update(Buffer.alloc(BANDS, level), 0), speechByte);
    return this.vad.speech;
  }
}

describe("voice activity: bands alone", () => {
  for (const level of [0, 45, 120])
    it(`a room that stays the same is no speech, whatever its level (${level} units)`, () => {
      assert.equal(new Ear().hear(level, 1500), false);
    });

  it("a voice 15 dB above the room is speech within 60 ms, its end within 600 ms", () => {
    const ear = new Ear();
    ear.hear(40, 500);
    assert.equal(ear.hear(80, 3), true);
    assert.equal(ear.hear(40, 30), false);
  });

  it("4 dB above the room are not enough", () => {
    const ear = new Ear();
    ear.hear(40, 500);
    assert.equal(ear.hear(50, 50), false);
  });

  it("a fan that starts is taken for speech at first and for the room within 10 s", () => {
    const ear = new Ear();
    ear.hear(40, 500);
    assert.equal(ear.hear(75, 10), true);
    assert.equal(ear.hear(75, 500), false);
  });

  it("the same frames give the same energies, whole numbers from 0 on (any frames)", () => {
    const any = fc.array(fc.uint8Array({ minLength: BANDS, maxLength: BANDS }), { maxLength: 60 });
    fc.assert(
      fc.property(any, (bands) => {
        const [a, b] = [new BandEnergy(), new BandEnergy()];
        for (const frame of bands) {
          const energy = a.update(Buffer.from(frame), 0);
          assert.equal(b.update(Buffer.concat([Buffer.alloc(8), frame]), 8), energy);
          assert.ok(Number.isInteger(energy) && energy >= 0 && energy < 1 << 14);
        }
      }),
    );
  });
});

describe("voice activity: with the network", () => {
  it("the network hears a quiet voice that the bands do not", () => {
    const ear = new Ear();
    ear.hear(40, 500, 60);
    assert.equal(ear.hear(44, 3, 190), true);
  });

  it("the network keeps a loud noise from being speech", () => {
    const ear = new Ear();
    ear.hear(40, 500, 60);
    assert.equal(ear.hear(62, 20, 60), false);
  });

  it("one frame of doubt does not end speech, half a second of it does", () => {
    const ear = new Ear();
    ear.hear(40, 500, 60);
    ear.hear(90, 20, 220);
    assert.equal(ear.hear(90, 1, 90), true);
    assert.equal(ear.hear(40, 25, 60), false);
  });

  it("a lower onset score hears more, a higher one less (any frames)", () => {
    const any = fc.array(fc.tuple(fc.nat(900), fc.nat(255)), { maxLength: 80 });
    fc.assert(
      fc.property(any, fc.integer({ min: 1, max: 60 }), (frames, by) => {
        const keen = new VoiceActivity(onsetScore - by, releaseScore - by);
        const calm = new VoiceActivity(onsetScore, releaseScore);
        for (const [energy, speechByte] of frames) {
          const calmSays = calm.update(energy, speechByte);
          assert.ok(keen.update(energy, speechByte) || !calmSays);
        }
      }),
    );
  });
});

describe("look-ahead", () => {
  const heard = (seq: number, speechByte: number): Buffer =>
    withPosteriors(makeFrame(seq, 0), speechByte, -1);

  it("each frame comes out once, in order, with the word of the frame 10 later, gaps or not (any losses)", () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { maxLength: 80 }), (arrives) => {
        const lookAhead = new LookAhead();
        const seqs = arrives.flatMap((does, seq) => (does ? [seq] : []));
        const out: Buffer[] = [];
        for (const seq of seqs) {
          lookAhead.push(heard(seq, 1 + (seq % 200)));
          for (let next = lookAhead.next(seq); next !== undefined; next = lookAhead.next(seq)) {
            assert.ok(frameSeq(next) <= seq - LOOK_AHEAD_FRAMES);
            out.push(next);
          }
        }
        out.push(...lookAhead.flush());
        assert.deepEqual(out.map(frameSeq), seqs);
        for (const frame of out) {
          const teller = frameSeq(frame) + LOOK_AHEAD_FRAMES;
          assert.equal(frame[OFFSET_SPEECH], seqs.includes(teller) ? 1 + (teller % 200) : 0);
        }
        assert.deepEqual(lookAhead.flush(), []);
      }),
    );
  });
});

describe("talkers", () => {
  /** A number is somebody's level; `undefined` is a pause; "lost" frames never come. */
  type Stretch = [frames: number, level: number | undefined | "lost"];

  function turnsOf(stretches: Stretch[]): Turn[] {
    const talkers = new Talkers();
    const turns: Turn[] = [];
    let seq = 0;
    for (const [frames, level] of stretches)
      for (let i = 0; i < frames; i++, seq++) {
        if (level === "lost") continue;
        // A voice is not steady: its level moves by 10 dB within a syllable.
        turns.push(...talkers.frame(seq, level !== undefined, (level ?? 120) + ((seq * 7) % 20)));
      }
    return [...turns, ...talkers.end()];
  }
  const talkersOf = (turns: Turn[]) => turns.map(({ talker }) => talker);
  const NEAR = 40;
  const FAR = 64;

  it("two people 12 dB apart: near and far, once both have been heard", () => {
    const dialogue = Array.from({ length: 6 }, (): Stretch[] => [
      [150, NEAR],
      [50, undefined],
      [150, FAR],
      [50, undefined],
    ]).flat();
    const turns = turnsOf(dialogue);
    assert.equal(turns.length, 12);
    assert.equal(turns[0].talker, Talker.Unsure, "nobody to compare the first one with");
    assert.deepEqual(
      talkersOf(turns.slice(2)),
      Array.from({ length: 10 }, (_, i) => (i % 2 === 0 ? Talker.Near : Talker.Far)),
    );
    turns.forEach(({ fromSeq, toSeq }, i) => {
      assert.deepEqual([fromSeq, toSeq], [i * 200, i * 200 + 150]);
    });
  });

  it("one person alone: unsure, never near or far", () => {
    const talk = Array.from({ length: 20 }, (_, i): Stretch[] => [
      [120, NEAR + (i % 3) * 2],
      [50, undefined],
    ]).flat();
    for (const turn of turnsOf(talk)) assert.equal(turn.talker, Talker.Unsure);
  });

  it("a change of talker without a pause splits the turn to within 2 s", () => {
    const warmUp: Stretch[] = [
      [150, NEAR],
      [60, undefined],
      [150, FAR],
      [60, undefined],
    ];
    const turns = turnsOf([...warmUp, [300, NEAR], [300, FAR], [60, undefined]]).slice(2);
    assert.deepEqual(
      talkersOf(turns).filter((talker) => talker !== Talker.Unsure),
      [Talker.Near, Talker.Far],
    );
    const change = turns.find(({ talker }) => talker === Talker.Far)!.fromSeq;
    assert.ok(Math.abs(change - 720) <= 100, `far from frame ${change}, not 720`);
  });

  it("both move away by 10 dB: still told apart a minute later", () => {
    const talk = (by: number) =>
      Array.from({ length: 12 }, (): Stretch[] => [
        [150, NEAR + by],
        [50, undefined],
        [150, FAR + by],
        [50, undefined],
      ]).flat();
    const last = turnsOf([...talk(0), ...talk(20), ...talk(20)]).slice(-4);
    assert.deepEqual(talkersOf(last), [Talker.Near, Talker.Far, Talker.Near, Talker.Far]);
  });

  it("a cough of 100 ms is no turn of its own class", () => {
    const turns = turnsOf([
      [150, NEAR],
      [60, undefined],
      [150, FAR],
      [60, undefined],
      [150, NEAR],
      [10, undefined],
      [5, 110],
      [60, undefined],
    ]);
    assert.equal(turns.at(-1)?.talker, Talker.Near);
  });

  it("a change of talker and then a second of lost frames: both turns are told", () => {
    const turns = turnsOf([
      [150, NEAR],
      [60, undefined],
      [150, FAR],
      [60, undefined],
      [150, NEAR],
      [10, undefined],
      [90, FAR],
      [50, "lost"],
      [60, undefined],
    ]).slice(2);
    assert.deepEqual(
      turns.map(({ fromSeq, toSeq, talker }) => [fromSeq, toSeq, talker]),
      [
        [420, 570, Talker.Near],
        [580, 670, Talker.Far],
      ],
    );
  });

  it("turns come in order, without overlap, and hold every frame of speech (any talk)", () => {
    const level = fc.oneof(fc.nat(235), fc.constantFrom(undefined, "lost" as const));
    const any = fc.array(fc.tuple(fc.nat(250), level), { maxLength: 25 });
    fc.assert(
      fc.property(any, (stretches) => {
        const turns = turnsOf(stretches);
        let before = 0;
        for (const { fromSeq, toSeq, level } of turns) {
          assert.ok(fromSeq >= before && toSeq > fromSeq && level >= 0 && level <= 255);
          before = toSeq;
        }
        let seq = 0;
        for (const [frames, level] of stretches)
          for (let i = 0; i < frames; i++, seq++)
            if (typeof level === "number")
              assert.ok(
                turns.some((t) => t.fromSeq <= seq && seq < t.toSeq),
                `${seq}`,
              );
      }),
    );
  });
});

describe("key phrases on the badge", () => {
  const phrase = { text: "sign here", threshold: -2000, pronunciations: ["]EXZ"] };

  /** Frames 0 to 199, speech from 60 to 159, the phrase planted from hop 100 on, 6 hops a phone. */
  function play(bench: Bench): void {
    bench.play(0, 60, 10);
    for (let seq = 60; seq < 260; seq++) {
      bench.nowMs = (seq + 1) * 20;
      const hop = seq - LOOK_AHEAD_FRAMES;
      const isSpeech = hop >= 60 && hop < 160;
      const place = Math.floor((hop - 100) / 6);
      const character = place >= 0 && place < 4 ? phrase.pronunciations[0].charCodeAt(place) - 64 : -1;
      const level = seq < 160 ? 90 : 10;
      bench.recorder.frame(withPosteriors(makeFrame(seq, level), isSpeech ? 220 : 30, character));
    }
  }

  it("a phrase becomes an event with its text, its times and its score", () => {
    const bench = new Bench({ tuning: { conversationGapMs: 1000 }, phrases: [phrase] });
    play(bench);
    const events = bench.open().flatMap((opened) => opened.events);
    const [event, ...more] = events.filter(({ kind }) => kind === EventKind.KeyPhrase);
    assert.deepEqual(more, []);
    assert.equal(event.text, "sign here");
    assert.equal(event.atMs, 2000);
    assert.deepEqual(event.values.slice(2), [-2000]);
    // The score is the last phone's mean: it may be highest before the phone is over.
    assert.ok(event.values[0] > 360 && event.values[0] <= 480, `${event.values[0]} ms`);
    assert.ok(event.values[1] > -2000);
  });

  it("the event is made within 600 ms of the phrase's end", () => {
    const bench = new Bench({ phrases: [phrase] });
    play(bench);
    const [[, , toSeq, atSeq]] = bench.traced("phrase");
    assert.ok((atSeq + 1 - toSeq) * 20 <= 600, `${(atSeq + 1 - toSeq) * 20} ms`);
  });

  it("the log names no phrase", () => {
    const bench = new Bench({ phrases: [phrase] });
    play(bench);
    assert.ok(bench.lines.some((line) => line.startsWith("@phrase ")));
    assert.ok(!bench.lines.join("\n").includes("sign"));
  });

  it("without phrases nothing is heard", () => {
    const bench = new Bench();
    play(bench);
    assert.deepEqual(bench.traced("phrase"), []);
  });

  it("without speech the decoder rests: the same posteriors in silence are no phrase", () => {
    const phrases = new Phrases([phrase]);
    for (let seq = 0; seq < 200; seq++) {
      const place = Math.floor((seq - 100) / 6);
      const character = place >= 0 && place < 4 ? phrase.pronunciations[0].charCodeAt(place) - 64 : -1;
      assert.equal(phrases.frame(withPosteriors(makeFrame(seq, 10), 30, character), seq), undefined);
    }
  });
});

describe("phrase settings on the badge", () => {
  const good = phraseSetting({ text: "one", threshold: -2000, pronunciations: ["ABC"] });
  const load = async (settings: Record<string, unknown>) => {
    const sentences: string[] = [];
    const phrases = await loadPhrases(
      async (key) => settings[key],
      (sentence) => sentences.push(sentence),
    );
    return { texts: phrases.map(({ text }) => text), sentences };
  };

  it("none: no phrases, nothing said", async () => {
    assert.deepEqual(await load({}), { texts: [], sentences: [] });
  });

  it("the first missing number ends the list", async () => {
    assert.deepEqual(await load({ phrase0: good, phrase2: good }), { texts: ["one"], sentences: [] });
  });

  it("one that cannot be read is left out and named, the others stay", async () => {
    const { texts, sentences } = await load({ phrase0: good, phrase1: ["two", 5, "ABC"], phrase2: good });
    assert.deepEqual(texts, ["one", "one"]);
    assert.equal(sentences.length, 1);
    assert.match(sentences[0], /^phrase1 is left out: .*threshold/);
  });

  it("400 phones in all and not one more", async () => {
    const long = (text: string, phones: number) => [text, -2000, "A".repeat(phones)];
    const ten = Object.fromEntries(Array.from({ length: 10 }, (_, i) => [`phrase${i}`, long(`${i}`, 40)]));
    assert.equal((await load(ten)).texts.length, 10);
    const { texts, sentences } = await load({ ...ten, phrase10: long("10", 3) });
    assert.equal(texts.length, 10);
    assert.match(sentences[0], /more than 400 phones/);
  });

  it("32 phrases at most are read", async () => {
    const many = Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`phrase${i}`, good]));
    assert.equal((await load(many)).texts.length, 32);
  });
});
