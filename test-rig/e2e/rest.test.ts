// A badge that leaves the relay between uploads, end to end: nothing is lost, it comes seldom, and what is to be known at once is.
import assert from "node:assert/strict";
import { join } from "node:path";
import { phrasesOfSet } from "@salestag/host-tools";
import { ChunkKind } from "@salestag/protocol";
import type { TraceEvent } from "@salestag/protocol/host";
import { type ReplayOptions, type ReplayResult, replay } from "../src/replay";
import { sample, scratch } from "./support";

const UPLOAD_EVERY_MS = 20_000;
/** A computer that is busy with other tests is no relay that is gone. */
const PATIENCE_MS = 60_000;

interface Traced {
  atMs: number;
  event: TraceEvent;
}

/** Plays the sample through a badge that is tuned to leave. */
async function rested(options: Partial<ReplayOptions>): Promise<{ result: ReplayResult; traced: Traced[] }> {
  const { frames } = await sample();
  const traced: Traced[] = [];
  const result = await replay({
    frames,
    folder: join(scratch(), "site"),
    tuning: { uploadEveryMs: UPLOAD_EVERY_MS },
    patienceMs: PATIENCE_MS,
    onTrace: (event, atMs) => traced.push({ event, atMs }),
    ...options,
  });
  const tunedAt = traced.findLastIndex(({ event }) => event.word === "ready");
  return { result, traced: traced.slice(tunedAt) };
}

const timesOf = (traced: Traced[], word: TraceEvent["word"]): number[] =>
  traced.filter(({ event }) => event.word === word).map(({ atMs }) => atMs);

describe("end to end: a badge that leaves between uploads", () => {
  it("all arrives, in few connections, and it shows no missing network", async () => {
    const { result, traced } = await rested({});
    assert.deepEqual(result.verification.problems, []);
    assert.equal(result.report.refusedChunks, 0);
    const ups = timesOf(traced, "up");
    const rests = timesOf(traced, "rest");
    assert.ok(
      rests.length >= 3 && Math.abs(ups.length - rests.length) <= 1,
      `${ups.length} and ${rests.length}`,
    );
    assert.deepEqual(timesOf(traced, "down"), []);
    const stays = rests
      .map((restMs) => ups.find((upMs) => upMs > restMs))
      .flatMap((upMs, i) => (upMs === undefined ? [] : [upMs - rests[i]]));
    for (const stayMs of stays) assert.ok(stayMs >= UPLOAD_EVERY_MS, `it stayed away for ${stayMs} ms`);
    const shown = traced.filter(({ atMs }) => atMs > rests[0]).map(({ event }) => event);
    assert.ok(!shown.some((event) => event.word === "shows" && event.pattern === "no-network"));
  });

  it("a key phrase is durable at the relay within a second of being heard", async () => {
    const { result, traced } = await rested({ phrases: phrasesOfSet("solar", 1) });
    assert.deepEqual(result.verification.problems, []);
    const heard = traced.flatMap(({ event, atMs }, i) => (event.word === "phrase" ? [{ i, atMs }] : []));
    assert.ok(heard.length >= 3);
    for (const { i, atMs } of heard) {
      const chunk = traced
        .slice(i)
        .map(({ event }) => event)
        .find((event) => event.word === "chunk" && event.kind === ChunkKind.Events);
      assert.ok(chunk?.word === "chunk");
      const ack = traced
        .slice(i)
        .find(({ event }) => event.word === "acked" && isBehind(event, chunk.epoch, chunk.index));
      assert.ok(ack !== undefined && ack.atMs - atMs <= 1000, `${(ack?.atMs ?? Number.NaN) - atMs} ms`);
    }
  });
});

function isBehind(
  { nextEpoch, nextIndex }: Extract<TraceEvent, { word: "acked" }>,
  epoch: number,
  index: number,
): boolean {
  return nextEpoch > epoch || (nextEpoch === epoch && nextIndex > index);
}
