// The power model: what it is made of, and what it must say whatever the figures are.
import assert from "node:assert/strict";
import {
  AS_IT_IS,
  allowedMa,
  type Build,
  CONSUMERS,
  cellMa,
  coreShares,
  currentsOf,
  hoursOf,
  noUsage,
  sumOf,
  type Usage,
  usableMah,
} from "./power";
import { BUILDS, PROPOSED } from "./power-builds";
import { ALL, type Figure } from "./power-data";

const HOUR_MS = 3_600_000;

/** An hour in which nothing happens, with some of it changed. */
function hour(change: Partial<Usage> = {}): Usage {
  return { ...noUsage(), elapsedMs: HOUR_MS, inReachMs: HOUR_MS, ...change };
}

/** @returns every figure in a tree of them, with its path */
function figuresIn(tree: object, path = ""): [string, Figure][] {
  if ("value" in tree && "source" in tree) return [[path, tree as Figure]];
  return Object.entries(tree).flatMap(([name, branch]) => figuresIn(branch, `${path}.${name}`));
}

describe("power: data", () => {
  for (const [path, { value, source }] of figuresIn(ALL))
    it(`every figure is a number above 0 and says where it is from (${path.slice(1)})`, () => {
      assert.ok(Number.isFinite(value) && value > 0, `${value}`);
      assert.ok(source.length >= 7, source);
    });
});

describe("power: model", () => {
  const near = (a: number, b: number) => assert.ok(Math.abs(a - b) < 1e-9, `${a} is not ${b}`);

  it("a chip that only stays joined to Wi-Fi draws what its maker measured, and what always runs on top", () => {
    for (const [dtim, mA] of [
      [1, 40.1],
      [3, 38.7],
      [10, 38.2],
    ] as const) {
      const currents = currentsOf(hour(), { ...AS_IT_IS, dtim });
      near(currents["clock and idle processor"] + currents["staying joined to Wi-Fi"], mA);
    }
    const nearlyIdle: Build = { ...AS_IT_IS, slowMhz: 40, dtim: 3, networkShare: 0, opusOnlyKept: true };
    const { features } = coreShares(hour(), nearlyIdle);
    const scaled = currentsOf(hour(), nearlyIdle);
    const risesForBeacons = 19.9 - 15.0 - (38.7 - 37.9);
    near(
      scaled["clock and idle processor"] + scaled["staying joined to Wi-Fi"],
      19.9 - features * risesForBeacons,
    );
  });

  it("a program that runs all the time on one core adds the datasheet's difference between one core and none", () => {
    const share = 160 / 240; // all of a core at 160 MHz
    const alone = { ...AS_IT_IS, networkShare: 0, opusOnlyKept: true };
    const { program, features } = coreShares(hour({ programMs: share * HOUR_MS }), alone);
    near(program, 1);
    const currents = currentsOf(hour({ programMs: share * HOUR_MS }), alone);
    const drawn = currents["badge program"] + currents["front end: features"];
    near(drawn, (1 - features) * (39.9 - 27.6) + features * (49.6 - 27.6));
  });

  const more: [string, Partial<Usage>][] = [
    ["the program", { programMs: 1000 }],
    ["connections", { connections: 1 }],
    ["a radio that is awake", { radioAwakeMs: 1000 }],
    ["bytes", { sentBytes: 1000 }],
    ["flash reads", { flashReads: 100 }],
    ["flash writes", { flashPrograms: 100 }],
    ["erasures", { flashErases: 10 }],
    ["light", { lightMs: 1000 }],
    ["tones", { tones: 1 }],
    ["vibration", { buzzes: 1 }],
    ["a network out of reach", { inReachMs: 0 }],
  ];
  for (const [what, change] of more)
    it(`more of it costs more (${what})`, () => {
      const draw = (usage: Usage) => sumOf(currentsOf(usage, AS_IT_IS));
      assert.ok(draw(hour(change)) > draw(hour()));
    });

  it("a badge that leaves the network pays for every join, and no search in between when there is none", () => {
    const leaves: Build = { ...PROPOSED, leavesNetwork: true, scanEveryMs: Number.POSITIVE_INFINITY };
    near(currentsOf(hour(), leaves)["searching for Wi-Fi"], 0);
    near(currentsOf(hour(), leaves)["staying joined to Wi-Fi"], 0);
    assert.ok(currentsOf(hour({ connections: 12 }), leaves)["searching for Wi-Fi"] > 0);
  });

  it("the allowed current is the one with which the asked share is left", () => {
    for (const cell of [
      { mAh: 500, health: 1 },
      { mAh: 800, health: 0.65 },
    ])
      for (const left of [0, 0.2]) {
        const mA = allowedMa(cell, 10, left);
        near(cellMa(mA) * 10, usableMah(cell) * (1 - left));
        near(hoursOf(cell, mA) * (1 - left), 10);
      }
  });

  it("every consumer is in the sum, once", () => {
    const currents = currentsOf(hour({ connections: 3, lightMs: 5 }), PROPOSED);
    assert.deepEqual(Object.keys(currents).sort(), [...CONSUMERS].sort());
  });
});

describe("power: builds", () => {
  it("each step draws less than the one before, on a day with four tenths of speech", () => {
    const share = (of: number) => of * HOUR_MS;
    const usage = hour({
      programMs: share(0.13),
      keptMs: share(0.45),
      connections: 12,
      connectedMs: share(0.02),
      radioAwakeMs: share(0.02),
      sentBytes: 3e6,
    });
    const draws = BUILDS.map((build) => sumOf(currentsOf(usage, build)));
    for (let at = 1; at < draws.length; at++)
      assert.ok(draws[at] < draws[at - 1], `${BUILDS[at].name}: ${draws[at]} after ${draws[at - 1]}`);
  });

  for (const build of BUILDS)
    it(`the front end keeps up on one core, and the program on the other (${build.name})`, () => {
      const { program, features, network, opus } = coreShares(
        hour({ programMs: 0.25 * HOUR_MS, keptMs: HOUR_MS }),
        build,
      );
      assert.ok(features + network + opus < 0.8, `${features + network + opus}`);
      assert.ok(program < 0.8, `${program}`);
    });
});
