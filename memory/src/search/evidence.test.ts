// Evidence and fusion by themselves: which turns are shown, what is marked, how lists become one.
import assert from "node:assert/strict";
import fc from "fast-check";
import { fuse } from "./fuse";
import { passagesOf, soughtIn } from "./passages";

function turnsOf(...texts: string[]) {
  return texts.map((text, turn) => ({
    turn,
    speaker: turn % 2 === 0 ? ("rep" as const) : ("other" as const),
    startMs: turn,
    endMs: turn + 1,
    text,
  }));
}

function marked(query: string, ...texts: string[]): string[][] {
  return passagesOf(turnsOf(...texts), soughtIn(query)).map(({ text, marks }) =>
    marks.map(([start, end]) => text.slice(start, end)),
  );
}

describe("search: evidence", () => {
  it("the turn that says most comes first, with all forms of the words marked", () => {
    assert.deepEqual(marked("leaking roofs", "Hello.", "The roof leaks.", "A roof?"), [
      ["roof leaks"],
      ["roof"],
    ]);
  });

  it("words that mean the same are marked, also several together", () => {
    assert.deepEqual(marked("expensive", "Hello.", "That is too much money, I can't afford it."), [
      ["too much money", "can't afford"],
    ]);
  });

  it("punctuation, accents and capitals do not matter; places are those of the text", () => {
    assert.deepEqual(marked("cafe", "x", "THE CAFÉ! (“Café”)"), [["CAFÉ", "Café"]]);
  });

  it("common words alone are no evidence; then the customer's first words are shown", () => {
    assert.deepEqual(
      passagesOf(turnsOf("Is it on?", "It is."), soughtIn("zeppelin it")).map(({ turn, marks }) => [
        turn,
        marks,
      ]),
      [[1, []]],
    );
    assert.deepEqual(passagesOf([], soughtIn("a")), []);
  });

  it("an excluded word is not looked for", () => {
    assert.deepEqual(marked("roof -window", "x", "window and roof"), [["roof"]]);
  });

  it("marks never overlap, lie in the text and begin where a word begins (any text)", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: "grapheme", maxLength: 80 }),
        fc.string({ unit: "grapheme", maxLength: 200 }),
        (query, text) => {
          for (const { marks } of passagesOf(turnsOf(text, `${text} ${query}`), soughtIn(query))) {
            let last = -1;
            for (const [start, end] of marks) {
              assert.ok(start > last && end > start);
              last = end;
            }
          }
        },
      ),
    );
  });
});

describe("search: fusion", () => {
  it("sums 1 / (60 + place), of equals the smaller id first", () => {
    const fused = fuse([
      ["a", "b", "c"],
      ["b", "d"],
    ]);
    assert.deepEqual(
      fused.map(({ id, ranks }) => [id, ranks]),
      [
        ["b", [2, 1]],
        ["a", [1, 0]],
        ["d", [0, 2]],
        ["c", [3, 0]],
      ],
    );
    assert.equal(fused[0].score, 1 / 62 + 1 / 61);
    assert.deepEqual(
      fuse([["b"], ["a"]]).map(({ id }) => id),
      ["a", "b"],
    );
  });

  it("a list of less weight does not outvote the other", () => {
    assert.deepEqual(
      fuse(
        [
          ["a", "b"],
          ["c", "b"],
        ],
        [1, 0.3],
      ).map(({ id }) => id),
      ["b", "a", "c"],
    );
  });

  it("an id twice in a list counts once", () => {
    assert.equal(fuse([["a", "a"]])[0].score, 1 / 61);
  });
});
