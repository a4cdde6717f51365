import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { setImmediate as nextTurn } from "node:timers/promises";
import { ExitCode } from "@salestag/protocol/team";
import { toolError } from "@salestag/protocol/testing";
import { type ProgramFile, programOf } from "../../host-tools/src/deploy/program-file";
import { ProgramStore } from "../../host-tools/src/deploy/store";
import { readProgram } from "./bench";
import { NoisyCable, SlowCable } from "./cables";
import { DEVICE_ID, program, type RealBadge, useDeploying, wellProgram } from "./deploy.fixture";
import { Random } from "./emulator/random";
import type { Cable } from "./usb-door";

const BAD = [
  { what: "panics at once", source: 'throw new Error("no")', why: /ended by a mistake \(panic \d+\)/ },
  {
    what: "panics after it has said that it runs",
    source: 'setTimeout(async () => { throw new Error("no") }, 700); console.log("@unprovisioned")',
    why: /ended by a mistake \(panic \d+\)/,
  },
  { what: "hangs", source: "for (;;) {}", why: /ended by a mistake|did not say|without an answer/ },
  {
    what: "never says that it runs",
    source: "setTimeout(async () => {}, 1e9)",
    why: /did not say within 3 s that it runs/,
  },
  {
    what: "restarts itself",
    source:
      'import { restart } from "@devicescript/core"; setTimeout(async () => { restart() }, 300); console.log("@unprovisioned")',
    why: /restarts itself/,
  },
];

/** What can happen in the middle of a transfer. */
const CUTS = [
  { what: "the cable is pulled", cut: (badge: RealBadge) => badge.replug() },
  { what: "the badge's power fails", cut: (badge: RealBadge) => badge.reset() },
];

/** A cable that loses one piece of so many (a frame, a line of text) and damages one byte of so many. */
function badCable(lostOf: number, damagedOf: number): Cable {
  const random = new Random(7);
  const spoil = (bytes: Buffer, arrive: (bytes: Buffer) => void) => {
    if (random.uint32() % lostOf === 0) return;
    arrive(bytes.map((byte) => (random.uint32() % damagedOf === 0 ? byte ^ 0x20 : byte)) as Buffer);
  };
  return { toHost: spoil, toBadge: spoil };
}

/** The runtime logs this when it starts a program. */
const PROGRAM_STARTS = "DevS-SHA256";

/** @returns the program with a checksum of settings of the board in its configuration */
function withBoard({ bytes }: ProgramFile): ProgramFile {
  const changed = Buffer.from(bytes);
  changed[changed.lastIndexOf("DCFG") + 16] = 2;
  return programOf(changed, "a test");
}

describe("deploy: into a badge on a pseudo-terminal, in real time", () => {
  const world = useDeploying();

  it("the badge program into a blank badge, then it is up to date", async () => {
    await world.switchOn("in flash");
    const built = programOf(readProgram(), "the build");
    const first = await world.deploy(built);
    assert.deepEqual(
      [first.outcome, first.before.sha256, first.deviceId],
      ["deployed", undefined, DEVICE_ID],
    );
    const onPointOfNoReturn = () => assert.fail("nothing has to be done");
    const { outcome, before } = await world.deploy(built, { onPointOfNoReturn });
    assert.equal(outcome, "up to date");
    const { sha256, name, version } = built;
    assert.deepEqual([before.sha256, before.name, before.version], [sha256, name, version]);
    assert.equal(name, "@salestag/firmware");
  });

  it("another program in the place of the one that runs; settings stay", async () => {
    const badge = await world.switchOn("in flash");
    const [old, fresh] = [await wellProgram(0), await wellProgram(1)];
    await world.deploy(old);
    await badge.setting("label", "Kim");
    const { before, outcome } = await world.deploy(fresh);
    assert.deepEqual([before.sha256, outcome], [old.sha256, "deployed"]);
    assert.equal(await badge.sha256(), fresh.sha256);
    assert.equal(await badge.setting("label"), "Kim");
  });

  for (const { what, source, why } of BAD)
    it(`a program that ${what} is taken out again; the earlier one is back and well, settings stay`, async () => {
      const badge = await world.switchOn("in flash");
      const old = await wellProgram(0);
      await world.deploy(old);
      await badge.setting("label", "Kim");
      await assert.rejects(world.deploy(await program(source), { withinMs: 3000 }), (error) => {
        toolError(ExitCode.Badge, why)(error);
        return toolError(ExitCode.Badge, /is not well: .* again, and that one is well\.$/)(error);
      });
      assert.equal(await badge.sha256(), old.sha256);
      assert.equal(await badge.setting("label"), "Kim");
      assert.equal(world.notices.length, 1);
    });

  it("a badge that restarts under the new program gets the earlier one back, over the port that comes back", async () => {
    const [old, fresh] = [await wellProgram(0), await wellProgram(1)];
    const badge = await world.switchOn("in flash");
    await world.deploy(old);
    let begun = false;
    let reset: Promise<void> | undefined;
    badge.bench.listenLog((line) => {
      if (begun && line.includes("@unprovisioned")) reset ??= nextTurn().then(() => badge.reset());
    });
    const onProgress = () => {
      begun = true;
    };
    const rolledBack = toolError(ExitCode.Badge, /vanished .* that one is well\.$/);
    await assert.rejects(world.deploy(fresh, { onProgress }), rolledBack);
    await reset;
    assert.equal(await badge.sha256(), old.sha256);
  });

  it("a program with settings of the board may restart the badge once, and not twice", async () => {
    const old = await wellProgram(0);
    for (const [number, restartsMax] of [
      [1, 1],
      [2, 2],
    ]) {
      const fresh = withBoard(await wellProgram(number));
      const badge = await world.switchOn("in flash");
      await world.deploy(old);
      let begun = false;
      let restarts = 0;
      let restarting = Promise.resolve();
      badge.bench.listenLog((line) => {
        if (begun && line.includes(PROGRAM_STARTS) && restarts < restartsMax) {
          restarts++;
          restarting = nextTurn().then(() => badge.reset());
        }
      });
      const onProgress = () => {
        begun = true;
      };
      const deployed = world.deploy(fresh, { onProgress });
      if (restartsMax === 1) assert.equal((await deployed).outcome, "deployed");
      else await assert.rejects(deployed, toolError(ExitCode.Badge, /that one is well\.$/));
      await restarting;
      assert.equal(await badge.sha256(), (restartsMax === 1 ? fresh : old).sha256);
      await world.switchOff();
    }
  });

  it("a program that is not well, on a badge that had none: says that there is nothing to go back to", async () => {
    await world.switchOn("in flash");
    const bad = await program(BAD[0].source);
    const words = /no earlier program to go back to: deploy one that is known to be good/;
    await assert.rejects(world.deploy(bad), toolError(ExitCode.Badge, words));
  });

  it("when the earlier program fails too, the way out is named", async () => {
    const badge = await world.switchOn("in flash");
    await world.deploy(await wellProgram(0));
    const [bad, worse] = [await program(BAD[0].source), await program(BAD[3].source)];
    const rollback = { to: worse, none: false };
    const words = /failed too \(it did not say .*\)\. Put everything on anew with 'salestag flash'/;
    await assert.rejects(world.deploy(bad, { rollback, withinMs: 3000 }), toolError(ExitCode.Badge, words));
    assert.equal(await badge.sha256(), worse.sha256);
  });

  it("a program that stands still after another tool was cut off is started", async () => {
    const badge = await world.switchOn("in flash");
    const well = await wellProgram(0);
    await world.deploy(well);
    await badge.halt();
    assert.equal((await world.deploy(well)).outcome, "started");
    assert.equal((await world.deploy(well)).outcome, "up to date");
  });
});

describe("deploy: the way back is looked for first", () => {
  const world = useDeploying();

  it("a program that this computer does not have: refused before anything is changed, unless it is given or not wanted", async () => {
    const badge = await world.switchOn(readProgram());
    const built = programOf(readProgram(), "the build");
    const fresh = await wellProgram(0);
    const onPointOfNoReturn = () => assert.fail("it went on");
    const refused = toolError(
      ExitCode.Usage,
      /nothing to go back to.*--rollback-from.*Nothing was changed\.$/,
    );
    await assert.rejects(world.deploy(fresh, { onPointOfNoReturn }), refused);
    mkdirSync(world.path("old"));
    writeFileSync(world.path("old/other.devs"), fresh.bytes);
    const rollback = { fromFolder: world.path("old"), none: false };
    await assert.rejects(world.deploy(fresh, { onPointOfNoReturn, rollback }), refused);
    assert.equal(await badge.sha256(), built.sha256);
    writeFileSync(world.path("old/built.devs"), built.bytes);
    assert.equal((await world.deploy(fresh, { rollback })).outcome, "deployed");
    assert.deepEqual(new ProgramStore(world.path("programs")).find(built.sha256)?.bytes, built.bytes);
  });

  it("without a way back it goes on when told to, and says so", async () => {
    await world.switchOn(readProgram());
    const { outcome } = await world.deploy(await wellProgram(0), { rollback: { none: true } });
    assert.equal(outcome, "deployed");
    assert.match(world.notices.join(), /there is no way back/);
  });

  it("a program for another runtime is refused before anything is changed", async () => {
    await world.switchOn(readProgram());
    const newer = Buffer.from(readProgram());
    newer[10]++;
    const onPointOfNoReturn = () => assert.fail("it went on");
    await assert.rejects(
      world.deploy(programOf(newer, "newer.devs"), { onPointOfNoReturn, rollback: { none: true } }),
      toolError(ExitCode.Usage, /newer\.devs is made for runtime 2\.17\.4, the badge has 2\.16\.4/),
    );
  });
});

describe("deploy: bad lines and interruptions", () => {
  const world = useDeploying();

  for (const { what, cut } of CUTS)
    it(`${what} in the middle: the badge has no program and its settings, and the next deploy mends it`, async () => {
      const built = programOf(readProgram(), "the build");
      const badge = await world.switchOn("in flash");
      await badge.setting("label", "Kim");
      let done: Promise<void> | undefined;
      const onProgress = (sentBytes: number, allBytes: number) => {
        if (sentBytes * 2 >= allBytes) done ??= cut(badge);
      };
      const words = /has none now, its settings and recordings are safe/;
      await assert.rejects(world.deploy(built, { onProgress }), toolError(ExitCode.Badge, words));
      await done;
      const { before, outcome } = await world.deploy(built);
      assert.deepEqual([before.sha256, outcome], [undefined, "deployed"]);
      assert.equal(await badge.setting("label"), "Kim");
    });

  it("after an interruption it still knows what to go back to", async () => {
    const [old, bad] = [await wellProgram(0), await program(BAD[0].source)];
    const badge = await world.switchOn("in flash");
    await world.deploy(old);
    const onProgress = () => {
      throw new Error("the tool was killed");
    };
    await assert.rejects(world.deploy(bad, { onProgress }), toolError(ExitCode.Badge, /has none now/));
    await assert.rejects(world.deploy(bad), toolError(ExitCode.Badge, /again, and that one is well\.$/));
    assert.equal(await badge.sha256(), old.sha256);
  });

  for (const [lostOf, damagedOf] of [
    [100, 10_000],
    [100, 1000],
    [100, 100],
  ])
    it(`a line that loses one piece in ${lostOf} and damages one byte in ${damagedOf}`, async () => {
      const small = await wellProgram(0);
      const fresh = damagedOf > 100 ? programOf(readProgram(), "the build") : await wellProgram(1);
      const badge = await world.switchOn(small.bytes, badCable(lostOf, damagedOf));
      const { outcome } = await world.deploy(fresh, {
        rollback: { to: small, none: false },
        withinMs: 15_000,
      });
      assert.equal(outcome, "deployed");
      assert.equal(await badge.sha256(), fresh.sha256);
    });

  for (const { what, cable } of [
    { what: "one that loses and changes 0.2% of all bytes", cable: () => new NoisyCable(3) },
    { what: "one of 20 KB/s", cable: () => new SlowCable(20_000) },
  ])
    it(`a bad cable: ${what}`, async () => {
      const small = await wellProgram(0);
      const badge = await world.switchOn(small.bytes, cable());
      const fresh = await wellProgram(1);
      const rollback = { to: small, none: false };
      assert.equal((await world.deploy(fresh, { rollback, withinMs: 15_000 })).outcome, "deployed");
      assert.equal(await badge.sha256(), fresh.sha256);
    });
});
