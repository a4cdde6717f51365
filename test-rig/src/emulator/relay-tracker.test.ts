import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import {
  ChunkCodec,
  ChunkKind,
  encodeAck,
  encodeChunkBodyStart,
  encodeChunkHeader,
  FRAME_MAC_BYTES,
  FrameType,
  plainFrame,
} from "@salestag/protocol";
import { RelayTracker } from "./relay-tracker";

interface FrameVector {
  name: string;
  sender: "badge" | "relay";
  frame: string;
}

const { frames } = JSON.parse(
  readFileSync(new URL("../../../protocol/vectors/frames.json", import.meta.url), "utf8"),
) as { frames: FrameVector[] };

/** @returns the frame of the vectors by sender and name */
const frameOf = (sender: "badge" | "relay", name: string): Buffer => {
  const vector = frames.find((one) => one.sender === sender && one.name === name);
  assert.ok(vector, `${sender} ${name}`);
  return Buffer.from(vector.frame, "hex");
};

const CHUNK = { epoch: 7, index: 1000 };

/** A chunk frame; here and below the MAC is zeros, for the tracker has no keys. */
const chunk = ({ epoch, index } = CHUNK): Buffer => {
  const header = encodeChunkHeader({
    badgeId: Buffer.alloc(8),
    epoch,
    index,
    kind: ChunkKind.Audio,
    startMs: 0,
    durationMs: 20,
    codec: ChunkCodec.OpusItems,
    count: 1,
  });
  const body = [encodeChunkBodyStart(header, 30), Buffer.alloc(30), Buffer.alloc(FRAME_MAC_BYTES)];
  return plainFrame(FrameType.Chunk, Buffer.concat(body));
};

const ack = (nextEpoch: number, nextIndex: number): Buffer => {
  const body = encodeAck({ nextEpoch, nextIndex, window: 8 });
  return plainFrame(FrameType.Ack, Buffer.concat([body, Buffer.alloc(FRAME_MAC_BYTES)]));
};

describe("relay tracker", () => {
  it("owes nothing before anything was said", () => {
    assert.equal(new RelayTracker().oldestMs(), undefined);
  });

  for (const [question, answer] of [
    ["hello", "challenge"],
    ["proof", "welcome"],
    ["ping", "pong"],
  ])
    it(`${question} is owed until ${answer} comes, whatever else comes before it`, () => {
      const tracker = new RelayTracker();
      tracker.sent(frameOf("badge", question), 7);
      assert.equal(tracker.oldestMs(), 7);
      assert.equal(tracker.received(frameOf("relay", "ping")), undefined);
      assert.equal(tracker.received(plainFrame(128, Buffer.alloc(9))), undefined);
      assert.equal(tracker.oldestMs(), 7);
      assert.equal(tracker.received(frameOf("relay", answer)), 7);
      assert.equal(tracker.oldestMs(), undefined);
    });

  it("what the badge says unasked owes nothing (pong, bye)", () => {
    const tracker = new RelayTracker();
    tracker.sent(Buffer.concat([frameOf("badge", "pong"), frameOf("badge", "bye")]), 1);
    assert.equal(tracker.oldestMs(), undefined);
  });

  for (const { nextEpoch, nextIndex, answers } of [
    { nextEpoch: CHUNK.epoch - 1, nextIndex: 4294967295, answers: false },
    { nextEpoch: CHUNK.epoch, nextIndex: CHUNK.index - 1, answers: false },
    { nextEpoch: CHUNK.epoch, nextIndex: CHUNK.index, answers: false },
    { nextEpoch: CHUNK.epoch, nextIndex: CHUNK.index + 1, answers: true },
    { nextEpoch: CHUNK.epoch + 1, nextIndex: 0, answers: true },
  ])
    it(`a chunk is owed until it is before what the ack names (epoch ${nextEpoch}, index ${nextIndex})`, () => {
      const tracker = new RelayTracker();
      tracker.sent(chunk(), 5);
      assert.equal(tracker.received(ack(nextEpoch, nextIndex)), answers ? 5 : undefined);
      assert.equal(tracker.oldestMs(), answers ? undefined : 5);
    });

  it("one ack may answer several chunks: the newest of them counts", () => {
    const tracker = new RelayTracker();
    for (const index of [0, 1, 2, 3]) tracker.sent(chunk({ epoch: 7, index }), 10 + index);
    assert.equal(tracker.oldestMs(), 10);
    assert.equal(tracker.received(ack(7, 3)), 12);
    assert.equal(tracker.oldestMs(), 13);
  });

  it("several pings are answered one for one, in order", () => {
    const tracker = new RelayTracker();
    for (const ms of [1, 2, 3]) tracker.sent(frameOf("badge", "ping"), ms);
    assert.equal(tracker.received(frameOf("relay", "pong")), 1);
    assert.equal(tracker.oldestMs(), 2);
    assert.equal(tracker.received(Buffer.concat([frameOf("relay", "pong"), frameOf("relay", "pong")])), 3);
    assert.equal(tracker.oldestMs(), undefined);
  });

  it("a pong too many leaves no credit for what is asked later", () => {
    const tracker = new RelayTracker();
    tracker.received(frameOf("relay", "pong"));
    tracker.sent(frameOf("badge", "ping"), 4);
    assert.equal(tracker.oldestMs(), 4);
  });

  it("a whole conversation is followed byte by byte", () => {
    const tracker = new RelayTracker();
    const say = (sender: "badge" | "relay", name: string, atMs: number) => {
      for (const byte of frameOf(sender, name))
        if (sender === "badge") tracker.sent(Buffer.from([byte]), atMs);
        else tracker.received(Buffer.from([byte]));
    };
    const owed: (number | undefined)[] = [];
    for (const [atMs, [sender, name]] of (
      [
        ["badge", "hello"],
        ["relay", "challenge"],
        ["badge", "proof"],
        ["badge", "chunk"],
        ["relay", "welcome"],
        ["badge", "ping"],
        ["relay", "ack"],
        ["relay", "pong"],
      ] as const
    ).entries()) {
      say(sender, name, atMs);
      owed.push(tracker.oldestMs());
    }
    assert.deepEqual(owed, [0, undefined, 2, 2, 3, 3, 5, undefined]);
  });

  for (const [what, last] of [
    ["an error", frameOf("relay", "error")],
    ["a bye", plainFrame(FrameType.Bye, Buffer.alloc(9))],
    ["a length of 0", Buffer.from([0, 0])],
    ["an ack that is none", plainFrame(FrameType.Ack, Buffer.alloc(12, 0xff))],
  ] as const)
    it(`nothing is owed any more after ${what}, which answers the oldest question`, () => {
      const tracker = new RelayTracker();
      tracker.sent(frameOf("badge", "chunk"), 5);
      tracker.sent(frameOf("badge", "ping"), 6);
      assert.equal(tracker.received(last), 5);
      assert.equal(tracker.oldestMs(), undefined);
      tracker.sent(frameOf("badge", "ping"), 9);
      assert.equal(tracker.oldestMs(), undefined);
      assert.equal(tracker.received(frameOf("relay", "pong")), undefined);
    });
});
