// The learned part: how talks are cut and scored, and what its findings say of themselves.
import { deepEqual, equal, ok } from "node:assert/strict";
import type { Tag } from "../../model/structure";
import { isTagKind } from "../../model/taxonomy";
import { ENCODER_DIMS } from "../../sentences";
import { readTurns } from "../engine";
import { explain, localStructurer, ruleStructurer } from "../index";
import { talk } from "../testing";
import { CONTEXT_DIMS, contextOf } from "./context";
import { mostAlike, signsOf } from "./examples";
import { kindsOf, LEARNED_KINDS } from "./kinds";
import { rowsOf, scoresOf } from "./linear";
import { unitsOf } from "./units";
import { learnedModel } from "./weights-file";

const texts = (line: string) => unitsOf(readTurns(talk(line))[0]).map(({ text }) => text);

describe("tagger learned", () => {
  it("tagger learned: a turn is cut into sentences, and long ones besides into clauses", () => {
    deepEqual(texts("C: Okay. Call me."), ["Okay.", "Call me."]);
    deepEqual(texts("C: We would like it very much, but my wife has to see it first."), [
      "We would like it very much, but my wife has to see it first.",
      "We would like it very much,",
      "but my wife has to see it first.",
    ]);
    deepEqual(unitsOf(readTurns(talk("C: ..."))[0]), []);
  });

  it("tagger learned: kinds lie in ranges of who can have them", () => {
    const ofSpeaker = (speaker: "rep" | "other" | "unsure") => {
      const { from, to } = kindsOf(speaker);
      return LEARNED_KINDS.slice(from, to);
    };
    equal(new Set(LEARNED_KINDS).size, LEARNED_KINDS.length);
    ok(LEARNED_KINDS.every(isTagKind));
    ok(ofSpeaker("rep").every((kind) => !/^(objection|signal|mood)/.test(kind)));
    ok(ofSpeaker("other").every((kind) => !kind.startsWith("coaching")));
    deepEqual(ofSpeaker("unsure"), LEARNED_KINDS);
  });

  it("tagger learned: scores are sums of what holds", () => {
    const shape = { blocks: [{ dims: 2, scale: 10 }], features: 2, outputs: 2 };
    const weights = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10];
    equal(rowsOf(shape), 5);
    const input = { vectors: [Float32Array.of(1, -1)], features: [1] };
    deepEqual([...scoresOf(shape, weights, input, { from: 0, to: 2 })], [10 - 30 + 7 + 9, 20 - 40 + 8 + 10]);
    deepEqual([...scoresOf(shape, weights, input, { from: 1, to: 2 })], [0, 20 - 40 + 8 + 10]);
  });

  it("tagger learned: the second pass knows what is around a turn", () => {
    const turns = readTurns(talk("R: Hello there.", "C: It is dear.", "R: It is blue."));
    const logits = turns.map(() => new Float32Array(LEARNED_KINDS.length).fill(-8));
    logits[1][0] = 4;
    const context = contextOf(turns, [], logits);
    ok(context.every((vector) => vector.length === CONTEXT_DIMS));
    const without = contextOf(
      turns,
      [],
      turns.map(() => new Float32Array(LEARNED_KINDS.length).fill(-8)),
    );
    for (const place of [0, 1, 2]) ok(context[place].some((value, at) => value !== without[place][at]));
  });

  it("tagger learned: of examples of a kind, the most alike is named", () => {
    const vector = new Float32Array(ENCODER_DIMS).fill(1);
    const opposite = vector.map((value) => -value);
    const examples = [
      { kind: 0, text: "far", signs: signsOf(opposite) },
      { kind: 0, text: "near", signs: signsOf(vector) },
      { kind: 1, text: "other kind", signs: signsOf(vector) },
    ];
    equal(mostAlike(examples, 0, vector)?.text, "near");
    equal(mostAlike(examples, 2, vector), undefined);
  });

  it("tagger learned: what no rule knows is found by what it is like, with words that were said", async () => {
    const words = talk(
      "R: Good afternoon, I am Dana from Brightside Solar. It would be ninety a month for your roof.",
      "C: And would it still do anything when it snows?",
      "R: The panels come from a factory with many awards.",
      "C: I would have to think about that.",
      "R: If you do not do it this afternoon your neighbours will laugh at you all winter.",
      "C: I do not like how you talk to me.",
    );
    const { signal } = new AbortController();
    const { tags } = await localStructurer().structure(words, signal);
    const learned = tags.filter(({ rule }: Tag) => rule.startsWith("learned/"));
    ok(learned.length > 0, JSON.stringify(tags));
    for (const { rule, reason, quote, turn, confidence } of learned) {
      ok(words.turns[turn].text.includes(quote));
      ok(/^Like ".+" in the labelled talks\.$/.test(reason), reason);
      ok(explain(rule)?.includes("Learned"));
      ok(confidence > 0 && confidence <= 1);
    }
    const ruled = (await ruleStructurer().structure(words, signal)).tags;
    ok(ruled.every(({ rule }) => rule.startsWith("rules/")));
  });

  it("tagger learned: every kind has a threshold and examples", () => {
    const { thresholds, examples } = learnedModel();
    equal(thresholds.length, LEARNED_KINDS.length);
    ok(thresholds.every((threshold) => threshold > 0 && threshold < 1));
    for (const [kind, name] of LEARNED_KINDS.entries())
      ok(examples.filter((example) => example.kind === kind).length >= 5, name);
  });
});
