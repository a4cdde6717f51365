// Power cuts by the round: npm run bench:power-cut -- --rounds 20 --seed 1. Fails when an acked chunk is lost, doubled or changed, and when none
// is lost where syncs are ignored.
import { Command, InvalidArgumentError } from "commander";
import { type PowerCutOptions, PowerCuts } from "../src/testing/power-cut";

interface Setting extends Omit<PowerCutOptions, "seed" | "badges"> {
  name: string;
}

const BADGES = 8;
const SETTINGS: Setting[] = [
  { name: "spool", withSink: false, earlyPercent: 0, syncMsMax: 0, ignored: "none" },
  { name: "spool, 30 % early", withSink: false, earlyPercent: 30, syncMsMax: 0, ignored: "none" },
  { name: "spool, 20 % early, slow disk", withSink: false, earlyPercent: 20, syncMsMax: 10, ignored: "none" },
  { name: "spool and folder, 30 % early", withSink: true, earlyPercent: 30, syncMsMax: 2, ignored: "none" },
];
const CONTROLS: Setting[] = [
  {
    name: "control: syncs of files ignored",
    withSink: false,
    earlyPercent: 0,
    syncMsMax: 0,
    ignored: "data",
  },
  {
    name: "control: syncs of folders ignored",
    withSink: false,
    earlyPercent: 0,
    syncMsMax: 0,
    ignored: "names",
  },
];
const WRONG_SHOWN_MAX = 5;

function wholeNumber(text: string): number {
  if (!/^\d{1,9}$/.test(text) || Number(text) === 0)
    throw new InvalidArgumentError("It must be a whole number above 0.");
  return Number(text);
}

/** @returns true when nothing was wrong */
async function rounds(setting: Setting, count: number, seed: number): Promise<boolean> {
  const cuts = new PowerCuts({ ...setting, seed, badges: BADGES });
  const wrong: string[] = [];
  let acked = 0;
  let owed = 0;
  for (let round = 1; round <= count && wrong.length === 0; round++) {
    const result = round < count ? await cuts.round() : await cuts.lastRound();
    acked += result.acked;
    owed = result.owed;
    wrong.push(...result.wrong.map((sentence) => `round ${round}: ${sentence}`));
  }
  cuts.end();
  process.stdout.write(
    `${setting.name.padEnd(36)} ${acked} chunks acked in ${count - 1} rounds, ${owed} owed, ${wrong.length} wrong\n`,
  );
  for (const sentence of wrong.slice(0, WRONG_SHOWN_MAX)) process.stdout.write(`    ${sentence}\n`);
  return wrong.length === 0;
}

/** @returns true when the shadow lost what was acked */
async function control(setting: Setting, seed: number): Promise<boolean> {
  const cuts = new PowerCuts({ ...setting, seed, badges: BADGES });
  const { acked, wrong } = await cuts.round();
  cuts.end();
  const lost = wrong.filter((sentence) => sentence.endsWith("is lost")).length;
  process.stdout.write(
    `${setting.name.padEnd(36)} ${acked} chunks acked in 1 round, ${lost} lost, as it must be\n`,
  );
  return lost > 0;
}

const program = new Command("power-cut")
  .option("--rounds <n>", "power cuts of each setting", wholeNumber, 20)
  .option("--seed <n>", "decides what is sent and when it ends", wholeNumber, 1)
  .parse();
const given = program.opts<{ rounds: number; seed: number }>();
process.stdout.write(`seed ${given.seed}, ${given.rounds} rounds of each setting\n`);
let passed = true;
for (const setting of SETTINGS) passed = (await rounds(setting, given.rounds + 1, given.seed)) && passed;
for (const setting of CONTROLS) passed = (await control(setting, given.seed)) && passed;
process.stdout.write(
  passed
    ? "passed\n"
    : `failed; repeat: npm run bench:power-cut -- --seed ${given.seed} --rounds ${given.rounds}\n`,
);
process.exitCode = passed ? 0 : 1;
