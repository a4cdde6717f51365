// The phrase decoder, whose states are packed into two integers, against the vectors' reference, which keeps every path whole.
import assert from "node:assert/strict";
import fc from "fast-check";
import { decode, type Setting } from "../../vectors/phrase-vectors";
import { PHONE_CLASSES, phoneCharacter } from "./phones";
import { PhraseDecoder, PronunciationPaths } from "./phrase-decoder";
import { readPhrase } from "./phrases";

/** Scores and hits of the code under test, in the reference's form. */
function heard(settings: Setting[], vectors: number[][], firstTick: number) {
  const phrases = settings.map(readPhrase);
  const decoder = new PhraseDecoder(phrases);
  const paths = new PronunciationPaths([phrases[0].pronunciations[0]]);
  const scores: number[] = [];
  const hits: [string, number, number, number][] = [];
  vectors.forEach((vector, t) => {
    const tick = firstTick + t;
    scores.push(paths.step(0, Buffer.from(vector), 0, tick) ? paths.score(0) : 1);
    const hit = decoder.tick(Buffer.from(vector), 0, tick);
    if (hit !== undefined) hits.push([phrases[hit.phrase].text, hit.startTick, hit.endTick, hit.score]);
  });
  return { scores, hits };
}

const phones = fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 3, maxLength: 8 });
const pronunciation = phones.map((classes) => classes.map(phoneCharacter).join(""));
const settings = fc
  .array(
    fc.tuple(fc.integer({ min: -6144, max: 0 }), fc.array(pronunciation, { minLength: 1, maxLength: 3 })),
    {
      minLength: 1,
      maxLength: 3,
    },
  )
  .map((list) => list.map(([threshold, all], i): Setting => [`phrase ${i}`, threshold, ...all]));
/** Talk: a few phones, each held from one tick to beyond the longest stay, more or less clear amid others. */
const talk = fc.array(
  fc.record({
    phone: fc.integer({ min: 1, max: 6 }),
    ticks: fc.integer({ min: 1, max: 14 }),
    clear: fc.nat(16),
    others: fc.integer({ min: 14, max: 31 }),
  }),
  { minLength: 1, maxLength: 30 },
);

describe("phrase decoder", () => {
  it("scores and hits are the reference's (any phrases, any talk)", () => {
    fc.assert(
      fc.property(settings, talk, fc.nat(100000), (phrases, stretches, firstTick) => {
        const vectors = stretches.flatMap(({ phone, ticks, clear, others }) =>
          Array.from({ length: ticks }, () =>
            Array.from({ length: PHONE_CLASSES }, (_, c) => (c === phone ? clear : others)),
          ),
        );
        assert.deepEqual(heard(phrases, vectors, firstTick), decode(phrases, vectors, firstTick));
      }),
      { numRuns: 400 },
    );
  });

  it("the longest path has room in its integers (40 phones of 9 ticks, posteriors 0 and 25)", () => {
    const text = Array.from({ length: 40 }, (_, i) => phoneCharacter(1 + (i % 39))).join("");
    for (const posterior of [0, 25]) {
      const vectors = Array.from({ length: 40 * 9 + 5 }, (_, tick) =>
        Array.from({ length: PHONE_CLASSES }, (__, c) =>
          c === 1 + (Math.floor(tick / 9) % 39) && tick < 360 ? posterior : 31,
        ),
      );
      const phrase: Setting = ["long", -6144, text];
      const expected = decode([phrase], vectors, 0);
      assert.deepEqual(heard([phrase], vectors, 0), expected);
      assert.ok(expected.hits.length > 0 || posterior > 8, "a clear path is a hit");
    }
  });

  it("after reset nothing of what came before counts", () => {
    const phrase: Setting = ["x", -3000, "ABC"];
    const decoder = new PhraseDecoder([readPhrase(phrase)]);
    const clear = (phone: number) =>
      Buffer.from(Array.from({ length: PHONE_CLASSES }, (_, c) => (c === phone ? 2 : 31)));
    const play = (from: number, list: number[]) =>
      list.map((phone, t) => decoder.tick(clear(phone), 0, from + t)).filter((hit) => hit !== undefined);
    play(0, [1, 1, 2, 2]);
    decoder.reset();
    assert.deepEqual(play(4, [3, 3, 0, 0, 0, 0, 0]), []);
    const [hit, ...more] = play(0, [1, 1, 2, 2, 3, 3, 0, 0, 0, 0]);
    assert.deepEqual([hit?.startTick, more], [0, []]);
  });
});
