// Verbal consent, end to end, in the badge's virtual machine: the sample conversation, in which somebody says a phrase that consents - or does not.
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { phrasesOfSet, ToolError } from "@salestag/host-tools";
import { ChunkKind, decodeChunkHeader } from "@salestag/protocol";
import type { TraceEvent } from "@salestag/protocol/host";
import { replay } from "../src/replay";
import { storedChunks } from "../src/simulate/oracle";
import { sample, scratch } from "./support";

const SAID = "too expensive for us";
const NOT_SAID = "yes you can record this";

describe("end to end: verbal consent", () => {
  const phrases = phrasesOfSet("solar", 1);

  async function replayed(yes: string[], no: string[] = []) {
    const { frames } = await sample();
    const trace: TraceEvent[] = [];
    const result = await replay({
      frames,
      folder: join(scratch(), "site"),
      phrases,
      consent: { policy: "verbal", withinMs: 30000, yes, no },
      onTrace: (event) => trace.push(event),
    });
    const words = trace
      .map(({ word }) => word)
      .filter((word) => ["asking", "consent", "denied", "ended"].includes(word));
    return { result, words };
  }

  it("a phrase that consents releases everything from the first word on, and is written into the conversation", async () => {
    assert.ok(phrases.some(({ text }) => text === SAID));
    const { result, words } = await replayed([SAID]);
    assert.deepEqual(words, ["asking", "consent", "ended"]);
    assert.deepEqual(result.verification.problems, []);
    const [{ timeline }] = result.conversations;
    assert.equal(timeline.consent?.means, "phrase");
    const [phrase] = timeline.phrases;
    assert.equal(phrase.text, SAID);
    assert.ok((timeline.consent?.atMs as number) >= phrase.endMs);
    assert.ok(timeline.speech[0].startMs < phrase.startMs - 10_000);
  });

  it("nobody consents in time: no sound leaves the badge, only that something was refused", async () => {
    const { result, words } = await replayed([NOT_SAID]);
    assert.deepEqual(words, ["asking", "denied"]);
    assert.deepEqual(result.conversations, []);
    const spool = join(result.folder, "spool");
    assert.ok(readdirSync(spool).length > 0);
    for (const { encoded } of storedChunks(spool))
      assert.equal(decodeChunkHeader(encoded).kind, ChunkKind.Events);
  });

  it("a phrase that refuses ends it before the time is over", async () => {
    const { words } = await replayed([NOT_SAID], [SAID]);
    assert.deepEqual(words, ["asking", "denied"]);
  });

  it("a phrase that the badge does not listen for cannot consent: the tool says so", async () => {
    await assert.rejects(replayed(["you may record this"]), (error: unknown) => {
      assert.ok(error instanceof ToolError);
      assert.match(error.message, /does not listen for "you may record this"/);
      return true;
    });
  });
});
