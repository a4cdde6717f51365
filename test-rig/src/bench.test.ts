import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { FRAME_MS } from "@salestag/protocol";
import {
  BadgeSettings,
  JD_CLASS_DEVICESCRIPT_MANAGER,
  JD_CLASS_SETTINGS,
  setProgramRunning,
} from "@salestag/protocol/jacdac";
import { FRAME_HEADER_BYTES, writeFrame } from "./audio/frame";
import { newBadgeState } from "./badge-state";
import { BENCH_DEFAULTS, Bench, type DropRule } from "./bench";

const BADGE = "0011223344556677";
/** Nothing listens there. */
const RELAY = "tcp://127.0.0.1:1";
const PLAYED_FRAMES = 1000; // 20 s
const OPUS_BYTES = 40;

const newBench = () => Bench.open({ ...BENCH_DEFAULTS, state: newBadgeState("0102030405060708") });

/** A frame of silence. */
const silence = (seq: number): Buffer => {
  const features = new Uint8Array(FRAME_HEADER_BYTES - 4);
  features[0] = 2 << 4; // layout 2
  features[1] = 255; // the lowest level
  const frame = Buffer.alloc(FRAME_HEADER_BYTES + OPUS_BYTES);
  writeFrame(frame, 0, seq, features, Buffer.alloc(OPUS_BYTES, seq));
  return frame;
};

async function provision(bench: Bench): Promise<void> {
  const { client } = bench;
  const manager = await client.find(JD_CLASS_DEVICESCRIPT_MANAGER, 5000);
  const settings = new BadgeSettings(client, await client.find(JD_CLASS_SETTINGS, 5000));
  await setProgramRunning(client, manager, false);
  const key = randomBytes(32).toString("hex");
  for (const [name, value] of Object.entries({
    authKey: key,
    chain: { n: 0, k: key },
    relay: RELAY,
    badge: BADGE,
  }))
    await settings.write(name, Buffer.from(JSON.stringify(value)));
  await setProgramRunning(client, manager, true);
}

describe("bench: the badge program", () => {
  it("a badge without keys says what to do and asks for no sound", async () => {
    const lines: string[] = [];
    const bench = await newBench();
    bench.listenLog((line) => lines.push(line));
    const frontEnd = bench.plugFrontEnd(silence);
    await bench.until(() => bench.trace.length === 2, 6000);
    assert.ok(lines.some((line) => line.includes("not provisioned: run 'salestag provision'")));
    assert.equal(frontEnd.startMs, -1);
    assert.deepEqual(bench.trace, [{ word: "unprovisioned" }, { word: "unprovisioned" }]);
    bench.badge.powerOff();
  });

  it("a provisioned badge says who it is and which relay it looks for, also after power off", async () => {
    const bench = await newBench();
    await bench.drive(provision(bench));
    await bench.until(() => bench.traced("down").length > 0, 10_000);
    assert.deepEqual(bench.traced("ready"), [{ word: "ready", badge: BADGE, relay: RELAY }]);
    assert.match(bench.traced("down")[0].why, /ECONNREFUSED/);
    const state = bench.state();
    bench.badge.powerOff();
    const again = await Bench.open({ ...BENCH_DEFAULTS, state });
    await again.until(() => again.traced("ready").length > 0, 10_000);
    assert.deepEqual(again.traced("ready"), bench.traced("ready"));
    again.badge.powerOff();
  });

  for (const { what, lost } of [
    { what: "nothing but the frame after the end", lost: [] },
    {
      what: "frames 3 to 5, 100 and 990 to 991",
      lost: [
        [3, 6],
        [100, 101],
        [990, 992],
      ],
    },
    {
      what: "every second frame from 500 to 518",
      lost: Array.from({ length: 10 }, (_, i) => [500 + 2 * i, 501 + 2 * i]),
    },
  ])
    it(`50 frames a second arrive for 20 s, what is dropped is traced exactly (${what})`, async () => {
      const bench = await newBench();
      await bench.drive(provision(bench));
      // The last drop proves that the program still counted at the end: without it, no loss could also mean no hearing.
      const stretches = [...lost, [PLAYED_FRAMES, PLAYED_FRAMES + 1]];
      const drop: DropRule = (seq) => stretches.some(([from, to]) => seq >= from && seq < to);
      const frontEnd = bench.plugFrontEnd(silence, drop);
      const played = await bench.until(() => frontEnd.seq >= PLAYED_FRAMES + 2, 30_000);
      await bench.until(() => false, 100);
      assert.ok(played);
      const seen = bench.traced("lost").map(({ fromSeq, toSeq }) => [fromSeq, toSeq]);
      assert.deepEqual(seen, stretches);
      assert.equal(bench.badge.droppedFrames, 0);
      assert.ok(bench.time.nowMs() - frontEnd.startMs >= PLAYED_FRAMES * FRAME_MS);
      bench.badge.powerOff();
    });
});
