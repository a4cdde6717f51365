// The local embedder: the encoder behind the interface of all embedders; what the encoder itself does is tried beside it.
import assert from "node:assert/strict";
import { unit } from "./embedder";
import { localEmbedder } from "./local";

const NEVER = new AbortController().signal;
const LOCAL = localEmbedder();

async function cosines(text: string, ...others: string[]): Promise<number[]> {
  const [own, ...vectors] = await LOCAL.embed([text, ...others], NEVER);
  return vectors.map((vector) => vector.reduce((sum, value, at) => sum + value * own[at], 0));
}

describe("embed: local", () => {
  const NEAR: [a: string, b: string, far: string][] = [
    ["that is too expensive", "it costs too much", "come back on Thursday"],
    ["I have to ask my husband", "my wife decides", "it costs too much"],
    ["another company made an offer", "we switched provider", "the roof leaks"],
    ["the furnace is broken", "our heating stopped working", "what is the monthly payment"],
  ];
  for (const [a, b, far] of NEAR)
    it(`near in meaning is nearer ("${a}", "${b}", not "${far}")`, async () => {
      const [near, other] = await cosines(a, b, far);
      assert.ok(near > other + 0.1, `${near} and ${other}`);
    });

  it("a vector has the length 1 and the dimensions it is said to have; what says nothing is zeros", async () => {
    const [said, ...silent] = await LOCAL.embed(["It leaks.", "", "  ", "?!", "\0"], NEVER);
    assert.equal(said.length, LOCAL.dims);
    assert.ok(Math.abs(Math.hypot(...said) - 1) < 1e-5 && unit(said).length === LOCAL.dims);
    for (const vector of silent) assert.ok(vector.every((value) => value === 0));
  });

  it("ends when it is told to", async () => {
    await assert.rejects(LOCAL.embed(["a"], AbortSignal.abort(new Error("over"))), /over/);
  });
});
