import assert from "node:assert/strict";
import { Random } from "./random";

const words = (seed: number, count = 8): number[] => {
  const random = new Random(seed);
  return Array.from({ length: count }, () => random.uint32());
};

describe("random", () => {
  it("the same seed gives the same stream", () => {
    assert.deepEqual(words(7, 1000), words(7, 1000));
    assert.deepEqual(new Random(7).bytes(1000), new Random(7).bytes(1000));
  });

  it("bytes are the high bytes of the words, however they are asked for", () => {
    const random = new Random(3);
    const inParts = Buffer.concat([random.bytes(1), random.bytes(0), random.bytes(6), random.bytes(1)]);
    assert.deepEqual(
      [...inParts],
      words(3).map((word) => word >>> 24),
    );
  });

  it("different seeds give different streams (0 to 999, -1, 2^31)", () => {
    const seeds = [...Array(1000).keys(), -1, 2 ** 31];
    const firsts = new Set(seeds.map((seed) => words(seed, 2).join(" ")));
    assert.equal(firsts.size, seeds.length);
  });

  it("only the low 32 bits of the seed count", () => {
    assert.deepEqual(words(5 + 2 ** 32), words(5));
  });

  // From another implementation of sfc32, in whole numbers of any size.
  for (const { seed, expected } of [
    { seed: 0, expected: [2381108232, 3976095626, 2467262069, 1823274075] },
    { seed: 1, expected: [2212199553, 1506684997, 389392296, 138374344] },
    { seed: -1, expected: [4182873111, 638246997, 1384417266, 3840555370] },
  ])
    it(`gives the known values (seed ${seed})`, () => {
      assert.deepEqual(words(seed, 4), expected);
    });

  it("every byte value comes about equally often (seed 1, 65536 bytes)", () => {
    const counts = new Array<number>(256).fill(0);
    for (const byte of new Random(1).bytes(65536)) counts[byte]++;
    const chiSquare = counts.reduce((sum, count) => sum + (count - 256) ** 2 / 256, 0);
    // 255 degrees of freedom: mean 255, standard deviation 22.6; the stream is fixed, so is the outcome.
    assert.ok(Math.abs(chiSquare - 255) < 4 * 22.6, `chi square ${chiSquare}`);
  });

  it("every bit of a word is set about half the time (seed 1, 10000 words)", () => {
    const ones = new Array<number>(32).fill(0);
    for (const word of words(1, 10000)) for (let bit = 0; bit < 32; bit++) ones[bit] += (word >>> bit) & 1;
    for (const [bit, count] of ones.entries())
      assert.ok(Math.abs(count - 5000) < 200, `bit ${bit}: ${count}`);
  });
});
