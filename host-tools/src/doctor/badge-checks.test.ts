import { strict as assert } from "node:assert";
import type { BadgeHealth } from "@salestag/protocol/host";
import { nothingSeen, type Observation } from "../usb/observe";
import { stateOf } from "../usb/probe";
import { checkBadge, type KnownProgram, RUNTIME_VERSION } from "./badge-checks";
import type { Verdict } from "./finding";

const FRONT_END = 0x1f5a7c3e;
const HEALTH: BadgeHealth = {
  badge: "0123456789abcdef",
  upS: 7200,
  usedKb: 100,
  sizeKb: 65536,
  lateMs: 0,
  lostFrames: 3,
  online: true,
  storageFailed: false,
  batteryPercent: 80,
};
const KNOWN: KnownProgram = { from: "this checkout", sha256: "ab".repeat(32), version: "v2" };

/** A badge that is well, with some of it otherwise. */
function seen(changes: Partial<Observation> = {}, health: Partial<BadgeHealth> = {}): Observation {
  return {
    ...nothingSeen(),
    deviceId: "fedcba9876543210",
    runtimeVersion: RUNTIME_VERSION,
    program: { name: "@salestag/firmware", version: "v1", sizeBytes: 1000, sha256: KNOWN.sha256 },
    running: true,
    autostart: true,
    serviceClasses: new Set([FRONT_END]),
    said: "health",
    firstHealth: HEALTH,
    health: { ...HEALTH, ...health },
    ...changes,
  };
}

const silent: Partial<Observation> = { said: undefined, firstHealth: undefined, health: undefined };
const program = { name: "@salestag/firmware", version: "v1", sizeBytes: 1000, sha256: "cd".repeat(32) };

describe("doctor: what a look at a badge tells", () => {
  it("doctor: a badge that is well has nothing but ok", () => {
    for (const { check, verdict, says } of checkBadge(seen(), KNOWN))
      assert.equal(verdict, "ok", `${check}: ${says}`);
  });

  const cases: [string, Observation, string, Verdict, RegExp, RegExp][] = [
    [
      "older runtime",
      seen({ runtimeVersion: "2.15.9" }),
      "runtime",
      "warning",
      /has 2\.15\.9/,
      /salestag flash/,
    ],
    [
      "another program",
      seen({ program }),
      "program",
      "warning",
      /is not the one in this checkout, v2/,
      /salestag deploy/,
    ],
    [
      "a panic",
      seen({ panics: [60005, 60005], warnings: ["Exception: Error", "message: boom"] }),
      "running",
      "failed",
      /panicked 2 times \(code 60005: an unhandled exception\).*boom/,
      /salestag deploy --force/,
    ],
    [
      "down after a panic",
      seen({ ...silent, running: false }),
      "running",
      "failed",
      /is down after a panic/,
      /--settings/,
    ],
    [
      "stopped",
      seen({ ...silent, running: false, autostart: false }),
      "running",
      "failed",
      /is stopped/,
      /plug it in again/,
    ],
    ["started again", seen({ starts: 1 }), "running", "warning", /started again/, /ask again/],
    [
      "silent, with a warning",
      seen({ ...silent, warnings: ["out of memory"] }),
      "running",
      "failed",
      /out of memory/,
      /salestag deploy/,
    ],
    ["flash fails", seen({}, { storageFailed: true }), "storage", "failed", /flash chip fails/, /repaired/],
    ["full", seen({}, { usedKb: 60000 }), "storage", "warning", /58\.6 MB of 64\.0 MB/, /upload/],
    ["loses sound now", seen({}, { lostFrames: 9 }), "sound", "warning", /6 of them while/, /other programs/],
    [
      "lost much sound",
      seen({ firstHealth: { ...HEALTH, lostFrames: 4000 } }, { lostFrames: 4000 }),
      "sound",
      "warning",
      /4000 frames/,
      /other programs/,
    ],
    ["no microphone", seen({ serviceClasses: new Set() }), "sound", "warning", /no microphone/, /repaired/],
    ["overloaded", seen({ lateMsMax: 900 }), "load", "warning", /900 ms late/, /fewer key phrases/],
    ["battery low", seen({}, { batteryPercent: 14 }), "battery", "warning", /14%/, /cable/],
    [
      "battery unknown",
      seen({}, { batteryPercent: -1 }),
      "battery",
      "skipped",
      /nothing on this badge/,
      /light/,
    ],
    [
      "relay unknown to it",
      seen({ down: "refused 3: unknown badge" }, { online: false }),
      "relay",
      "failed",
      /refused 3/,
      /does not know this badge/,
    ],
    [
      "other keys",
      seen({ down: "relay-not-proved: it does not know" }, { online: false }),
      "relay",
      "failed",
      /relay-not-proved/,
      /different keys/,
    ],
    [
      "relay full",
      seen({ down: "refused 6: no room" }, { online: false }),
      "relay",
      "failed",
      /no room/,
      /its disk/,
    ],
    [
      "name without address",
      seen({ down: "socket: getaddrinfo ENOTFOUND" }, { online: false }),
      "relay",
      "failed",
      /ENOTFOUND/,
      /DNS/,
    ],
    [
      "why is not heard",
      seen({ down: undefined }, { online: false }),
      "relay",
      "failed",
      /why was not said/,
      /--settings/,
    ],
    ["clock", seen({}, { online: false }), "time", "warning", /no relay now/, /bring it to its relay/],
    [
      "no keys",
      seen({ ...silent, said: "unprovisioned" }),
      "provisioned",
      "failed",
      /no keys/,
      /salestag provision/,
    ],
    ["nothing answers", nothingSeen(), "runtime", "failed", /nothing at the port/, /salestag flash/],
  ];
  for (const [name, observation, check, verdict, says, todo] of cases)
    it(`doctor: ${name} (${check}: ${verdict})`, () => {
      const finding = checkBadge(observation, KNOWN).find((one) => one.check === check);
      assert.equal(finding?.verdict, verdict, finding?.says);
      assert.match(finding.says, says);
      assert.match(finding.todo ?? "", todo);
    });

  it("doctor: where nothing was built here, a program is not compared", () => {
    const [, line] = checkBadge(seen(), undefined);
    assert.deepEqual([line.check, line.verdict], ["program", "ok"]);
  });

  it("state: of a badge whose log is heard and whose registers are not", () => {
    const unasked = { deviceId: undefined, program: undefined, running: undefined, autostart: undefined };
    assert.equal(stateOf(seen(unasked)), "ready");
    assert.equal(stateOf(seen({ ...unasked, ...silent })), "no answer");
  });
});
