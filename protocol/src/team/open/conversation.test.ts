// A conversation put together from its chunks: packets, gaps, events and times in their places, and the name of whatever is wrong.
import { strict as assert } from "node:assert";
import { type BadgeEvent, type ChunkRecord, EndReason, EventKind, LossCause, Talker } from "../../host";
import {
  audioChunk,
  BADGE,
  type ChunkPlan,
  eventsChunk,
  type Item,
  opusPackets,
  RECEIVED_MS,
  recordOf,
} from "../../testing/conversation.fixture";
import { bytesOf } from "../../testing/tools";
import { openConversation } from "./conversation";

const KEY = bytesOf(3, 32);
const PACKETS = opusPackets(20);
/** Time of the badge since its boot when the conversation starts. */
const BOOT_MS = 60_000;

const end = (atMs: number, reason = EndReason.Silence): BadgeEvent => ({
  kind: EventKind.ConversationEnd,
  atMs,
  values: [reason],
});

function opened(plans: ChunkPlan[], change: (records: ChunkRecord[]) => ChunkRecord[] = (same) => same) {
  const records = plans.map((plan) => recordOf(plan, KEY));
  return openConversation(BADGE, 0, KEY, change(records), []);
}

function items(from: number, to: number): Item[] {
  return PACKETS.slice(from, to);
}

describe("conversation", () => {
  it("heard: turns with near and far, key phrases with text, times and scores", () => {
    const { timeline } = opened([
      audioChunk(0, BOOT_MS, items(0, 5)),
      eventsChunk(1, [
        { kind: EventKind.Turn, atMs: BOOT_MS + 20, values: [2400, Talker.Near, 41] },
        {
          kind: EventKind.KeyPhrase,
          atMs: BOOT_MS + 900,
          values: [720, -1843, -2560],
          text: "too expensive",
        },
        { kind: EventKind.Turn, atMs: BOOT_MS + 3000, values: [500, Talker.Far, 66] },
        { kind: EventKind.Turn, atMs: BOOT_MS + 4000, values: [100, 9, 66] },
      ]),
    ]);
    assert.deepEqual(timeline.turns, [
      { startMs: 20, endMs: 2420, talker: "near", levelDbfs: -20.5 },
      { startMs: 3000, endMs: 3500, talker: "far", levelDbfs: -33 },
      { startMs: 4000, endMs: 4100, talker: "unsure", levelDbfs: -33 },
    ]);
    assert.deepEqual(timeline.phrases, [
      { startMs: 900, endMs: 1620, text: "too expensive", scoreNats: -1843 / 1024, thresholdNats: -2.5 },
    ]);
    assert.deepEqual(timeline.events[1], {
      name: "key phrase",
      atMs: 900,
      values: [720, -1843, -2560],
      text: "too expensive",
    });
    assert.deepEqual(timeline.problems, []);
  });

  it("places: packets and gaps of every cause", () => {
    const { packets, timeline } = opened([
      audioChunk(0, BOOT_MS, [...items(0, 2), { silence: 3 }, ...items(2, 3), { lost: 2 }, ...items(3, 4)]),
      audioChunk(1, BOOT_MS + 180, items(4, 5)), // follows at once
      audioChunk(2, BOOT_MS + 300, items(5, 6)), // after 100 ms that nobody kept
      audioChunk(4, BOOT_MS + 500, items(6, 7)), // after a chunk that is not here
    ]);
    assert.deepEqual(
      packets.map(({ startMs }) => startMs),
      [0, 20, 100, 160, 180, 300, 500],
    );
    assert.deepEqual(
      packets.map(({ packet }) => packet),
      PACKETS.slice(0, 7),
    );
    assert.deepEqual(timeline.gaps, [
      { startMs: 40, durationMs: 60, cause: "silence" },
      { startMs: 120, durationMs: 40, cause: "lost" },
      { startMs: 200, durationMs: 100, cause: "silence" },
      { startMs: 320, durationMs: 180, cause: "missing" },
    ]);
    assert.deepEqual([timeline.packets, timeline.durationMs, timeline.missing], [7, 520, [3]]);
    assert.deepEqual(timeline.problems, []);
    assert.equal(timeline.complete, false);
  });

  it("places: a gap keeps its length (90 frames)", () => {
    const long = { silence: 90 };
    const { packets } = opened([audioChunk(0, 0, [PACKETS[0], long, PACKETS[1]])]);
    assert.deepEqual(
      packets.map(({ startMs }) => startMs),
      [0, 20 + 90 * 20],
    );
  });

  it("order: chunks in any order give the same conversation", () => {
    const plans = [0, 1, 2, 3].map((n) => audioChunk(n, BOOT_MS + n * 40, items(2 * n, 2 * n + 2)));
    assert.deepEqual(
      opened(plans, (records) => [records[2], records[0], records[3], records[1]]),
      opened(plans),
    );
  });

  it("events: every kind, in time order, relative to the start", () => {
    const { timeline } = opened([
      eventsChunk(0, [{ kind: EventKind.ConversationStart, atMs: BOOT_MS, values: [] }]),
      audioChunk(1, BOOT_MS, items(0, 4)),
      eventsChunk(2, [
        { kind: EventKind.Speech, atMs: BOOT_MS + 20, values: [40] },
        { kind: EventKind.Loss, atMs: BOOT_MS + 60, values: [20, LossCause.Bus] },
        { kind: EventKind.Loss, atMs: BOOT_MS + 60, values: [40, LossCause.OutboxFull] },
        { kind: EventKind.Loss, atMs: BOOT_MS + 60, values: [1, 9] },
        { kind: 77, atMs: BOOT_MS + 70, values: [1, 2, 3] },
        end(BOOT_MS + 80),
      ]),
    ]);
    assert.deepEqual(timeline.speech, [{ startMs: 20, endMs: 60 }]);
    assert.deepEqual(timeline.losses, [
      { startMs: 60, durationMs: 20, cause: "lost before the badge's program" },
      { startMs: 60, durationMs: 40, cause: "badge's outbox was full" },
      { startMs: 60, durationMs: 1, cause: "cause 9" },
    ]);
    assert.deepEqual(
      timeline.events.map(({ name, atMs }) => [name, atMs]),
      [
        ["conversation start", 0],
        ["speech", 20],
        ["loss", 60],
        ["loss", 60],
        ["loss", 60],
        ["kind 77", 70],
        ["conversation end", 80],
      ],
    );
    assert.equal(timeline.complete, true);
  });

  it("chunks: index, kind, times, size and receive time of each", () => {
    const plans = [audioChunk(0, BOOT_MS + 20, items(0, 1)), eventsChunk(1, [end(BOOT_MS)])];
    const records = plans.map((plan, i) => recordOf(plan, KEY, 0, RECEIVED_MS + i));
    const { timeline } = openConversation(BADGE, 0, KEY, records, []);
    const bytes = records.map(({ header, sealed }) => header.length + sealed.length);
    assert.deepEqual(timeline.chunks, [
      { index: 0, kind: "audio", startMs: 20, durationMs: 20, bytes: bytes[0], receivedMs: RECEIVED_MS },
      { index: 1, kind: "events", startMs: 0, durationMs: 0, bytes: bytes[1], receivedMs: RECEIVED_MS + 1 },
    ]);
  });
});

describe("conversation's start in Unix time", () => {
  const clock = (value: number): BadgeEvent => ({
    kind: EventKind.Clock,
    atMs: BOOT_MS + 500,
    values: [value],
  });

  it("start: from the badge's clock", () => {
    const { timeline } = opened([
      audioChunk(0, BOOT_MS, items(0, 1)),
      eventsChunk(1, [clock(1_700_000_000_500)]),
    ]);
    assert.deepEqual([timeline.startUnixMs, timeline.startUnixSource], [1_700_000_000_000, "badge clock"]);
  });

  it("start: estimated from the chunk that came soonest after its end", () => {
    const late = recordOf(audioChunk(0, BOOT_MS, items(0, 5)), KEY, 0, RECEIVED_MS + 9000);
    const soon = recordOf(audioChunk(1, BOOT_MS + 100, items(5, 10)), KEY, 0, RECEIVED_MS + 210);
    const { timeline } = openConversation(BADGE, 0, KEY, [late, soon], []);
    assert.deepEqual(
      [timeline.startUnixMs, timeline.startUnixSource],
      [RECEIVED_MS + 10, "estimated from receive time"],
    );
  });

  for (const value of [-1, 8.65e15, Number.MAX_SAFE_INTEGER])
    it(`start: a badge clock that no calendar has is not used (${value})`, () => {
      const { timeline } = opened([audioChunk(0, BOOT_MS, items(0, 1)), eventsChunk(1, [clock(value)])]);
      assert.equal(timeline.startUnixSource, "estimated from receive time");
      assert.equal(timeline.startUnixMs, RECEIVED_MS - 500);
    });

  it("start: unknown when there is nothing to tell it", () => {
    const { timeline } = openConversation(BADGE, 0, KEY, [], ["one file is damaged"]);
    assert.deepEqual([timeline.startUnixMs, timeline.startUnixSource], [0, "unknown"]);
    assert.deepEqual([timeline.durationMs, timeline.packets, timeline.complete], [0, 0, false]);
  });
});

describe("conversation's completeness", () => {
  const audio = audioChunk(0, BOOT_MS, items(0, 4));
  for (const [name, plans, complete, missing] of [
    ["ended by silence", [audio, eventsChunk(1, [end(BOOT_MS + 80)])], true, []],
    ["ended by length", [audio, eventsChunk(1, [end(BOOT_MS + 80, EndReason.TooLong)])], true, []],
    ["microphone lost", [audio, eventsChunk(1, [end(BOOT_MS + 80, EndReason.MicrophoneLost)])], false, []],
    ["no end", [audio], false, []],
    ["a chunk missing in the middle", [audio, eventsChunk(2, [end(BOOT_MS + 80)])], false, [1]],
    ["the first chunk missing", [eventsChunk(1, [end(BOOT_MS + 80)])], false, [0]],
  ] as [string, ChunkPlan[], boolean, number[]][])
    it(`complete: ${name}`, () => {
      const { timeline } = opened(plans);
      assert.deepEqual([timeline.complete, timeline.missing, timeline.problems], [complete, missing, []]);
    });

  it("missing: at most 10,000 indexes are listed", () => {
    const { timeline } = opened([audioChunk(4_294_967_295, BOOT_MS, items(0, 1))]);
    assert.deepEqual([timeline.missing.length, timeline.missing[9999]], [10_000, 9999]);
  });
});

describe("conversation with damage", () => {
  const plans = () => [0, 1, 2].map((n) => audioChunk(n, BOOT_MS + n * 40, items(2 * n, 2 * n + 2)));
  const damages: [string, (records: ChunkRecord[]) => void, RegExp][] = [
    ["bit flipped in sealed", ([, one]) => (one.sealed[5] ^= 1), /chunk 1 does not open/],
    ["bit flipped in tag", ([, one]) => (one.sealed[one.sealed.length - 1] ^= 128), /chunk 1 does not open/],
    ["sealed is empty", ([, one]) => (one.sealed = Buffer.alloc(0)), /chunk 1 does not open/],
    ["sealed of another chunk", ([zero, one]) => (one.sealed = zero.sealed), /chunk 1 does not open/],
    ["header of another chunk", ([zero, one]) => (one.header = zero.header), /chunk 1 does not open/],
  ];
  for (const [name, damage, words] of damages)
    it(`damage: ${name}`, () => {
      const { timeline, packets } = opened(plans(), (records) => {
        damage(records);
        return records;
      });
      assert.equal(timeline.problems.length, 1);
      assert.match(timeline.problems[0], words);
      assert.equal(timeline.complete, false);
      assert.deepEqual(
        packets.map(({ startMs }) => startMs),
        [0, 20, 80, 100],
      );
    });

  it("damage: another badge's key opens nothing and every chunk is named", () => {
    const records = plans().map((plan) => recordOf(plan, KEY));
    const { timeline, packets } = openConversation(BADGE, 0, bytesOf(4, 32), records, []);
    assert.deepEqual([packets.length, timeline.problems.length, timeline.chunks.length], [0, 3, 0]);
  });

  for (const [name, change, words] of [
    ["audio", { plaintext: Buffer.from([0x48, 0xfa, 1]) }, /audio of chunk 1 cannot be read/],
    ["events", { kind: 2, plaintext: Buffer.from([0xff]) }, /events of chunk 1 cannot be read/],
  ] as const)
    it(`damage: sealed rightly but badly coded (${name})`, () => {
      const [zero, one, two] = plans();
      const { timeline, packets } = opened([zero, { ...one, ...change }, two]);
      assert.equal(timeline.problems.length, 1);
      assert.match(timeline.problems[0], words);
      assert.equal(packets.length, 4);
    });

  it("damage: a chunk that overlaps the one before it keeps its place, what overlaps is left out", () => {
    const { timeline, packets } = opened([
      audioChunk(0, BOOT_MS, items(0, 5)),
      audioChunk(1, BOOT_MS + 40, [PACKETS[5], { silence: 1 }, PACKETS[6], PACKETS[7]]),
    ]);
    assert.deepEqual(
      packets.map(({ startMs }) => startMs),
      [0, 20, 40, 60, 80, 100],
    );
    assert.equal(timeline.problems.length, 2);
    assert.match(timeline.problems[0], /packet at 40 ms in chunk 1 overlaps/);
  });

  for (const [laterMs, kept] of [
    [24 * 3600 * 1000, 2],
    [24 * 3600 * 1000 + 20, 1],
    [2 ** 50, 1],
  ])
    it(`damage: a chunk ${laterMs} ms after the start (${kept === 2 ? "kept" : "left out"})`, () => {
      const { timeline, packets } = opened([
        audioChunk(0, BOOT_MS, items(0, 1)),
        audioChunk(1, BOOT_MS + laterMs, items(1, 2)),
      ]);
      assert.deepEqual([packets.length, timeline.problems.length], [kept, 2 - kept]);
    });
});
