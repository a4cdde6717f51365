import assert from "node:assert/strict";
import { SPEAKERS, type Speaker } from "../model/transcript";
import { transcriptOf } from "./align";
import { type BadgePhrase, badgeTranscript } from "./badge";
import type { HeardWord } from "./transcriber";
import type { BadgeTurn } from "./turns";

const turn = (startMs: number, endMs: number, talker: BadgeTurn["talker"], levelDbfs = -30): BadgeTurn => ({
  startMs,
  endMs,
  talker,
  levelDbfs,
});
/** Words of 300 ms, one after the other; a number is a pause in ms. */
function words(...parts: (string | number)[]): HeardWord[] {
  let atMs = 0;
  return parts.flatMap((part) => {
    if (typeof part === "number") {
      atMs += part;
      return [];
    }
    return part.split(" ").map((text) => {
      atMs += 300;
      return { text, startMs: atMs - 300, endMs: atMs };
    });
  });
}
function made(heard: HeardWord[], turns: BadgeTurn[]): [Speaker, string][] {
  const transcript = transcriptOf(
    { words: heard, language: "en", spreadWords: 0, notes: [] },
    turns,
    "openai/whisper-1",
    60_000,
  );
  for (const { words: inTurn, text, startMs, endMs } of transcript.turns) {
    assert.equal(text, inTurn.map((word) => word.text).join(" "));
    assert.deepEqual([startMs, endMs], [inTurn[0].startMs, inTurn.at(-1)?.endMs]);
  }
  assert.deepEqual(
    transcript.turns.flatMap((each) => each.words),
    heard,
  );
  return transcript.turns.map(({ speaker, text }) => [speaker, text]);
}

describe("transcribe: who said it", () => {
  it("who said it: each word belongs to the turn that shares most time with it (near, far, unsure)", () => {
    const turns = [turn(1900, 3000, "unsure"), turn(0, 950, "near"), turn(950, 1800, "far")];
    assert.deepEqual(made(words("do you need it or not now please go"), turns), [
      ["rep", "do you need"],
      ["other", "it or not"],
      ["unsure", "now please go"],
    ]);
    assert.deepEqual(SPEAKERS, ["rep", "other", "unsure"]);
  });

  it("who said it: a word beside all turns goes to one within half a second, else to nobody (before, behind, far off)", () => {
    const turns = [turn(600, 1000, "far")];
    assert.deepEqual(made(words(100, "near", 1200, "behind"), turns), [
      ["other", "near"],
      ["unsure", "behind"],
    ]);
  });

  it("who said it: a single doubtful word amid another's speech is theirs, a clear answer is not (flicker, yes)", () => {
    const flicker = [turn(0, 900, "near"), turn(900, 1100, "far"), turn(1100, 2000, "near")];
    assert.deepEqual(made(words("so this is how it is"), flicker), [["rep", "so this is how it is"]]);
    const answered = [turn(0, 900, "near"), turn(900, 1200, "far"), turn(1200, 2000, "near")];
    assert.deepEqual(made(words("so you agree yes very good"), answered), [
      ["rep", "so you agree"],
      ["other", "yes"],
      ["rep", "very good"],
    ]);
  });

  it("who said it: a pause of 1.5 s ends a turn, a shorter one does not (1499, 1500 ms)", () => {
    const turns = [turn(0, 60_000, "near")];
    assert.deepEqual(made(words("a", 1499, "b", 1500, "c"), turns), [
      ["rep", "a b"],
      ["rep", "c"],
    ]);
  });

  it("who said it: whom the badge was unsure of at first is known in the end by the loudness (near, far, between, alike)", () => {
    const unsure = (far: number) => [
      turn(0, 300, "unsure", -22),
      turn(300, 600, "unsure", -33),
      turn(600, 900, "unsure", -28),
      turn(900, 1200, "near", -21),
      turn(1200, 1500, "far", far),
    ];
    assert.deepEqual(made(words("hi hello hm so yes"), unsure(-34)), [
      ["rep", "hi"],
      ["other", "hello"],
      ["unsure", "hm"],
      ["rep", "so"],
      ["other", "yes"],
    ]);
    assert.deepEqual(made(words("hi hello hm so yes"), unsure(-25)), [
      ["unsure", "hi hello hm"],
      ["rep", "so"],
      ["other", "yes"],
    ]);
  });

  it("who said it: without any turn everybody is unsure; without words there are no turns (none)", () => {
    assert.deepEqual(made(words("who knows"), []), [["unsure", "who knows"]]);
    assert.deepEqual(made([], [turn(0, 1000, "near")]), []);
  });
});

describe("transcribe: what the badge heard", () => {
  const phrase = (startMs: number, endMs: number, text: string, scoreNats = 10): BadgePhrase => ({
    startMs,
    endMs,
    text,
    scoreNats,
    thresholdNats: 5,
  });

  it("what the badge heard: turns are without words but for the key phrases (two of three turns)", () => {
    const turns = [turn(2000, 3000, "far"), turn(0, 1000, "near"), turn(3500, 4000, "unsure")];
    const phrases = [phrase(2100, 2700, "too expensive"), phrase(900, 1500, "lower bill")];
    const transcript = badgeTranscript(turns, phrases, 5000, "en");
    assert.deepEqual(
      transcript.turns.map(({ speaker, startMs, text }) => [speaker, startMs, text]),
      [
        ["rep", 0, "lower bill"],
        ["other", 2000, "too expensive"],
        ["unsure", 3500, ""],
      ],
    );
    assert.deepEqual(transcript.turns[1].words, [
      { text: "too", startMs: 2100, endMs: 2250 },
      { text: "expensive", startMs: 2250, endMs: 2700 },
    ]);
    const { source, language, durationMs } = transcript;
    assert.deepEqual([source, language, durationMs], ["badge", "en", 5000]);
  });

  it("what the badge heard: of two phrases at one time the surer counts; one outside all turns is kept (overlap, stray)", () => {
    const phrases = [
      phrase(0, 500, "solar", 7),
      phrase(100, 600, "so long", 9),
      phrase(4000, 4500, "next week"),
    ];
    const { turns } = badgeTranscript([turn(0, 1000, "near")], phrases, 5000, "en");
    assert.deepEqual(
      turns.map(({ speaker, text }) => [speaker, text]),
      [
        ["rep", "so long"],
        ["unsure", "next week"],
      ],
    );
  });
});
