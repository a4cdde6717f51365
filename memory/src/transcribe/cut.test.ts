import assert from "node:assert/strict";
import type { PlacedPacket } from "@salestag/protocol/team";
import fc from "fast-check";
import { type CutLimits, cut, PACKET_MS, type Part, placeOf } from "./cut";

/** Packets with gaps between, and limits. */
const cases = fc.record({
  gaps: fc.array(
    fc.oneof(
      { weight: 8, arbitrary: fc.constant(0) },
      { weight: 2, arbitrary: fc.integer({ min: 1, max: 400 }) },
      { weight: 1, arbitrary: fc.integer({ min: 400, max: 3_600_000 }) },
    ),
    { minLength: 1, maxLength: 300 },
  ),
  partMsMax: fc.integer({ min: 500, max: 4000 }),
  silenceKeptMs: fc.integer({ min: 0, max: 200 }),
});

function packetsWith(gaps: number[]): PlacedPacket[] {
  let atMs = 0;
  return gaps.map((gapMs, i) => {
    const startMs = atMs + gapMs;
    atMs = startMs + PACKET_MS;
    return { startMs, packet: Buffer.alloc(20 + ((i * 7) % 30)) };
  });
}

/** Every packet of a part with its time in the part. */
function placed(part: Part) {
  return part.pieces.flatMap(({ packets, offsetMs }) =>
    packets.map((packet) => ({ packet, atMs: packet.startMs - offsetMs })),
  );
}

describe("transcribe: cutting", () => {
  it("cutting: every packet is in one part, once, in order, and no part is longer than the limit (generated)", () => {
    fc.assert(
      fc.property(cases, ({ gaps, ...limits }) => {
        const packets = packetsWith(gaps);
        const parts = cut(packets, limits);
        assert.deepEqual(
          parts.flatMap((part) => placed(part).map(({ packet }) => packet)),
          packets,
        );
        for (const part of parts) {
          assert.ok(part.durationMs <= limits.partMsMax, `${part.durationMs} ms`);
          let endMs = 0;
          for (const { atMs } of placed(part)) {
            assert.ok(atMs >= endMs);
            endMs = atMs + PACKET_MS;
          }
          assert.equal(endMs, part.durationMs);
        }
      }),
    );
  });

  it("cutting: a time within a packet comes back exactly where the packet lies (generated)", () => {
    fc.assert(
      fc.property(
        cases,
        fc.nat({ max: PACKET_MS }),
        fc.nat({ max: PACKET_MS }),
        ({ gaps, ...limits }, a, b) => {
          for (const part of cut(packetsWith(gaps), limits))
            for (const { packet, atMs } of placed(part)) {
              const [from, to] = [Math.min(a, b), Math.max(a, b)];
              // A moment on the border of two pieces belongs to either.
              if (from === to && (from === 0 || from === PACKET_MS)) continue;
              const time = placeOf(part, atMs + from, atMs + to);
              assert.deepEqual(time, { startMs: packet.startMs + from, endMs: packet.startMs + to });
            }
        },
      ),
    );
  });

  it("cutting: times in order stay in order, and no word lies in a silence that was left out (generated)", () => {
    const times = fc.array(fc.nat({ max: 5000 }), { minLength: 2, maxLength: 40 });
    fc.assert(
      fc.property(cases, times, ({ gaps, ...limits }, ms) => {
        for (const part of cut(packetsWith(gaps), limits)) {
          const inside = ms.filter((time) => time <= part.durationMs).sort((a, b) => a - b);
          let lastMs = Number.NEGATIVE_INFINITY;
          for (let at = 0; at + 1 < inside.length; at += 2) {
            const { startMs, endMs } = placeOf(part, inside[at], inside[at + 1]);
            assert.ok(startMs >= lastMs && endMs >= startMs, `${lastMs} ${startMs} ${endMs}`);
            assert.ok(endMs - startMs <= inside[at + 1] - inside[at]);
            assert.ok(
              part.pieces.some(
                (piece) => startMs - piece.offsetMs >= piece.fromMs && endMs - piece.offsetMs <= piece.toMs,
              ),
            );
            lastMs = startMs;
          }
        }
      }),
    );
  });

  const limits: CutLimits = { partMsMax: 2000, silenceKeptMs: 100 };

  it("cutting: a part ends in the longest silence of its second half (two silences)", () => {
    const gaps = new Array<number>(120).fill(0);
    gaps[30] = 5000; // in the first half
    gaps[60] = 60;
    gaps[70] = 40;
    const [first, second] = cut(packetsWith(gaps), limits);
    assert.equal(placed(first).length, 60);
    assert.equal(placed(second).length, 60);
    assert.deepEqual(
      first.pieces.map(({ fromMs, toMs }) => [fromMs, toMs]),
      [
        [0, 700],
        [700, 1400],
      ],
    );
  });

  it("cutting: without a silence a part ends where the packets are smallest (one quiet stretch)", () => {
    const packets = packetsWith(new Array<number>(150).fill(0)).map(({ startMs }, at) => ({
      startMs,
      packet: Buffer.alloc(at >= 65 && at < 75 ? 5 : 40),
    }));
    assert.equal(placed(cut(packets, limits)[0]).length, 70);
  });

  it("cutting: a word over a silence that was left out lies where more of it was heard (earlier, later)", () => {
    const [part] = cut(packetsWith([0, 0, 0, 0, 0, 9000, 0, 0, 0, 0]), limits);
    assert.deepEqual(placeOf(part, 40, 290), { startMs: 40, endMs: 200 });
    assert.deepEqual(placeOf(part, 150, 390), { startMs: 9000, endMs: 9190 });
  });
});
