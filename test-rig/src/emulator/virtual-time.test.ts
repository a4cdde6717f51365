import assert from "node:assert/strict";
import fc from "fast-check";
import { type Gate, VirtualTime } from "./virtual-time";

const newTime = () => new VirtualTime(() => performance.now());

/** A gate that the test holds and opens by hand. */
class HandGate implements Gate {
  /** Times that `changed` was asked for. */
  asked = 0;
  private wake: () => void = () => {};
  private waiting: () => void = () => {};

  constructor(private hold: number | undefined) {}

  holdMs(): number | undefined {
    return this.hold;
  }

  changed(): Promise<void> {
    this.asked++;
    this.waiting();
    return new Promise((resolve) => {
      this.wake = resolve;
    });
  }

  /** Resolves when somebody waits for this gate again. */
  held(): Promise<void> {
    return new Promise((resolve) => {
      this.waiting = resolve;
    });
  }

  move(hold: number | undefined): void {
    this.hold = hold;
    this.wake();
  }
}

describe("virtual time: order", () => {
  it("actions run in order of time, those of one time in order of arrival", async () => {
    const time = newTime();
    const ran: string[] = [];
    for (const [atMs, name] of [
      [20, "c"],
      [10, "a"],
      [20, "d"],
      [10, "b"],
      [30, "e"],
    ] as const)
      time.at(atMs, () => ran.push(`${time.nowMs()}${name}`));
    assert.equal(await time.run(100), false);
    assert.deepEqual(ran, ["10a", "10b", "20c", "20d", "30e"]);
  });

  it("an action may schedule actions: for now, for later and for a time that has passed", async () => {
    const time = newTime();
    const ran: string[] = [];
    const note = (name: string) => () => void ran.push(`${time.nowMs()} ${name}`);
    time.at(10, () => {
      note("first")();
      time.at(11, note("later"));
      time.at(10, note("now"));
      time.at(3, note("passed"));
    });
    time.at(10, note("second"));
    await time.run(100);
    assert.deepEqual(ran, ["10 first", "10 second", "10 now", "10 passed", "11 later"]);
  });

  it("what runs at the end of a time runs after all others of it, also those that come last", async () => {
    const time = newTime();
    const ran: string[] = [];
    const note = (name: string) => () => void ran.push(`${time.nowMs()} ${name}`);
    time.atEndOf(10, note("end"));
    time.atEndOf(10, note("end too"));
    time.at(11, note("next"));
    time.at(10, () => {
      note("first")();
      time.at(10, note("now"));
    });
    await time.run(100);
    assert.deepEqual(ran, ["10 first", "10 now", "10 end", "10 end too", "11 next"]);
  });

  it("any actions in any order of arrival run sorted by (time, arrival)", async () => {
    const times = fc.array(fc.integer({ min: 0, max: 30 }), { maxLength: 200 });
    await fc.assert(
      fc.asyncProperty(times, async (atMs) => {
        const time = newTime();
        const ran: [number, number][] = [];
        for (const [arrival, ms] of atMs.entries()) time.at(ms, () => ran.push([time.nowMs(), arrival]));
        await time.run(30);
        const sorted = atMs.map((ms, arrival): [number, number] => [ms, arrival]);
        sorted.sort((a, b) => a[0] - b[0] || a[1] - b[1]);
        assert.deepEqual(ran, sorted);
      }),
    );
  });

  it("any actions that schedule one more each still run in order of time", async () => {
    const pairs = fc.array(fc.tuple(fc.nat(30), fc.nat(30)), { maxLength: 100 });
    await fc.assert(
      fc.asyncProperty(pairs, async (actions) => {
        const time = newTime();
        const ranMs: number[] = [];
        for (const [atMs, delayMs] of actions)
          time.at(atMs, () => {
            ranMs.push(time.nowMs());
            time.at(atMs + delayMs, () => ranMs.push(time.nowMs()));
          });
        await time.run(60);
        const expected = actions.flatMap(([atMs, delayMs]) => [atMs, atMs + delayMs]);
        assert.deepEqual(
          ranMs,
          expected.sort((a, b) => a - b),
        );
      }),
    );
  });
});

describe("virtual time: run", () => {
  for (const { atMs, ran, nowMs } of [
    { atMs: 99, ran: 1, nowMs: 100 },
    { atMs: 100, ran: 1, nowMs: 100 },
    { atMs: 101, ran: 0, nowMs: 100 },
  ])
    it(`runs up to the limit and no further (limit 100 ms, action at ${atMs} ms)`, async () => {
      const time = newTime();
      let count = 0;
      time.at(atMs, () => count++);
      assert.equal(await time.run(100), false);
      assert.deepEqual({ ran: count, nowMs: time.nowMs() }, { ran, nowMs });
    });

  it("is repeatable: a second run goes on where the first ended", async () => {
    const time = newTime();
    const ranMs: number[] = [];
    const tick = () => {
      ranMs.push(time.nowMs());
      time.at(time.nowMs() + 10, tick);
    };
    time.at(0, tick);
    await time.run(25);
    assert.equal(time.nowMs(), 25);
    await time.run(25);
    assert.equal(time.nowMs(), 25);
    await time.run(40);
    assert.deepEqual(ranMs, [0, 10, 20, 30, 40]);
  });

  it("a limit in the past leaves time where it is", async () => {
    const time = newTime();
    await time.run(50);
    await time.run(20);
    assert.equal(time.nowMs(), 50);
  });

  it("stops at the first action that makes done() true, with later ones of the same time still due", async () => {
    const time = newTime();
    let count = 0;
    for (let i = 0; i < 3; i++) time.at(10, () => count++);
    assert.equal(await time.run(100, () => count === 2), true);
    assert.deepEqual([count, time.nowMs()], [2, 10]);
    assert.equal(await time.run(100, () => count === 2), true);
    assert.equal(count, 2);
    assert.equal(await time.run(100), false);
    assert.deepEqual([count, time.nowMs()], [3, 100]);
  });

  it("an error of an action comes out of run, and the next run goes on", async () => {
    const time = newTime();
    let ran = false;
    time.at(1, () => {
      throw new Error("broken action");
    });
    time.at(2, () => {
      ran = true;
    });
    await assert.rejects(time.run(10), /broken action/);
    await time.run(10);
    assert.ok(ran);
  });

  it("lets Node's event loop turn during a long run", async () => {
    let realMs = 0;
    const time = new VirtualTime(() => realMs++);
    let turned = false;
    setImmediate(() => {
      turned = true;
    });
    const tick = () => time.at(time.nowMs() + 1, tick);
    tick();
    assert.equal(await time.run(1000, () => turned), true);
  });
});

describe("virtual time: gates", () => {
  for (const { holdMs, ran } of [
    { holdMs: 49, ran: 0 },
    { holdMs: 50, ran: 1 },
    { holdMs: 51, ran: 1 },
  ])
    it(`what is due up to the hold runs, what is after it waits (hold ${holdMs} ms, action at 50 ms)`, async () => {
      const time = newTime();
      const gate = new HandGate(holdMs);
      let count = 0;
      time.at(50, () => count++);
      time.addGate(gate);
      const held = gate.held();
      const run = time.run(100);
      await held;
      assert.equal(count, ran);
      assert.ok(time.nowMs() <= holdMs);
      gate.move(undefined);
      await run;
      assert.deepEqual([count, time.nowMs()], [1, 100]);
    });

  it("a gate that moves its hold on lets time go on that far only", async () => {
    const time = newTime();
    const gate = new HandGate(5);
    const ranMs: number[] = [];
    for (const ms of [0, 10, 20, 30]) time.at(ms, () => ranMs.push(ms));
    time.addGate(gate);
    const heldFirst = gate.held();
    const run = time.run(30);
    await heldFirst;
    assert.deepEqual(ranMs, [0]);
    const heldAgain = gate.held();
    gate.move(20);
    await heldAgain;
    assert.deepEqual(ranMs, [0, 10, 20]);
    time.removeGate(gate);
    gate.move(20);
    await run;
    assert.deepEqual(ranMs, [0, 10, 20, 30]);
  });

  it("the earliest of several holds counts", async () => {
    const time = newTime();
    const early = new HandGate(10);
    const late = new HandGate(20);
    const ranMs: number[] = [];
    for (const ms of [10, 20, 30]) time.at(ms, () => ranMs.push(ms));
    time.addGate(late);
    time.addGate(early);
    const heldEarly = early.held();
    const run = time.run(30);
    await heldEarly;
    assert.deepEqual(ranMs, [10]);
    const heldLate = late.held();
    early.move(undefined);
    await heldLate;
    assert.deepEqual(ranMs, [10, 20]);
    late.move(undefined);
    await run;
    assert.deepEqual(ranMs, [10, 20, 30]);
  });
});
