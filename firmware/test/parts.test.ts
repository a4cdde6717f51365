// The small parts of the badge's logic: voice activity, outbox, pauses between attempts.
import assert from "node:assert/strict";
import fc from "fast-check";
import { backoffMs } from "../src/backoff";
import {
  OUTBOX_BYTES_MAX,
  OUTBOX_RESERVE_BYTES,
  RETRY_MS_MAX,
  RETRY_MS_MIN,
  TUNING_DEFAULT,
} from "../src/config";
import { Outbox } from "../src/outbox";
import { BANDS, VoiceActivity } from "../src/vad";

const { onsetScore, releaseScore } = TUNING_DEFAULT;

describe("voice activity", () => {
  const frames = (level: number) => Buffer.alloc(BANDS, level);
  const speechAfter = (vad: VoiceActivity, level: number, count: number): boolean => {
    for (let i = 0; i < count; i++) vad.update(frames(level), 0);
    return vad.speech;
  };

  for (const level of [0, 45, 120])
    it(`a room that stays the same is no speech, whatever its level (${level} units)`, () => {
      const vad = new VoiceActivity(onsetScore, releaseScore);
      assert.equal(speechAfter(vad, level, 1500), false);
    });

  it("a voice 15 dB above the room is speech within 60 ms, its end within 600 ms", () => {
    const vad = new VoiceActivity(onsetScore, releaseScore);
    speechAfter(vad, 40, 500);
    assert.equal(speechAfter(vad, 80, 3), true);
    assert.equal(speechAfter(vad, 40, 30), false);
  });

  it("4 dB above the room are not enough", () => {
    const vad = new VoiceActivity(onsetScore, releaseScore);
    speechAfter(vad, 40, 500);
    assert.equal(speechAfter(vad, 50, 50), false);
  });

  it("a fan that starts is taken for speech at first and for the room within 10 s", () => {
    const vad = new VoiceActivity(onsetScore, releaseScore);
    speechAfter(vad, 40, 500);
    assert.equal(speechAfter(vad, 75, 10), true);
    assert.equal(speechAfter(vad, 75, 500), false);
  });

  it("the same frames give the same scores, whole numbers from 0 on (any frames)", () => {
    const any = fc.array(fc.uint8Array({ minLength: BANDS, maxLength: BANDS }), { maxLength: 60 });
    fc.assert(
      fc.property(any, (bands) => {
        const [a, b] = [
          new VoiceActivity(onsetScore, releaseScore),
          new VoiceActivity(onsetScore, releaseScore),
        ];
        for (const frame of bands) {
          a.update(Buffer.from(frame), 0);
          b.update(Buffer.concat([Buffer.alloc(8), frame]), 8);
          assert.equal(a.score, b.score);
          assert.ok(Number.isInteger(a.score) && a.score >= 0 && a.score < 1 << 14);
        }
      }),
    );
  });
});

describe("outbox", () => {
  const chunk = (epoch: number, index: number, bytes = 100) => ({
    epoch,
    index,
    header: Buffer.alloc(30),
    sealed: Buffer.alloc(bytes - 30),
  });

  it("has room up to its bound, for events up to the reserve more", () => {
    const outbox = new Outbox();
    outbox.put(chunk(0, 0, OUTBOX_BYTES_MAX - 100));
    assert.equal(outbox.hasRoom(100, false), true);
    assert.equal(outbox.hasRoom(101, false), false);
    assert.equal(outbox.hasRoom(100 + OUTBOX_RESERVE_BYTES, true), true);
    assert.equal(outbox.hasRoom(101 + OUTBOX_RESERVE_BYTES, true), false);
    assert.equal(outbox.forgetBefore(0, 1), 1);
    assert.equal(outbox.hasRoom(OUTBOX_BYTES_MAX, false), true);
  });

  it("forgets by position: epoch first, then index", () => {
    const outbox = new Outbox();
    for (const [epoch, index] of [
      [3, 0],
      [3, 1],
      [5, 0],
      [6, 2],
    ])
      outbox.put(chunk(epoch, index));
    assert.equal(outbox.forgetBefore(2, 9), 0);
    assert.equal(outbox.forgetBefore(3, 1), 1);
    assert.equal(outbox.forgetBefore(4, 0), 1);
    assert.equal(outbox.forgetBefore(6, 2), 1);
    assert.deepEqual([outbox.count(), outbox.at(0)?.epoch, outbox.at(1)], [1, 6, undefined]);
  });
});

describe("backoff", () => {
  it("doubles from half a second to a minute, and spreads over the upper half", () => {
    let pauseMs = RETRY_MS_MIN;
    for (let attempt = 1; attempt <= 12; attempt++) {
      assert.equal(backoffMs(attempt, 0), pauseMs / 2, `attempt ${attempt}`);
      assert.ok(backoffMs(attempt, 255) < pauseMs && backoffMs(attempt, 255) > 0.99 * pauseMs);
      pauseMs = Math.min(2 * pauseMs, RETRY_MS_MAX);
    }
  });
});
