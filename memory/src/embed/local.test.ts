// The local embedder: always the same vectors, near where the meaning is near as far as its table goes, harmless with any text.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import fc from "fast-check";
import { CONCEPT_NAMES } from "./concepts";
import { LOCAL_DIMS, localEmbedder, localVector } from "./local";

const NEVER = new AbortController().signal;

function cosine(a: string, b: string): number {
  const [left, right] = [localVector(a), localVector(b)];
  return left.reduce((sum, value, at) => sum + value * right[at], 0);
}

describe("embed: local", () => {
  it("vectors of local/1 stay as they are: stored ones are compared with new ones", () => {
    const vector = localVector("It costs too much, and my wife decides. Come back on Thursday!");
    const digest = createHash("sha256").update(Buffer.from(vector.buffer)).digest("hex").slice(0, 16);
    assert.equal(digest, "da0ce7bafdc55e1b");
  });

  const NEAR: [a: string, b: string, far: string][] = [
    ["that is too expensive", "it costs too much", "come back on Thursday"],
    ["I have to ask my husband", "the landlord decides", "it costs too much"],
    ["not now, maybe next year", "this is a bad time", "we already have one"],
    ["another company made an offer", "we switched provider", "the roof leaks"],
    ["where do I sign", "let's do it", "we are happy with what we have"],
    ["the furnace is broken", "our heating stopped working", "what is the monthly payment"],
    ["panels", "panel", "alarm"],
  ];
  for (const [a, b, far] of NEAR)
    it(`near in meaning is nearer ("${a}", "${b}", not "${far}")`, () => {
      assert.ok(cosine(a, b) > cosine(a, far) + 0.1, `${cosine(a, b)} and ${cosine(a, far)}`);
    });

  it("a word with a slip still shares letters with itself", () => {
    assert.ok(cosine("thermostats", "thermostat's") > 0.9);
    assert.ok(cosine("photovoltaic", "photovoltaik") > 0.05);
  });

  it("what says nothing has no direction", () => {
    for (const text of ["", "  ", "?!", "\0", "\ud800"])
      assert.ok(localVector(text).every((value) => value === 0));
  });

  it("any text gives a vector of length 1 or of zeros, whatever is before it in the batch", async () => {
    const texts = fc.array(fc.string({ unit: "binary", maxLength: 200 }), { maxLength: 60 });
    await fc.assert(
      fc.asyncProperty(texts, async (batch) => {
        const vectors = await localEmbedder().embed(batch, NEVER);
        assert.deepEqual(vectors, batch.map(localVector));
        for (const vector of vectors) {
          const length = Math.hypot(...vector);
          assert.ok(vector.length === LOCAL_DIMS && (length === 0 || Math.abs(length - 1) < 1e-5));
        }
      }),
      { numRuns: 50 },
    );
  });

  it("a long text is cut, one word of a million letters is none", () => {
    assert.ok(localVector("a".repeat(1_000_000)).every((value) => value === 0));
    const text = "solar panels ".repeat(100_000);
    assert.deepEqual(localVector(text), localVector(text.slice(0, 20_000)));
  });

  it("ends when it is told to", async () => {
    await assert.rejects(localEmbedder().embed(["a"], AbortSignal.abort(new Error("over"))), /over/);
  });

  it("concepts leave most dimensions to words", () => {
    assert.ok(CONCEPT_NAMES.length < LOCAL_DIMS / 4);
  });
});
