// What was erased stays out of a whole memory, with its own embedded database and vault.
import { strict as assert } from "node:assert";
import { badgeKeys } from "@salestag/protocol/testing";
import { conversationId } from "./model/conversation-id";
import { MemoryUnderTest } from "./testing/memory-under-test";
import { talk } from "./testing/team";

describe("memory: erasure", () => {
  const test = new MemoryUnderTest();
  before(() => test.makeTeam(2));
  after(() => test.end());

  it("erased: a conversation is gone everywhere and not taken in again, also after a restart", async () => {
    await test.fresh();
    const records = talk({ badge: 1, epoch: 2, phrases: ["too expensive"] });
    const { badge } = badgeKeys(1);
    await test.take(records);
    await test.take(talk({ badge: 1, epoch: 3 }));
    const actor = { teamId: test.memory.teamId, personId: null };
    const kept = conversationId(badge, 3);
    await test.memory.eraser.erase(actor, { kind: "conversation", id: conversationId(badge, 2) }, "asked");
    const stands = async () => {
      const rows = await test.rows<{ id: string }>("select id from salestag.conversation");
      return [rows.map(({ id }) => id), test.memory.archive.places()];
    };
    await test.take(records);
    assert.deepEqual(await stands(), [[kept], [{ badge, epoch: 3 }]]);
    assert.equal(test.memory.intake.counts.erased, records.length);
    await test.restart();
    await test.take(records);
    assert.deepEqual(await stands(), [[kept], [{ badge, epoch: 3 }]]);
    assert.deepEqual(test.memory.problems(), []);
  });
});
