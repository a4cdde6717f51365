// Shredding: for any set of conversations and any order, exactly those have no key any more, and nothing in the file leads to one.
// `salestag open` itself says the same.
import { strict as assert } from "node:assert";
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { EndReason, EventKind } from "@salestag/protocol/host";
import {
  type BadgeKeys,
  ExitCode,
  epochKeyFor,
  inboxKeyFor,
  isBadgeKeys,
  mergeKeys,
  OWN_KEYS_MAX,
  ownEpochs,
  shreddedRanges,
  shredEpochs,
} from "@salestag/protocol/team";
import {
  type AllKeys,
  allKeysOf,
  audioChunk,
  badgeKeys,
  eventsChunk,
  makeVault,
  opusPackets,
  person,
  recordOf,
  toolError,
  useFolder,
  writeRecord,
} from "@salestag/protocol/testing";
import fc from "fast-check";
import { openConversations } from "../open/open";

const EPOCHS = 24;
const FRESH = badgeKeys(0);
const ALL = allKeysOf(FRESH, EPOCHS + 1);
const epochSet = fc.uniqueArray(fc.nat(EPOCHS - 1), { maxLength: EPOCHS });
/** Shredded in so many runs. */
const history = fc.array(epochSet, { maxLength: 4 });

function shredAll(keys: BadgeKeys, runs: number[][]): BadgeKeys {
  return runs.reduce((before, epochs) => shredEpochs(before, epochs).keys, keys);
}

/** Checks that the keys open every epoch but these, and that what is in them leads to none of these. */
function assertOpens(keys: BadgeKeys, shredded: Set<number>, all: AllKeys): void {
  assert.ok(isBadgeKeys(keys));
  for (let epoch = 0; epoch <= EPOCHS; epoch++)
    if (shredded.has(epoch))
      assert.throws(() => epochKeyFor(keys, epoch), toolError(ExitCode.Keys, /was shredded/));
    else assert.equal(epochKeyFor(keys, epoch).toString("hex"), all.epoch[epoch]);
  const text = JSON.stringify(keys);
  for (const epoch of shredded) {
    assert.ok(!text.includes(all.epoch[epoch]), `key of epoch ${epoch}`);
    // A chain key leads to the keys of its own epoch and all after it.
    for (const chainKey of all.chain.slice(0, epoch + 1)) assert.ok(!text.includes(chainKey), "chain key");
  }
}

describe("shred", () => {
  it("shred: exactly the epochs that were shredded have no key (any sets, one after the other)", () => {
    fc.assert(
      fc.property(history, (runs) => {
        const keys = shredAll(FRESH, runs);
        assertOpens(keys, new Set(runs.flat()), ALL);
        assert.deepEqual(inboxKeyFor(keys), inboxKeyFor(FRESH));
      }),
      { numRuns: 300 },
    );
  });

  it("shred: what was done and what had been done is told (any sets)", () => {
    fc.assert(
      fc.property(epochSet, epochSet, (first, second) => {
        const { shredded, already } = shredEpochs(shredAll(FRESH, [first]), second);
        const inOrder = [...second].sort((a, b) => a - b);
        assert.deepEqual(
          already,
          inOrder.filter((epoch) => first.includes(epoch)),
        );
        assert.deepEqual(
          shredded,
          inOrder.filter((epoch) => !first.includes(epoch)),
        );
      }),
    );
  });

  it("shred: merged with another vault, only what both open opens (any two histories)", () => {
    fc.assert(
      fc.property(history, history, (one, other) => {
        const [ours, theirs] = [shredAll(FRESH, one), shredAll(FRESH, other)];
        const shredded = new Set([...one.flat(), ...other.flat()]);
        for (const merged of [mergeKeys(ours, theirs), mergeKeys(theirs, ours)]) {
          assertOpens(merged, shredded, ALL);
          assert.deepEqual(inboxKeyFor(merged), inboxKeyFor(FRESH));
          assert.deepEqual(mergeKeys(merged, ours), merged);
          assert.deepEqual(mergeKeys(merged, theirs), merged);
        }
      }),
      { numRuns: 300 },
    );
  });

  it("shred: runs for the list (none; the first; in the middle and at the end)", () => {
    assert.deepEqual(shreddedRanges(FRESH), []);
    assert.deepEqual(shreddedRanges(shredAll(FRESH, [[0]])), [[0, 0]]);
    const keys = shredAll(FRESH, [[9, 3, 4], [8]]);
    assert.deepEqual(shreddedRanges(keys), [
      [3, 4],
      [8, 9],
    ]);
    assert.deepEqual(ownEpochs(keys), [0, 1, 2, 5, 6, 7]);
  });

  it("shred: a number too far ahead is refused, the last possible one is not", function () {
    this.timeout(60_000);
    const words = /would keep 100001 single keys/;
    assert.throws(() => shredEpochs(FRESH, [OWN_KEYS_MAX]), toolError(ExitCode.Usage, words));
    const { keys } = shredEpochs(FRESH, [OWN_KEYS_MAX - 1]);
    assert.equal(ownEpochs(keys).length, OWN_KEYS_MAX - 1);
  });

  for (const [name, change] of [
    ["other hardware", { deviceId: "0".repeat(16) }],
    ["other authentication key", { authKey: "0".repeat(64) }],
    ["other chain", { chain: { epoch: 0, key: "0".repeat(64) } }],
    ["other chain, ahead", { chain: { epoch: 5, key: "0".repeat(64) } }],
    ["other key of an epoch", { ...shredAll(FRESH, [[3]]), epochKeys: { 1: "0".repeat(64) } }],
    ["a chain absurdly far ahead", { chain: { epoch: 2_000_000, key: "0".repeat(64) } }],
    ["a key of its own that the chain has too", { epochKeys: { 7: "0".repeat(64) } }],
    ["other inbox key", { inboxKey: "0".repeat(64) }],
  ] as const)
    it(`merge: keys that contradict each other are refused (${name})`, () => {
      const other = { ...FRESH, ...change } as BadgeKeys;
      for (const [ours, theirs] of [
        [FRESH, other],
        [other, FRESH],
      ])
        assert.throws(
          () => mergeKeys(ours, theirs),
          toolError(ExitCode.Keys, /different keys for badge 0123/),
        );
    });
});

describe("shred: salestag open", () => {
  const folder = useFolder();

  it("shred: open refuses the shredded conversations and opens the others, earlier and later (any sets)", async function () {
    this.timeout(120_000);
    const epochs = [0, 1, 2, 3, 4, 5];
    const kim = await person(folder(), "kim");
    const relay = join(folder(), "relay");
    mkdirSync(relay);
    const end = { kind: EventKind.ConversationEnd, atMs: 100, values: [EndReason.Silence] };
    for (const epoch of epochs)
      for (const plan of [audioChunk(0, 0, opusPackets(5)), eventsChunk(1, [end])])
        writeRecord(relay, recordOf(plan, epochKeyFor(FRESH, epoch), epoch, 0, FRESH.badge));
    await fc.assert(
      fc.asyncProperty(fc.subarray(epochs), async (shredded) => {
        rmSync(join(folder(), "vault"), { recursive: true, force: true });
        const vault = await makeVault(join(folder(), "vault"), [kim], 1);
        const { keys } = shredEpochs(FRESH, shredded);
        await vault.change((change) => change.replace(keys));
        const refused: [number, string][] = [];
        const opened = await openConversations({
          folder: relay,
          vault,
          identities: kim.identities,
          out: join(folder(), "out"),
          onUnopened: (_badge, epoch, why) => refused.push([epoch, why.message]),
        });
        assert.deepEqual(
          opened.map(({ timeline }) => [timeline.epoch, timeline.complete, timeline.problems]),
          epochs.filter((epoch) => !shredded.includes(epoch)).map((epoch) => [epoch, true, []]),
        );
        assert.deepEqual(
          refused,
          shredded.map((epoch) => [
            epoch,
            `conversation ${epoch} of badge ${FRESH.badge} was shredded: its key was deleted and nothing opens it.`,
          ]),
        );
      }),
      { numRuns: 20 },
    );
  });
});
