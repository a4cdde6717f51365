import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { TAG_KINDS } from "../model/taxonomy";
import { type LabelledDialogue, readLabelled } from "./read";

const SMALL = `# solar-one

R: Hi, I'm with Bright Roof.
C: Honestly, [objection.pricing: that's more than we can pay], and [objection.authority+role.decision-maker: my wife decides].

# empty-handed
R: Lovely garden.
`;
const PARTS = ["tuning", "held-out"].map((part) => {
  const path = `memory/labelled/${part}.txt`;
  return {
    part,
    dialogues: readLabelled(
      readFileSync(new URL(`../../labelled/${part}.txt`, import.meta.url), "utf8"),
      path,
    ),
  };
});

describe("labelled dialogues: format", () => {
  it("labelled dialogues: turns, words in time, labels", () => {
    const [solar, empty] = readLabelled(SMALL, "small.txt");
    assert.equal(solar.id, "solar-one");
    assert.deepEqual(
      solar.transcript.turns.map(({ speaker, startMs, endMs, text }) => ({ speaker, startMs, endMs, text })),
      [
        { speaker: "rep", startMs: 0, endMs: 1875, text: "Hi, I'm with Bright Roof." },
        {
          speaker: "other",
          startMs: 2275,
          endMs: 2275 + 11 * 375,
          text: "Honestly, that's more than we can pay, and my wife decides.",
        },
      ],
    );
    assert.equal(solar.transcript.durationMs, 2275 + 11 * 375);
    assert.deepEqual(solar.transcript.turns[1].words[6], { text: "pay,", startMs: 4525, endMs: 4900 });
    assert.deepEqual(solar.labels, [
      { kind: "objection.pricing", turn: 1, firstWord: 1, lastWord: 6 },
      { kind: "objection.authority", turn: 1, firstWord: 8, lastWord: 10 },
      { kind: "role.decision-maker", turn: 1, firstWord: 8, lastWord: 10 },
    ]);
    assert.deepEqual(empty.labels, []);
  });

  for (const [what, text, message] of [
    ["a turn before any dialogue", "R: Hi.", /^bad\.txt:1: a turn before/],
    ["an unknown speaker", "# a\nX: Hi.", /^bad\.txt:2: .*is none of/],
    ["an unknown kind", "# a\nR: [objection.price: Hi].", /^bad\.txt:2: "objection\.price" is no kind/],
    ["a bracket left open", "# a\nR: [competitor: Hi.", /^bad\.txt:2: a bracket/],
    ["a mark without words", "# a\nR: [competitor: ] Hi.", /^bad\.txt:2: .*marks no words/],
    [
      "a kind twice on a turn",
      "# a\nR: [competitor: A] or [competitor: B].",
      /^bad\.txt:2: .*twice on one turn/,
    ],
    ["an id twice", "# a\nR: Hi.\n# a\nR: Hi.", /^bad\.txt:3: the id a is that of line 1/],
    ["a dialogue without turns", "# a\n\n# b\nR: Hi.", /^bad\.txt:1: the dialogue a has no turns/],
    ["two blanks", "# a\nR: Hi  there.", /^bad\.txt:2: words are parted/],
  ] as const)
    it(`labelled dialogues: refused with file and line (${what})`, () => {
      assert.throws(() => readLabelled(text, "bad.txt"), { message });
    });
});

/** @returns for each label: its kind, who speaks there, and the dialogue */
function labelsOf(dialogues: LabelledDialogue[]) {
  return dialogues.flatMap((dialogue) =>
    dialogue.labels.map((label) => ({ ...label, dialogue, spoken: dialogue.transcript.turns[label.turn] })),
  );
}

const spokenText = ({ transcript }: LabelledDialogue) => transcript.turns.map(({ text }) => text).join("\n");

describe("labelled dialogues: the set", () => {
  for (const { part, dialogues } of PARTS) {
    it(`labelled dialogues: sizes and counts (${part})`, () => {
      assert.ok(dialogues.length >= 84, `${dialogues.length} dialogues`);
      const labels = labelsOf(dialogues);
      for (const kind of TAG_KINDS) {
        const count = labels.filter((label) => label.kind === kind).length;
        assert.ok(count >= 12, `${kind}: ${count} labels`);
      }
      for (const { id, transcript } of dialogues)
        assert.ok(transcript.turns.length >= 6 && transcript.turns.length <= 14, id);
      assert.ok(dialogues.filter((dialogue) => dialogue.labels.length === 0).length >= 3);
    });

    it(`labelled dialogues: labels keep to what the taxonomy says of turns (${part})`, () => {
      for (const { kind, turn, dialogue, spoken } of labelsOf(dialogues)) {
        const at = `${dialogue.id}, turn ${turn}: ${kind}`;
        if (/^coaching/.test(kind)) assert.equal(spoken.speaker, "rep", at);
        if (/^(objection|signal|mood)|gatekeeper|commitment/.test(kind))
          assert.equal(spoken.speaker, "other", at);
        const before = dialogue.labels.filter((label) => label.turn === turn - 1).map((label) => label.kind);
        if (kind === "coaching.unanswered-objection")
          assert.ok(
            before.some((earlier) => earlier.startsWith("objection.")),
            at,
          );
        if (kind === "coaching.missed-signal")
          assert.ok(
            before.some((earlier) => earlier.startsWith("signal.")),
            at,
          );
        if (kind === "coaching.no-next-step")
          assert.ok(
            dialogue.transcript.turns.slice(turn + 1).every(({ speaker }) => speaker !== "rep"),
            at,
          );
      }
    });

    it(`labelled dialogues: every turn of the rep of 70 words is a monologue, no other is (${part})`, () => {
      for (const { id, transcript, labels } of dialogues)
        for (const [turn, { speaker, words }] of transcript.turns.entries())
          assert.equal(
            labels.some((label) => label.turn === turn && label.kind === "coaching.monologue"),
            speaker === "rep" && words.length >= 70,
            `${id}, turn ${turn}`,
          );
    });
  }

  it("labelled dialogues: no id and no dialogue twice, in both parts together", () => {
    const all = PARTS.flatMap(({ dialogues }) => dialogues);
    assert.equal(new Set(all.map(({ id }) => id)).size, all.length);
    assert.equal(new Set(all.map(spokenText)).size, all.length);
    const longTurns = all
      .flatMap(({ transcript }) => transcript.turns.map(({ text }) => text))
      .filter((text) => text.split(" ").length >= 6);
    assert.equal(new Set(longTurns).size, longTurns.length);
  });
});
