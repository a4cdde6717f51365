import assert from "node:assert/strict";
import fc from "fast-check";
import { clean } from "./clean";
import { type RawText, TranscriptionError } from "./transcriber";

const raw = (text: string, startMs: number, endMs: number): RawText => ({ text, startMs, endMs });
/** Words of 200 ms, one every 250 ms. */
const evenly = (text: string) => text.split(" ").map((word, i) => raw(word, i * 250, i * 250 + 200));
const textOf = (texts: RawText[], durationMs = 60_000) =>
  clean(texts, durationMs)
    .words.map(({ text }) => text)
    .join(" ");

describe("transcribe: cleaning", () => {
  const ms = fc.oneof(
    fc.integer({ min: -3000, max: 40_000 }),
    fc.double(),
    fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, 1e300),
  );
  const text = fc.oneof(
    fc.string(),
    fc.constantFrom("yes", "no", "[music]", "(", "♪", "*", "two words", "\ud800", "\0"),
  );

  it("cleaning: whatever comes, words are in order, inside the audio, and clean; or it is refused (generated)", () => {
    fc.assert(
      fc.property(fc.array(fc.record({ text, startMs: ms, endMs: ms }), { maxLength: 80 }), (texts) => {
        let cleaned: ReturnType<typeof clean>;
        try {
          cleaned = clean(texts, 30_000);
        } catch (cause) {
          assert.ok(cause instanceof TranscriptionError, String(cause));
          return;
        }
        let lastMs = 0;
        for (const word of cleaned.words) {
          assert.ok(
            word.startMs >= lastMs && word.endMs >= word.startMs && word.endMs <= 30_000,
            JSON.stringify(word),
          );
          assert.ok(Number.isInteger(word.startMs) && Number.isInteger(word.endMs), JSON.stringify(word));
          assert.match(word.text, /^[^\s\p{Cc}\p{Cs}]+$/u);
          lastMs = word.endMs;
        }
        assert.ok(cleaned.spreadWords <= cleaned.words.length);
      }),
    );
  });

  it("cleaning: sound words come through as they are (ten words)", () => {
    const words = evenly("we are happy with what we have, thank you very");
    assert.deepEqual(clean(words, 60_000), { words, spreadWords: 0, notes: [] });
  });

  it("cleaning: a stretch of text is spread over its time by length, and counted (a segment)", () => {
    const { words, spreadWords } = clean([raw(" Not now, maybe ", 1000, 2000)], 60_000);
    assert.deepEqual(words, [
      { text: "Not", startMs: 1000, endMs: 1250 },
      { text: "now,", startMs: 1250, endMs: 1583 },
      { text: "maybe", startMs: 1583, endMs: 2000 },
    ]);
    assert.equal(spreadWords, 3);
  });

  it("cleaning: words out of order keep their place in the text, and only they get other times (one of five)", () => {
    const words = evenly("one two three four five");
    words[2] = raw("three", 20_000, 20_200);
    const { words: found, notes, spreadWords } = clean(words, 60_000);
    assert.deepEqual(
      found.map(({ text, startMs }) => [text, startMs]),
      [
        ["one", 0],
        ["two", 250],
        ["three", 450],
        ["four", 750],
        ["five", 1000],
      ],
    );
    assert.equal(spreadWords, 1);
    assert.match(notes.join(), /times were out of order.*: 1$/);
  });

  it("cleaning: a loop stays once and is noted, real repetition stays (one word, three words)", () => {
    const loop = Array.from({ length: 20 }, () => "thanks for watching.").join(" ");
    const { words, notes } = clean(evenly(`We will see. ${loop} Bye.`), 60_000);
    assert.equal(words.map((word) => word.text).join(" "), "We will see. thanks for watching. Bye.");
    assert.match(notes.join(), /that repeat .*: 57$/);
    assert.equal(textOf(evenly(new Array(40).fill("you").join(" "))), "you");
    assert.equal(
      textOf(evenly("no no no no no it is, it is, it is fine")),
      "no no no no no it is, it is, it is fine",
    );
  });

  it("cleaning: sounds in brackets are left out, other brackets stay (Whisper's forms)", () => {
    assert.equal(
      textOf(evenly("[BLANK_AUDIO] Hi (laughs) there [MUSIC PLAYING]. ♪ ♪ *knock knock* bye")),
      "Hi there bye",
    );
    assert.equal(
      textOf(evenly("a ( that never ends and goes on for long")),
      "a ( that never ends and goes on for long",
    );
  });

  it("cleaning: words after the end are left out; when most are, the answer is refused (ms for seconds)", () => {
    const { words, notes } = clean([...evenly("a b c"), raw("ghost", 5000, 5200)], 1000);
    assert.equal(words.length, 3);
    assert.match(notes.join(), /after the end of the audio/);
    const wrong = evenly("a b c d").map(({ text, startMs, endMs }) =>
      raw(text, startMs * 1000, endMs * 1000),
    );
    assert.throws(
      () => clean(wrong, 1000),
      /placed 3 of 4 words after the end of an audio of 1000 ms: are its times in seconds/,
    );
  });

  it("cleaning: more words than anybody speaks are refused (200 words in a second)", () => {
    const many = Array.from({ length: 200 }, (_, i) => raw(`w${i}`, i * 5, i * 5 + 5));
    assert.throws(() => clean(many, 1000), /200 words in 1000 ms, more than anybody can speak/);
  });
});
