// A real memory is killed at random instants while chunks come over its webhook and in its relay's folder. What it said it has it has: nothing of it is sent
// again. In the end every conversation is there once and whole, as in a memory that nobody disturbed.
import { strict as assert } from "node:assert";
import { mkdirSync } from "node:fs";
import { setTimeout } from "node:timers/promises";
import type { ChunkRecord } from "@salestag/protocol/host";
import { writeRecord } from "@salestag/protocol/testing";
import { MemoryUnderTest } from "./testing/memory-under-test";
import { MemoryProcess } from "./testing/process";
import { talk } from "./testing/team";

const ROUNDS = Number(process.env.SALESTAG_KILL_ROUNDS ?? 3);
const SEED = Number(process.env.SALESTAG_SEED ?? 1);
/** Conversations that come in each round, over each way. */
const TALKS = 3;
const BATCH = 4;
const KILL_MS_MAX = 900;

describe("memory: killed", function () {
  this.timeout(600_000);
  const test = new MemoryUnderTest();
  let memory: MemoryProcess;
  let state = SEED;
  const random = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };

  before(() => test.makeTeam(2));
  after(async () => {
    await memory?.kill();
    await test.end();
  });

  /** Posts until all is taken or nobody answers. @returns what was not taken */
  async function feed(records: ChunkRecord[]): Promise<ChunkRecord[]> {
    const left = [...records];
    while (left.length > 0) {
      const status = await memory.post(left.slice(0, BATCH), Date.now());
      if (status !== 204) return left;
      left.splice(0, BATCH);
    }
    return left;
  }

  it(`kill -9 amid ingest: everything is there once, as undisturbed (${ROUNDS} rounds, seed ${SEED})`, async () => {
    mkdirSync(test.path("killed"));
    memory = new MemoryProcess(test.path("killed"), test.team);
    mkdirSync(memory.relayFolder);
    const all: ChunkRecord[] = [];
    let left: ChunkRecord[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const posted = Array.from({ length: TALKS }, (_, n) =>
        talk({ badge: 0, epoch: round * TALKS + n, phrases: ["too expensive", `call me ${round}`] }),
      ).flat();
      const laid = Array.from({ length: TALKS }, (_, n) =>
        talk({ badge: 1, epoch: round * TALKS + n, phrases: ["my wife decides", "not now"] }),
      ).flat();
      all.push(...posted, ...laid);
      left.push(...posted);
      await memory.start();
      for (const record of laid) writeRecord(memory.relayFolder, record);
      // The instant is what the test is about: any may do.
      const killed = setTimeout(random() * KILL_MS_MAX).then(() => memory.kill());
      left = await feed(left);
      await killed;
    }
    await memory.start();
    assert.deepEqual(await feed(left), []);
    assert.equal(await memory.stop(), 0);

    const { relayFolder } = memory;
    await test.start({}, { data: memory.data, relayFolder });
    await test.memory.idle();
    const disturbed = await test.dump();
    await test.memory.close();
    await test.fresh();
    await test.take(all);
    const undisturbed = await test.dump();
    assert.equal(undisturbed.conversation.length, 2 * TALKS * ROUNDS);
    assert.deepEqual(disturbed, undisturbed);
  });
});
