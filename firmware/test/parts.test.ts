// The small parts of the badge's logic: outbox, pauses between attempts.
import assert from "node:assert/strict";
import { backoffMs } from "../src/backoff";
import { OUTBOX_BYTES_MAX, OUTBOX_RESERVE_BYTES, RETRY_MS_MAX, RETRY_MS_MIN } from "../src/config";
import { Outbox } from "../src/outbox";

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
