// The local tagger on whole talks: what it tags, on whose words, and what it does with talks that lack something.
import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import type { Structure } from "../model/structure";
import type { TagKind } from "../model/taxonomy";
import { BADGE_SOURCE, type Transcript } from "../model/transcript";
import { explain, localStructurer, ruleStructurer } from "./index";
import { sentimentOf } from "./sentiment";
import { talk } from "./testing";
import { tokenize } from "./tokens";

const structurer = localStructurer();

function structured(transcript: Transcript): Promise<Structure> {
  return structurer.structure(transcript, new AbortController().signal);
}

function ruled(transcript: Transcript): Promise<Structure> {
  return ruleStructurer().structure(transcript, new AbortController().signal);
}

function on({ tags }: Structure, turn: number): TagKind[] {
  return tags.filter((tag) => tag.turn === turn).map(({ kind }) => kind);
}

const SALE = talk(
  "R: Good afternoon, I am Dana from Brightside Solar. We did the roof next door.",
  "C: I saw the van.",
  "R: Your roof looks to the south, so it would do well.",
  "C: How long does such a thing last?",
  "R: Twenty-five years. For your roof it would be ninety a month.",
  "C: Ninety a month is way too expensive for us.",
  "R: I understand. Your power bill is a hundred and ten now, so it replaces that.",
  "C: Oh, that changes things. I would have to talk to my wife first, though.",
  "R: Of course. Shall I come by on Thursday at six, when she is home?",
  "C: Thursday at six works.",
);

/** A talk about nothing that is for sale. */
const SMALL_TALK = talk(
  "R: Is this number four?",
  "C: No, four is over there.",
  "R: Thank you.",
  "C: You are welcome.",
);

describe("tagger", () => {
  it("tagger: a talk gets the tags that a person would give it, each with words that were said", async () => {
    const structure = await structured(SALE);
    deepEqual(on(structure, 3), ["signal.interest"]);
    deepEqual(on(structure, 5), ["objection.pricing"]);
    ok(on(structure, 7).includes("objection.authority"));
    ok(on(await ruled(SALE), 7).includes("mood.turn-up"));
    deepEqual(on(structure, 8), ["outcome.next-step"]);
    deepEqual(on(structure, 9), ["outcome.next-step"]);
    for (const tag of structure.tags) {
      const { words, text } = SALE.turns[tag.turn];
      equal(tag.startMs, words[tag.firstWord].startMs);
      equal(tag.endMs, words[tag.lastWord].endMs);
      ok(text.includes(tag.quote), tag.quote);
      ok(tag.confidence > 0 && tag.confidence <= 1);
      ok(explain(tag.rule), tag.rule);
    }
  });

  it("tagger: the summary says what stood against it and how it ended, in words that were said", async () => {
    const { insights } = await structured(SALE);
    const summary = insights.find((insight) => insight.kind === "summary")?.text ?? "";
    ok(summary.includes("price") && summary.includes("too expensive"), summary);
    ok(summary.includes("next step") && summary.includes("Thursday"), summary);
    equal(summary.split(/\.\s/).length, 4);
  });

  it("tagger: a talk about nothing that is for sale gets no tag", async () => {
    deepEqual((await structured(SMALL_TALK)).tags, []);
  });

  it("tagger: the same talk gives the same tags and insights", async () => {
    deepEqual(await localStructurer().structure(SALE, new AbortController().signal), await structured(SALE));
  });

  it("tagger: where nobody knows who spoke, words still count, with less confidence", async () => {
    const turns = SALE.turns.map((turn) => ({ ...turn, speaker: "unsure" as const }));
    const unsure = (await structured({ ...SALE, turns })).tags.find(
      ({ kind }) => kind === "objection.pricing",
    );
    const sure = (await structured(SALE)).tags.find(({ kind }) => kind === "objection.pricing");
    ok(unsure !== undefined && sure !== undefined && unsure.confidence < sure.confidence);
  });

  it("tagger: of what the badge alone heard, a monologue counts by its time, and nothing by words", async () => {
    const turns = [
      { speaker: "rep" as const, startMs: 0, endMs: 41_000, text: "too expensive", words: [] },
      { speaker: "other" as const, startMs: 42_000, endMs: 44_000, text: "", words: [] },
      { speaker: "rep" as const, startMs: 45_000, endMs: 85_000, text: "", words: [] },
    ];
    const heard = await structured({ source: BADGE_SOURCE, language: "en", durationMs: 85_000, turns });
    deepEqual(
      heard.tags.map(({ kind, turn, startMs, endMs }) => [kind, turn, startMs, endMs]),
      [["coaching.monologue", 0, 0, 41_000]],
    );
    const engagement = heard.insights.find((insight) => insight.kind === "engagement");
    deepEqual(
      engagement?.points.map(({ startMs, endMs }) => [startMs, endMs]),
      [
        [0, 30_000],
        [30_000, 60_000],
        [60_000, 85_000],
      ],
    );
    ok((engagement?.points[1].value ?? 0) > (engagement?.points[0].value ?? 1));
  });

  for (const [words, monologue] of [
    [69, false],
    [70, true],
  ] as const)
    it(`tagger: a monologue begins at 70 words (${words})`, async () => {
      const structure = await structured(talk(`R: ${Array(words).fill("word").join(" ")}`));
      equal(
        structure.tags.some(({ kind }) => kind === "coaching.monologue"),
        monologue,
      );
    });

  it("tagger: an objection that the rep passes over, and the customer who insists, are seen by the rules", async () => {
    const structure = await ruled(
      talk(
        "R: It is a water filter, forty a month.",
        "C: We have no money for a filter this year.",
        "R: The housing is brushed steel and comes in three colors.",
        "C: I said we have no money.",
      ),
    );
    ok(on(structure, 2).includes("coaching.unanswered-objection"));
    ok(on(structure, 3).includes("objection.pricing"));
  });

  it("tagger: to the rules, a rep's own company is no competitor, another one is", async () => {
    const structure = await ruled(
      talk("R: I am Dana from Brightside.", "C: Brightside, yes. We are with Voltara.", "R: Are they good?"),
    );
    const named = structure.tags.filter(({ kind }) => kind === "competitor");
    equal(named.length, 1);
    ok(named[0].quote.includes("Voltara"));
  });

  it("tagger: an empty transcript has a summary that says so, and nothing else", async () => {
    const { tags, insights } = await structured({ source: "test", language: "en", durationMs: 0, turns: [] });
    deepEqual(tags, []);
    deepEqual(insights[0], { kind: "summary", text: "A talk of 0 s in 0 turns. No outcome was heard." });
  });

  it("tagger: work that is called off is not begun", async () => {
    await rejects(structurer.structure(SALE, AbortSignal.abort(new Error("called off"))), /called off/);
  });
});

describe("tagger sentiment", () => {
  const value = (text: string) => sentimentOf(tokenize(talk(`C: ${text}`).turns[0].words));

  it("tagger sentiment: good is above nothing, bad below it, and strength tells", () => {
    ok(value("That is great.") > 0);
    ok(value("That is terrible.") < 0);
    equal(value("The box is on the wall."), 0);
    ok(value("That is really great.") > value("That is great."));
    ok(value("Great, wonderful, perfect, amazing, love it!") <= 1);
  });

  it("tagger sentiment: a negation turns a word over, in its clause only", () => {
    ok(value("That is not great.") < 0);
    ok(value("It does not annoy me.") > 0);
    ok(value("Not now, but it is great.") > 0);
  });
});
