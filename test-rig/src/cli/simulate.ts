// `rig simulate`: days of several badges with everything that can fail, from a seed; says whether anything was lost, doubled, leaked or kept without
// consent.
import { createWriteStream } from "node:fs";
import { type Command, InvalidArgumentError } from "commander";
import { RigError } from "../errors";
import { prepareRecording } from "../recording";
import { ESP32_SLOWER } from "../replay";
import { type SimulationResult, simulate } from "../simulate/run";

interface Flags {
  badges: number;
  hours: number;
  seed: number;
  runs: number;
  file?: string;
  log?: string;
  json: boolean;
}

/** The sum of many runs. */
interface Totals {
  runs: number;
  badgeHours: number;
  faults: Record<string, number>;
  failures: string[];
  mustFrames: number;
  heapPeakBytes: number;
  vmMs: number;
}

const HELP = `
A seed decides all of a run: the same seed is the same run. When something is wrong, the seed is printed; run it again with --log to see why.

Examples:
  rig simulate                            # four badges for an hour
  rig simulate --seed 7 --runs 20 --badges 3 --hours 0.1
  rig simulate --seed 41 --log badges.log
  rig simulate --runs 0                   # until Ctrl-C, one seed after the other`;

export function addSimulate(program: Command): void {
  program
    .command("simulate")
    .description(
      "Simulate badges, network and relay with faults drawn from a seed, and check that nothing is lost.",
    )
    .option("--badges <n>", "badges", whole(1, 50), 4)
    .option("--hours <h>", "length of the day, in hours", hours, 1)
    .option("--seed <n>", "seed of the first run", whole(0, 4294967295), 1)
    .option("--runs <n>", "runs with rising seeds; 0: until stopped", whole(0, 1_000_000), 1)
    .option("--file <file>", "a WAV or FLAC file that every second badge hears in its conversations")
    .option("--log <file>", "write what the badges log")
    .option("--json", "print a line of JSON for each run", false)
    .addHelpText("after", HELP)
    .action(run);
}

function whole(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!Number.isInteger(value) || value < min || value > max)
      throw new InvalidArgumentError(`It must be a whole number from ${min} to ${max}.`);
    return value;
  };
}

function hours(text: string): number {
  const value = Number(text);
  if (!(value >= 0.01 && value <= 24)) throw new InvalidArgumentError("It must be a number from 0.01 to 24.");
  return value;
}

async function run({ badges, hours, seed: first, runs, file, log: logFile, json }: Flags): Promise<void> {
  const log = logFile === undefined ? undefined : createWriteStream(logFile, { mode: 0o600 });
  const totals: Totals = {
    runs: 0,
    badgeHours: 0,
    faults: {},
    failures: [],
    mustFrames: 0,
    heapPeakBytes: 0,
    vmMs: 0,
  };
  const recording = file === undefined ? undefined : (await prepareRecording(file, undefined)).frames;
  let stopped = false;
  process.once("SIGINT", () => {
    stopped = true; // the run that goes on ends first; a second Ctrl-C ends all
  });
  for (let seed = first; !stopped && (runs === 0 || seed < first + runs); seed++) {
    const result = await simulate({
      badges,
      hours,
      seed,
      recording,
      onLog: (badge, atMs, line) => log?.write(`${badge} ${atMs} ${line}\n`),
      onProgress: (virtualMs) => progress(seed, virtualMs, hours),
    });
    clearProgress();
    add(totals, result);
    if (json) process.stdout.write(`${JSON.stringify(result)}\n`);
    else printRun(result, { badges, hours });
  }
  log?.end();
  if (!json && totals.runs !== 1) printTotals(totals);
  if (totals.failures.length > 0)
    throw new RigError(`${totals.failures.length} of ${totals.runs} runs went wrong: ${totals.failures[0]}`);
}

function add(
  totals: Totals,
  { seed, badgeHours, faults, failures, findings, ...result }: SimulationResult,
): void {
  totals.runs++;
  totals.badgeHours += badgeHours;
  for (const [kind, count] of Object.entries(faults))
    totals.faults[kind] = (totals.faults[kind] ?? 0) + count;
  if (failures.length > 0) totals.failures.push(`seed ${seed}: ${failures[0]}`);
  totals.mustFrames += findings.mustFrames;
  totals.heapPeakBytes = Math.max(totals.heapPeakBytes, result.heapPeakBytes);
  totals.vmMs += result.vmMs;
}

function printRun(result: SimulationResult, { badges, hours }: { badges: number; hours: number }): void {
  const { seed, badgeHours, failures, findings, wallMs, heapPeakBytes } = result;
  const faults = Object.values(result.faults).reduce((sum, count) => sum + count, 0);
  const speed = (badgeHours * 3_600_000) / wallMs;
  const verdict = failures.length === 0 ? "all well" : "WRONG";
  process.stdout.write(
    `seed ${seed}  ${verdict}  ${badgeHours.toFixed(2)} badge-hours, ${faults} faults, ${findings.mustFrames} frames had to arrive, ${findings.arrivedFrames} did, heap peak ${(heapPeakBytes / 1024).toFixed(1)} KB, ${speed.toFixed(0)}x\n`,
  );
  for (const failure of failures) process.stdout.write(`  ${failure}\n`);
  if (failures.length > 0)
    process.stdout.write(
      `  again: rig simulate --badges ${badges} --hours ${hours} --seed ${seed} --log badges.log\n`,
    );
}

function printTotals({ runs, badgeHours, faults, failures, mustFrames, heapPeakBytes, vmMs }: Totals): void {
  const load = (vmMs * ESP32_SLOWER) / (badgeHours * 3_600_000);
  process.stdout.write(
    `${runs} runs, ${badgeHours.toFixed(1)} badge-hours, ${mustFrames} frames had to arrive, ${failures.length} runs went wrong; heap peak ${(heapPeakBytes / 1024).toFixed(1)} of 64 KB, ${(100 * load).toFixed(1)}% of an ESP32-S3 in the mean (estimate)\n`,
  );
  for (const [kind, count] of Object.entries(faults).sort(([a], [b]) => (a < b ? -1 : 1)))
    process.stdout.write(`  ${String(count).padStart(6)}  ${kind}\n`);
}

function progress(seed: number, virtualMs: number, hours: number): void {
  if (!process.stderr.isTTY) return;
  const share = Math.min(1, virtualMs / (hours * 3_600_000));
  process.stderr.write(
    `\rseed ${seed}  ${"█".repeat(Math.round(30 * share)).padEnd(30)}  ${(virtualMs / 60_000).toFixed(0)} min `,
  );
}

function clearProgress(): void {
  if (process.stderr.isTTY) process.stderr.write(`\r${" ".repeat(70)}\r`);
}
