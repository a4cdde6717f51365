// The factory test on emulated badges at pseudo-terminals: a good badge passes, and each planted fault is found by the step that is for it.
import assert from "node:assert/strict";
import type { FactoryOutcome } from "../../host-tools/src/factory/run";
import { STEPS, type StepName } from "../../host-tools/src/factory/step";
import { newBadgeState } from "../src/badge-state";
import { buildProgram } from "../src/emulator/build-program";
import { FreshBadge, type FreshOptions, nextId } from "./factory.fixture";

interface Planted {
  fault: string;
  options: FreshOptions | (() => Promise<FreshOptions>);
  /** The step that must fail, and what it must say. */
  step: StepName;
  says: RegExp;
  /** Steps that cannot be judged because of it. */
  skips?: StepName[];
}

/** Badges at a time: they live in real time. */
const TOGETHER = 4;
const NEEDS_MICROPHONE: StepName[] = ["mute"];

const chipWith = (change: (state: ReturnType<typeof newBadgeState>) => void): FreshOptions => {
  const state = newBadgeState(nextId());
  change(state);
  return { state };
};

const PLANTED: Planted[] = [
  {
    fault: "dead microphone",
    options: { faults: { microphone: "dead" } },
    step: "microphone",
    says: /noiseFloor is -127.5 dBFS, must be at least -100/,
    skips: NEEDS_MICROPHONE,
  },
  {
    fault: "noisy microphone",
    options: { faults: { microphone: "noisy" } },
    step: "microphone",
    says: /noiseFloor is -25 dBFS, must be at most -45/,
    skips: NEEDS_MICROPHONE,
  },
  {
    fault: "deaf microphone",
    options: { faults: { microphone: "deaf" } },
    step: "microphone",
    says: /soundRise is 0 dB, must be at least 10/,
    skips: NEEDS_MICROPHONE,
  },
  {
    fault: "mute that does not cut",
    options: { faults: { mute: "does not cut" } },
    step: "mute",
    says: /mutedLevel is -35 dBFS, must be at most -120/,
  },
  {
    fault: "mute without its flag",
    options: { faults: { mute: "no flag" } },
    step: "mute",
    says: /falls silent, but the front end does not say 'muted'/,
  },
  {
    fault: "mute flag that stays",
    options: { faults: { mute: "always" } },
    step: "mute",
    says: /whatever the switch does/,
    skips: ["microphone"],
  },
  {
    fault: "mute switch without contact",
    options: { faults: { mute: "no switch" } },
    step: "mute",
    says: /neither the mute flag nor the level/,
  },
  {
    fault: "microphone without supply after mute",
    options: { faults: { mute: "stays cut" } },
    step: "mute",
    says: /unmutedLevel is -127.5/,
  },
  {
    fault: "no light",
    options: { faults: { light: "missing" } },
    step: "light",
    says: /it does not know the command/,
  },
  {
    fault: "light that refuses",
    options: { faults: { light: "refuses" } },
    step: "light",
    says: /does not answer/,
  },
  {
    fault: "dark light",
    options: { faults: { light: "broken" } },
    step: "light",
    says: /the technician saw none/,
  },
  {
    fault: "no buzzer",
    options: { faults: { buzzer: "missing" } },
    step: "tone",
    says: /no buzzer announces itself/,
  },
  {
    fault: "buzzer that refuses",
    options: { faults: { buzzer: "refuses" } },
    step: "tone",
    says: /does not know the command/,
  },
  {
    fault: "silent buzzer",
    options: { faults: { buzzer: "broken" } },
    step: "tone",
    says: /ownToneRise is [01]/,
  },
  {
    fault: "no motor",
    options: { faults: { motor: "missing" } },
    step: "motor",
    says: /knows no vibration motor/,
  },
  {
    fault: "motor that refuses",
    options: { faults: { motor: "refuses" } },
    step: "motor",
    says: /the technician felt 0/,
  },
  {
    fault: "still motor",
    options: { faults: { motor: "broken" } },
    step: "motor",
    says: /the technician felt 0/,
  },
  {
    fault: "stuck button",
    options: { faults: { button: "stuck" } },
    step: "button",
    says: /reads as pressed/,
  },
  {
    fault: "dead button",
    options: { faults: { button: "dead" } },
    step: "button",
    says: /no press came in 2 s/,
  },
  {
    fault: "flash that reads badly",
    options: chipWith(({ chip }) => chip.disturbReads(20)),
    step: "flash",
    says: /flashWrong is \d+ bytes|flashUnerased is \d+ bytes/,
  },
  {
    fault: "flash that does not write",
    options: chipWith(({ chip }) => {
      chip.program = () => undefined;
    }),
    step: "flash",
    says: /flashUnwritten is 16384 bytes/,
  },
  {
    fault: "flash that is too small",
    options: { state: newBadgeState(nextId(), 256) },
    step: "flash",
    says: /flashSectors is 256/,
  },
  { fault: "deaf radio", options: { air: [] }, step: "wifi", says: /wifiNetworks is 0/ },
  {
    fault: "radio without antenna",
    options: { air: [{ ssid: "Works", password: "", rssiDbm: -89, channel: 1 }] },
    step: "wifi",
    says: /wifiSignal is -89 dBm/,
  },
  {
    fault: "current too high",
    options: { faults: { currentMa: 480 } },
    step: "current",
    says: /currentDraw is 480 mA, must be at most 150/,
  },
  {
    fault: "wrong program",
    options: async () => ({
      program: await buildProgram({
        "main.ts": `import { sleep } from "@devicescript/core"\nfor (;;) {\n  console.log("@unprovisioned")\n  await sleep(1000)\n}\n`,
      }),
    }),
    step: "program",
    says: /is not the one in this checkout/,
    skips: ["motor", "flash"],
  },
];

const GOOD: Pick<Planted, "fault" | "options">[] = [
  { fault: "none", options: {} },
  { fault: "none, the light the runtime's own", options: { faults: { light: "own" } } },
];

describe("end to end: factory test", () => {
  const outcomes = new Map<string, Promise<FactoryOutcome>>();

  before(() => {
    let earlier: Promise<unknown> = Promise.resolve();
    const all = [...GOOD, ...PLANTED];
    for (let from = 0; from < all.length; from += TOGETHER) {
      const planted = all.slice(from, from + TOGETHER);
      const together = earlier.then(() => testOf(planted.map(({ options }) => options)));
      for (const [i, { fault }] of planted.entries())
        outcomes.set(
          fault,
          together.then((results) => results[i]),
        );
      earlier = Promise.allSettled(planted.map(({ fault }) => outcomes.get(fault)));
    }
  });

  /** A badge that is switched on takes this process for itself for a while: none is while others are tested. */
  async function testOf(options: Planted["options"][]): Promise<FactoryOutcome[]> {
    const badges: FreshBadge[] = [];
    try {
      for (const one of options)
        badges.push(await FreshBadge.plugIn(typeof one === "function" ? await one() : one));
      return await Promise.all(badges.map((badge) => badge.test()));
    } finally {
      for (const badge of badges) await badge.plugged.putAway();
    }
  }

  const outcomeOf = async (fault: string): Promise<FactoryOutcome> => {
    const outcome = await outcomes.get(fault);
    assert.ok(outcome !== undefined);
    return outcome;
  };
  const named = ({ results }: FactoryOutcome, verdict: string): StepName[] =>
    results.filter((result) => result.verdict === verdict).map(({ step }) => step);

  for (const { fault } of GOOD)
    it(`factory test: a good badge passes every step (${fault})`, async () => {
      const outcome = await outcomeOf(fault);
      assert.deepEqual(named(outcome, "passed"), STEPS, JSON.stringify(outcome.results));
    });

  for (const { fault, step, says, skips = [] } of PLANTED)
    it(`factory test: a planted fault is found by its step and no other (${fault}: ${step})`, async () => {
      const outcome = await outcomeOf(fault);
      assert.deepEqual(named(outcome, "failed"), [step], JSON.stringify(outcome.results));
      assert.deepEqual(named(outcome, "skipped"), skips);
      const result = outcome.results.find((one) => one.step === step);
      assert.match(result?.says ?? "", says);
      assert.ok((result?.todo ?? "") !== "", "it does not say what to look at");
    });
});
