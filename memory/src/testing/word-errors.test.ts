import assert from "node:assert/strict";
import { wordErrors } from "./word-errors";

describe("testing: word errors", () => {
  const of = (said: string, heard: string) => {
    const { substituted, inserted, deleted, rate } = wordErrors(said.split(" "), heard.split(" "));
    return [substituted, inserted, deleted, rate];
  };

  it("word errors: one of each kind, case and punctuation do not count (four words said)", () => {
    assert.deepEqual(of("Hi, there you go.", "hi there you go"), [0, 0, 0, 0]);
    assert.deepEqual(of("Hi, there you go.", "hi where you go"), [1, 0, 0, 0.25]);
    assert.deepEqual(of("Hi, there you go.", "hi there you may go"), [0, 1, 0, 0.25]);
    assert.deepEqual(of("Hi, there you go.", "hi you go"), [0, 0, 1, 0.25]);
  });

  it("word errors: nothing heard, nothing said (empty)", () => {
    assert.deepEqual(wordErrors(["a", "b"], []).rate, 1);
    assert.deepEqual(wordErrors([], ["a"]).rate, 1);
    assert.deepEqual(wordErrors(["a", "b"], ["b"]).right, [{ said: 1, heard: 0 }]);
  });
});
