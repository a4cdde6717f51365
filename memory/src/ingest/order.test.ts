// Whatever the order, the repetitions and the interruptions in which chunks come: in the end the database holds the same.
import { strict as assert } from "node:assert";
import type { ChunkRecord } from "@salestag/protocol/host";
import { RECEIVED_MS } from "@salestag/protocol/testing";
import fc from "fast-check";
import type { Database } from "../store/database";
import { openDatabase } from "../store/open";
import { emptied } from "../testing/databases";
import { MemoryUnderTest } from "../testing/memory-under-test";
import { interlude, talk } from "../testing/team";

const RUNS = Number(process.env.SALESTAG_PROPERTY_RUNS ?? 4);

const ALL: ChunkRecord[] = [
  ...talk({ epoch: 0, phrases: ["too expensive", "call me"], startUnixMs: null }),
  ...interlude(0, 1, 1, RECEIVED_MS),
  ...talk({ epoch: 2, phrases: ["sign me up"], audio: 2 }),
  ...talk({ badge: 1, phrases: ["my wife decides"], audio: 1 }),
  ...talk({ badge: 1, epoch: 1, consent: null, phrases: ["not to be kept"] }),
];

describe("ingest: order", () => {
  const test = new MemoryUnderTest();
  let database: Database;

  before(async () => {
    await test.makeTeam(2);
    database = await openDatabase({ folder: test.path("shared") });
  });
  after(async () => {
    await database.close();
    await test.end();
  });

  async function run(
    batches: ChunkRecord[][],
    restartAfter: Set<number>,
  ): Promise<Record<string, unknown[]>> {
    await emptied(database);
    await test.fresh({ database });
    for (const [at, batch] of batches.entries()) {
      await Promise.all(batch.map((record) => test.memory.intake.take([record])));
      if (restartAfter.has(at)) await test.restart({ database });
    }
    await test.memory.idle();
    const dump = await test.dump();
    await test.memory.close();
    return dump;
  }

  it(`order: shuffled, repeated, in batches of any size, with restarts between (${RUNS} runs)`, async () => {
    const whole = await run([ALL], new Set());
    assert.equal(whole.conversation.length, 3);
    assert.ok(!JSON.stringify(whole).includes("not to be kept"));
    const arrival = fc.record({
      order: fc.shuffledSubarray(ALL, { minLength: ALL.length }),
      repeated: fc.shuffledSubarray(ALL),
      sizes: fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 60, maxLength: 60 }),
      restarts: fc.uniqueArray(fc.integer({ min: 0, max: 20 }), { maxLength: 3 }),
    });
    await fc.assert(
      fc.asyncProperty(arrival, async ({ order, repeated, sizes, restarts }) => {
        const left = [...order, ...repeated];
        const batches: ChunkRecord[][] = [];
        for (const size of sizes) if (left.length > 0) batches.push(left.splice(0, size));
        assert.deepEqual(await run([...batches, left], new Set(restarts)), whole);
      }),
      { numRuns: RUNS, endOnFailure: true },
    );
  });

  it(`gaps: any subset of the chunks, then the others after a long quiet (${RUNS} runs)`, async () => {
    const whole = await run([ALL], new Set());
    await fc.assert(
      fc.asyncProperty(fc.shuffledSubarray(ALL), async (first) => {
        await emptied(database);
        await test.fresh({ database });
        await test.take(first);
        test.clock.move(40 * 60_000);
        await test.memory.idle();
        const rows = await test.rows<{ state: string }>("select distinct state from salestag.conversation");
        assert.ok(rows.every(({ state }) => state === "final"));
        await test.take(ALL);
        assert.deepEqual(await test.dump(), whole);
        await test.memory.close();
      }),
      { numRuns: RUNS, endOnFailure: true },
    );
  });
});
