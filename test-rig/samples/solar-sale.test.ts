// The bundled sample and its ground truth must say the same thing.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { readAudio } from "../src/audio/read-audio";

const FLAC = fileURLToPath(new URL("solar-sale.flac", import.meta.url));
const truth = JSON.parse(readFileSync(new URL("solar-sale.json", import.meta.url), "utf8"));

describe("sample: solar sale", () => {
  let samples: Int16Array;

  before(async () => {
    ({ samples } = await readAudio(FLAC));
  });

  /** RMS of a stretch in dBFS. */
  function levelDbfs(startMs: number, endMs: number): number {
    const part = samples.subarray(startMs * 16, endMs * 16);
    const power = part.reduce((sum, sample) => sum + (sample / 32768) ** 2, 0) / part.length;
    return 10 * Math.log10(power);
  }

  it("the file is the one that the truth speaks of, small and of about a minute", () => {
    assert.equal(createHash("sha256").update(readFileSync(FLAC)).digest("hex"), truth.sha256);
    assert.ok(statSync(FLAC).size < 600_000);
    assert.equal(Math.round(samples.length / 16), truth.durationMs);
    assert.ok(truth.durationMs >= 55_000 && truth.durationMs <= 70_000);
  });

  it("turns follow one another, and their words are their text, in order and inside", () => {
    let beforeMs = 0;
    assert.ok(truth.turns.length >= 10);
    for (const { startMs, endMs, text, words } of truth.turns) {
      assert.ok(startMs >= beforeMs && endMs > startMs && endMs <= truth.durationMs, text);
      assert.equal(words.map(({ word }: { word: string }) => word).join(" "), text.replace(/[.,?!]/g, ""));
      let wordMs = startMs;
      for (const word of words) {
        assert.ok(word.startMs >= wordMs && word.endMs > word.startMs && word.endMs <= endMs + 1, word.word);
        wordMs = word.endMs - 1;
      }
      beforeMs = endMs;
    }
  });

  it("the near voice is at least 6 dB above the far one, and both well above the room", () => {
    const room = levelDbfs(truth.durationMs - 1000, truth.durationMs - 200);
    assert.ok(room > -70 && room < -50, `room ${room}`);
    for (const { speaker, startMs, endMs, text } of truth.turns) {
      const level = levelDbfs(startMs, endMs);
      if (speaker === "rep") assert.ok(level > -24 && level < -18, `${text}: ${level}`);
      else assert.ok(level > room + 15 && level < -30, `${text}: ${level}`);
    }
  });

  it("there is no digital silence: no 20 ms without a change", () => {
    for (let at = 0; at + 320 <= samples.length; at += 320)
      assert.ok(new Set(samples.subarray(at, at + 320)).size > 1, `at ${at / 16} ms`);
  });

  it("marks of every kind lie inside a turn", () => {
    const kinds = new Set(truth.marks.map(({ kind }: { kind: string }) => kind));
    assert.deepEqual([...kinds].sort(), ["buying-signal", "competitor", "consent", "next-step", "objection"]);
    for (const mark of truth.marks) {
      const turn = truth.turns.find(
        (t: { startMs: number; endMs: number }) => t.startMs <= mark.startMs && mark.endMs <= t.endMs + 1,
      );
      assert.ok(turn.text.replace(/[.,?!]/g, "").includes(mark.text), mark.text);
    }
  });
});
