// Bounds on connections: counted by network, given back, told once.
import assert from "node:assert/strict";
import { EventEmitter, once } from "node:events";
import { connect } from "node:net";
import { Admission, LIMITS_DEFAULT, networkOf, type RawSocket } from "./admission";
import type { Relay } from "./index";
import { Bench, ManualClock } from "./testing/rigging";

class FakeSocket extends EventEmitter implements RawSocket {
  destroyed = false;
  constructor(readonly remoteAddress: string) {
    super();
  }
  destroy(): void {
    this.destroyed = true;
  }
}

describe("admission", () => {
  for (const [address, network] of [
    ["10.1.2.3", "10.1.2.3"],
    ["::ffff:10.1.2.3", "10.1.2.3"],
    ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
    ["2001:db8::1", "2001:db8:0:0::/64"],
    ["::1", "0:0:0:0::/64"],
    ["fe80::1%eth0", "fe80:0:0:0::/64"],
    ["2001:db8:1:2::", "2001:db8:1:2::/64"],
    ["", ""],
  ])
    it(`network of ${address || "no address"} is ${network || "none"}`, () =>
      assert.equal(networkOf(address), network));

  function admission(limits: Partial<typeof LIMITS_DEFAULT>, unproven = () => 0) {
    const clock = new ManualClock();
    const told: string[] = [];
    const log = { info: () => {}, warn: (event: string) => void told.push(event), error: () => {} };
    return { clock, told, door: new Admission({ ...LIMITS_DEFAULT, ...limits }, clock, log, unproven) };
  }

  it("one network has so many at a time, others are let in, and a place that is given back is free", () => {
    const { door } = admission({ connectionsPerAddress: 2 });
    const sockets = ["2001:db8::1", "2001:db8::2", "2001:db8::3"].map((address) => new FakeSocket(address));
    assert.deepEqual(
      sockets.map((socket) => door.enter(socket)),
      [true, true, false],
    );
    assert.deepEqual(
      sockets.map(({ destroyed }) => destroyed),
      [false, false, true],
    );
    assert.equal(door.enter(new FakeSocket("10.0.0.1")), true);
    sockets[0].emit("close");
    assert.equal(door.enter(new FakeSocket("2001:db8::4")), true);
    assert.equal(door.enter(new FakeSocket("2001:db8::5")), false);
    assert.equal(door.turnedAway.of("connectionsPerAddress"), 2);
  });

  it("there is a bound on all, and on those that have not proved themselves; it is told once a minute", () => {
    const all = admission({ connections: 1 });
    assert.equal(all.door.enter(new FakeSocket("10.0.0.1")), true);
    for (let i = 0; i < 5; i++) assert.equal(all.door.enter(new FakeSocket("10.0.0.2")), false);
    assert.equal(all.told.length, 1);
    all.clock.advance(60_000);
    all.door.enter(new FakeSocket("10.0.0.2"));
    assert.equal(all.told.length, 2);
    let unproven = 3;
    const some = admission({ unproven: 3 }, () => unproven);
    assert.equal(some.door.enter(new FakeSocket("10.0.0.1")), false);
    unproven = 2;
    assert.equal(some.door.enter(new FakeSocket("10.0.0.1")), true);
  });

  describe("of a relay", () => {
    let bench: Bench;
    let relay: Relay;
    beforeEach(async () => {
      bench = new Bench();
      relay = await bench.relay({ limits: { ...LIMITS_DEFAULT, connectionsPerAddress: 3 } });
    });
    afterEach(() => bench.end());

    it("a flood from one address is turned away; when it ends a badge gets in", async () => {
      const port = Number(new URL(relay.addresses[0]).port);
      const held = [];
      for (let i = 0; i < 3; i++) {
        const socket = connect(port, "127.0.0.1");
        await once(socket, "connect");
        held.push(socket);
      }
      const badge = bench.badge();
      await assert.rejects(bench.connect(relay, badge));
      assert.ok(bench.lines.some((line) => line.startsWith("warn connections are turned away")));
      const closed = held.map((socket) => once(socket, "close"));
      for (const socket of held) socket.end();
      await Promise.all(closed);
      for (;;) {
        try {
          await bench.connect(relay, badge);
          break;
        } catch (cause) {
          assert.ok(cause instanceof Error); // until the relay has seen the others go
        }
      }
    });
  });
});
