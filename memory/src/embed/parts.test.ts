// Which texts of a conversation are embedded, and what counts as an answer.
import assert from "node:assert/strict";
import type { Tag } from "../model/structure";
import type { TagKind } from "../model/taxonomy";
import type { Speaker, Transcript } from "../model/transcript";
import { answerIn, partsOf } from "./parts";

function transcriptOf(...lines: [Speaker, string][]): Transcript {
  const turns = lines.map(([speaker, text]) => ({ speaker, text, startMs: 0, endMs: 1, words: [] }));
  return { source: "test", language: "en", durationMs: 1, turns };
}

function tagOf(kind: TagKind, turn: number, quote: string): Tag {
  return {
    kind,
    turn,
    quote,
    firstWord: 0,
    lastWord: 0,
    startMs: 0,
    endMs: 1,
    rule: "r",
    reason: "r",
    confidence: 1,
  };
}

describe("embed: parts", () => {
  it("passages of three turns with words, and each objection in the turn that has it", () => {
    const transcript = transcriptOf(
      ["rep", "Solar?"],
      ["other", "Well, too dear."],
      ["unsure", ""],
      ["rep", "It pays."],
      ["other", "Fine."],
    );
    const tags = [tagOf("mood.turn-up", 4, "Fine."), tagOf("objection.pricing", 1, "too dear")];
    assert.deepEqual(partsOf(transcript, { tags }), [
      { part: "passage", n: 0, texts: ["Solar? Well, too dear. It pays."] },
      { part: "passage", n: 4, texts: ["Fine."] },
      { part: "moment", n: 1, texts: ["Well, too dear."] },
    ]);
  });

  it("where nothing was said there is nothing", () => {
    assert.deepEqual(partsOf(transcriptOf(["other", ""]), { tags: [] }), []);
  });

  it("a long turn is a passage of several texts, and its objection the quote alone", () => {
    const long = "a lot of talk ".repeat(100);
    const parts = partsOf(transcriptOf(["rep", "Hi."], ["other", long], ["rep", "Oh."]), {
      tags: [tagOf("objection.pricing", 1, "too dear")],
    });
    assert.deepEqual(
      parts.map(({ part, n, texts }) => [part, n, texts.map(({ length }) => length)]),
      [
        ["passage", 0, [3]],
        ["passage", 1, [600, 600, 200]],
        ["passage", 2, [3]],
        ["moment", 0, [8]],
      ],
    );
    assert.equal(parts[1].texts.join(""), long);
  });

  it("an endless talk, and one with endless objections, are cut", () => {
    const long = transcriptOf(
      ...Array.from({ length: 5000 }, (): [Speaker, string] => ["other", "too dear for me"]),
    );
    const tags = Array.from({ length: 5000 }, (_, turn) => tagOf("objection.pricing", turn, "too dear"));
    const parts = partsOf(long, { tags });
    assert.equal(parts.filter(({ part }) => part === "passage").length, 1000);
    assert.equal(parts.filter(({ part }) => part === "moment").length, 200);
  });

  const rep = { speaker: "rep" as const, text: "r" };
  const other = { speaker: "other" as const, text: "o" };
  const silent = { speaker: "other" as const, text: "" };
  for (const [name, after, count] of [
    ["the rep's turns until the other one speaks", [rep, silent, rep, other, rep], 2],
    ["the other one goes on before the rep answers", [other, rep, other], 1],
    ["no answer", [other, other], 0],
    ["a lecture", [rep, rep, rep, rep, rep, rep], 4],
    ["the end", [], 0],
  ] as const)
    it(`answer: ${name}`, () => assert.equal(answerIn(after).length, count));
});
