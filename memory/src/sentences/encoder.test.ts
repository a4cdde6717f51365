// The sentence encoder as it runs: in its thread, with its weights.
import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { ENCODER_DIMS, sentenceEncoder, TEXT_CHARACTERS_MAX } from "./index";

const encoder = sentenceEncoder();

function cosine(one: Float32Array, other: Float32Array): number {
  return one.reduce((sum, value, place) => sum + value * other[place], 0);
}

describe("sentences", () => {
  it("sentences: what means alike lies closer than what does not", async () => {
    const [dear, afford, roof] = await encoder.encode([
      "That is a bit rich for us.",
      "That's more than we can afford.",
      "The roof faces south.",
    ]);
    equal(dear.length, ENCODER_DIMS);
    ok(cosine(dear, afford) > cosine(dear, roof) + 0.2);
    ok(Math.abs(cosine(dear, dear) - 1) < 1e-5);
  });

  it("sentences: a text's vector does not depend on what it is encoded with, nor on its place", async () => {
    const texts = Array.from(
      { length: 40 },
      (_, place) => `Call me on day ${place}, ${"please ".repeat(place % 7)}`,
    );
    const together = await encoder.encode(texts);
    for (const place of [0, 13, 39]) {
      const [alone] = await encoder.encode([texts[place]]);
      ok(cosine(alone, together[place]) > 0.99999);
    }
  });

  it("sentences: what says nothing is zeros, what is too long is cut", async () => {
    const long = "we would like to see it ".repeat(200);
    const [empty, dots, cut, whole] = await encoder.encode([
      "",
      "...",
      long.slice(0, TEXT_CHARACTERS_MAX),
      long,
    ]);
    ok(empty.every((value) => value === 0) && dots.every((value) => value === 0));
    deepEqual(whole, cut);
    deepEqual(await encoder.encode([]), []);
  });

  it("sentences: the event loop goes on meanwhile, and askers at the same time get their own", async () => {
    let ticks = 0;
    const timer = setInterval(() => ticks++, 1);
    const [[one], [other]] = await Promise.all([encoder.encode(["yes"]), encoder.encode(["no"])]);
    clearInterval(timer);
    ok(ticks > 0);
    ok(cosine(one, other) < 0.999);
  });

  it("sentences: work that is called off ends with the reason", async () => {
    await rejects(encoder.encode(["a"], AbortSignal.abort(new Error("called off"))), /called off/);
  });
});
