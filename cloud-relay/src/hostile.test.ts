// Hostile input: a short run of the generator, and every finding of longer ones as a fixed case. The long run: npm run fuzz:relay.
import { strict as assert } from "node:assert";
import { CborWriter, decodeEvents, encodeNumber, FormatError, FrameType } from "@salestag/protocol/host";
import { BadgeLink } from "./testing/hostile/badge-link";
import { checkMemory, fuzz } from "./testing/hostile/fuzz";
import { World } from "./testing/hostile/world";
import { Random } from "./testing/random";

const FRAMES = 20_000;

describe("hostile input", () => {
  it(`hostile input: nothing of it crashes, hangs or fills the relay, and nothing gets past it (${FRAMES} frames)`, async () => {
    const report = await fuzz({ frames: FRAMES, seed: 1, from: 0 });
    checkMemory(report);
    assert.equal(report.frames, FRAMES);
    assert(report.chunksDelivered > 100, `${report.chunksDelivered} chunks were delivered in between`);
    for (const code of ["BadFrame", "Version", "UnknownBadge", "BadProof", "Unexpected", "Timeout"])
      assert(report.refusals.has(code), `no connection was refused with ${code}`);
  });

  it("finding: a badge that reads nothing is logged once, however many pings it sent at once", async () => {
    const random = new Random(1);
    const world = await World.open(random);
    const link = new BadgeLink(world, world.badge(random), random);
    await link.hello();
    await link.prove();
    link.socket.badgeStopsReading();
    link.doom();
    const ping = () => link.session?.frame(FrameType.Ping, encodeNumber(0)) as Buffer;
    const logged = world.logged;
    link.socket.badgeSends(Buffer.concat(Array.from({ length: 10_000 }, ping)));
    await link.settle();
    assert.equal(link.closed, true);
    assert.equal(world.logged - logged, 1);
    await world.close();
  });

  it("finding: an event whose time is beyond 2^53 - 1 ms is refused, one that is at it is not", () => {
    const events = (afterMs: number) => new CborWriter(32).array(1).array(2).uint(10).uint(afterMs).done();
    const startMs = 2 ** 53 - 1000;
    assert.equal(decodeEvents(events(999), startMs)[0].atMs, 2 ** 53 - 1);
    assert.throws(() => decodeEvents(events(1000), startMs), FormatError);
  });
});
