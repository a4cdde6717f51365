// `salestag factory-test`: tests a badge that was just built, and makes a signed record of it; `verify` reads one.
import { randomInt } from "node:crypto";
import { existsSync } from "node:fs";
import { createFile, ExitCode, ToolError } from "@salestag/protocol/team";
import { type Command, InvalidArgumentError } from "commander";
import { knownProgram } from "../doctor/known-program";
import { fixture, technician } from "../factory/person";
import { type FactoryRecord, RECORD_VERSION, readRecord, signRecord, verdictOf } from "../factory/record";
import { type FactoryOutcome, runFactoryTest } from "../factory/run";
import { STEPS, type StepName, type StepResult, type StepVerdict } from "../factory/step";
import { readSigningKey, readTrustedKeys } from "../flash/signing";
import { listenForInterrupt } from "../interrupt";
import { BadgePort } from "../usb/badge-port";
import { resolveBadge } from "../usb/resolve-badge";
import { jsonOr, type Output } from "./output";
import { networkOf } from "./provision-options";
import { badgeOption, wholeWithin } from "./values";

interface RunFlags {
  badge?: string;
  steps?: StepName[];
  skip: StepName[];
  assumeYes: boolean;
  waitS: number;
  currentMa?: number;
  wifi?: string;
  wifiPasswordFile?: string;
  program?: string;
  bundle?: string;
  erase: boolean;
  operator?: string;
  sign?: string;
  out?: string;
  json: boolean;
}

interface VerifyFlags {
  trust: string;
  json: boolean;
}

const RECORD_MODE = 0o644;
const VERDICT_WIDTH = 8;
const STEP_WIDTH = 11;
const OPERATOR_CHARACTERS_MAX = 64;

const HELP = `
Steps, in their order: ${STEPS.join(", ")}.
A recording that goes on ends. What the badge has stored stays, except with --erase. Ends with 0 when no step failed and none that was asked for was skipped, with 5 otherwise.

Examples ('run' may be left out):
  salestag factory-test run
  salestag factory-test run --operator 'Kim' --sign factory.key --out records/0017.json
  salestag factory-test run --assume-yes --current-ma 62 --skip light,motor --json
  salestag factory-test run --steps microphone,tone,mute
  salestag factory-test verify records/0017.json --trust factory.key.pub`;

const VERIFY_HELP = `
Ends with 0 for a record of a badge that passed every step, with 5 for any other true record, with 3 when nobody trusted signed it, with 4 when it
is damaged or forged.

Example:
  salestag factory-test verify records/0017.json --trust factory.key.pub`;

export function addFactoryTest(parent: Command, output: Output): void {
  const group = parent
    .command("factory-test")
    .description("Test a badge that was just built, and make a signed record of it.")
    .addHelpText("after", HELP);
  addRun(group, output);
  addVerify(group, output);
}

function addRun(group: Command, output: Output): void {
  group
    .command("run", { isDefault: true })
    .description("Test the badge, step by step.")
    .addOption(badgeOption())
    .option("--steps <names>", "do these steps alone, with commas between", stepList)
    .option("--skip <names>", "leave these steps out, with commas between", stepList, [])
    .option(
      "--assume-yes",
      "a fixture presses and switches: ask nothing, do not judge what only eyes can see",
      false,
    )
    .option("--wait-s <seconds>", "wait so long for a press or a switch", wholeWithin(1, 600), 30)
    .option("--current-ma <mA>", "what the bench supply shows while the badge idles", milliamperes)
    .option("--wifi <ssid>", "join this network too; the badge keeps it")
    .option("--wifi-password-file <file>", "file with its password (mode 600); left out for an open network")
    .option("--program <file>", "bytecode that the badge must have; else what was built here")
    .option("--bundle <file>", "a bundle whose program the badge must have")
    .option("--erase", "the flash test may erase four sectors, whatever they hold", false)
    .option("--operator <name>", "who tests, for the record")
    .option("--sign <file>", "private key that signs the record ('salestag bundle keygen' makes one)")
    .option("--out <file>", "record to make; it must not be there yet")
    .option("--json", "print the result as JSON", false)
    .addHelpText("after", HELP)
    .action((flags: RunFlags) => run(flags, output));
}

function addVerify(group: Command, output: Output): void {
  group
    .command("verify <file>")
    .description("Check a record's signature, and say what it says.")
    .requiredOption("--trust <file>", "the factory's public key")
    .option("--json", "print the result as JSON", false)
    .addHelpText("after", VERIFY_HELP)
    .action((file: string, { trust, json }: VerifyFlags) => {
      const { record, signer } = readRecord(file, readTrustedKeys(trust));
      const lines = [...headOf(record), ...record.steps.map((result) => lineOf(output, result))];
      jsonOr(
        output,
        json,
        { record: { ...record, program: shortened(record) }, signer: signer.slice(0, 16) },
        lines,
      );
      if (record.verdict === "passed") return;
      throw new ToolError(
        ExitCode.Badge,
        `the record is true, and the badge ${record.hardwareId} did not pass: ${record.verdict}.`,
      );
    });
}

async function run(flags: RunFlags, output: Output): Promise<void> {
  const steps = stepsOf(flags);
  const key = signingOf(flags);
  const known = knownProgram(flags.program, flags.bundle);
  const network = networkOf(flags);
  const say = (text: string) => output.notice(text);
  if (!flags.assumeYes && process.stdin.isTTY !== true)
    throw new ToolError(
      ExitCode.Usage,
      "the test asks on a terminal, and there is none; add --assume-yes where a fixture presses and switches.",
    );
  const person = flags.assumeYes ? fixture(say) : technician(say, () => output.progress(""));
  const path = await resolveBadge(flags.badge);
  const { signal, end } = listenForInterrupt(output.notice);
  const { waitS, currentMa, erase } = flags;
  const startedAt = new Date().toISOString();
  const port = await BadgePort.open(path);
  const progress = (step: StepName) => output.progress(`${step} ...`);
  const onResult = (result: StepResult) => {
    if (!flags.json) output.line(lineOf(output, result));
  };
  try {
    const badge = { port, person, steps, known, network, currentMa, erase, waitMs: waitS * 1000 };
    const outcome = await runFactoryTest({ ...badge, random: randomInt, signal, onStep: progress, onResult });
    const record = recordOf(outcome, flags.operator ?? "", startedAt);
    if (key !== undefined) createFile(flags.out as string, signRecord(record, key), RECORD_MODE);
    tell(output, flags, record);
  } finally {
    end();
    await port.close();
  }
}

/** All of what belongs to a record, or nothing. @throws ToolError, before anything is tested */
function signingOf({ operator, sign, out }: RunFlags) {
  const given = [operator, sign, out].filter((flag) => flag !== undefined).length;
  if (given === 0) return undefined;
  if (operator === undefined || sign === undefined || out === undefined)
    throw new ToolError(
      ExitCode.Usage,
      "a record needs --operator, --sign and --out; name all three, or none.",
    );
  if (operator.trim() === "" || operator.length > OPERATOR_CHARACTERS_MAX || /\p{Cc}/u.test(operator))
    throw new ToolError(
      ExitCode.Usage,
      `the operator's name has ${operator.length} characters; write 1 to ${OPERATOR_CHARACTERS_MAX} on one line.`,
    );
  if (existsSync(out))
    throw new ToolError(
      ExitCode.Usage,
      `'${out}' is there already and is not overwritten; choose another name.`,
    );
  return readSigningKey(sign);
}

function stepsOf({ steps, skip }: RunFlags): StepName[] {
  const chosen = STEPS.filter((step) => (steps ?? STEPS).includes(step) && !skip.includes(step));
  if (chosen.length === 0)
    throw new ToolError(ExitCode.Usage, "no step is left to do; name one with --steps.");
  return chosen;
}

function recordOf(
  { hardwareId, seen, results }: FactoryOutcome,
  operator: string,
  startedAt: string,
): FactoryRecord {
  const { name = "", version = "", sha256 = "" } = seen.program ?? {};
  return {
    version: RECORD_VERSION,
    hardwareId,
    runtime: seen.runtimeVersion ?? "",
    program: { name, version, sha256 },
    operator,
    startedAt,
    endedAt: new Date().toISOString(),
    verdict: verdictOf(results),
    steps: results,
  };
}

function tell(output: Output, { json, out }: RunFlags, record: FactoryRecord): void {
  const { hardwareId, verdict, steps } = record;
  const notDone = steps.filter((result) => result.verdict !== "passed").map(({ step }) => step);
  const result = { ok: notDone.length === 0, ...record, program: shortened(record), file: out };
  jsonOr(output, json, result, [
    `${verdict}  badge ${hardwareId}${out === undefined ? "" : `, record ${out}`}`,
  ]);
  if (notDone.length > 0)
    throw new ToolError(
      ExitCode.Badge,
      `${notDone.length} of ${steps.length} steps did not pass (${notDone.join(", ")}); each says what to look at.`,
    );
}

/** Enough of the digest to tell programs apart: 64 digits on a screen look like a key. */
function shortened({ program }: FactoryRecord) {
  return { ...program, sha256: program.sha256.slice(0, 16) };
}

function headOf(record: FactoryRecord): string[] {
  const { hardwareId, runtime, program, operator, startedAt, verdict } = record;
  return [
    `verdict   ${verdict}`,
    `hardware  ${hardwareId}`,
    `runtime   ${runtime}`,
    `program   ${`${program.name} ${program.version}`.trim()} (${program.sha256.slice(0, 16)})`,
    `tested    ${startedAt} by ${operator}`,
  ];
}

function lineOf({ colors }: Output, { step, verdict, says, todo }: StepResult): string {
  const paint: Record<StepVerdict, (text: string) => string> = {
    passed: colors.green,
    failed: colors.red,
    skipped: colors.yellow,
  };
  const end = todo === undefined ? "" : `: ${todo}`;
  return `${paint[verdict](verdict.padEnd(VERDICT_WIDTH))} ${step.padEnd(STEP_WIDTH)} ${says}${end}`;
}

/** @throws InvalidArgumentError for a word that is no step */
function stepList(text: string): StepName[] {
  const names = text.split(",").map((name) => name.trim());
  const unknown = names.find((name) => !STEPS.some((step) => step === name));
  if (unknown !== undefined)
    throw new InvalidArgumentError(`'${unknown}' is no step; the steps are ${STEPS.join(", ")}.`);
  return names as StepName[];
}

function milliamperes(text: string): number {
  const value = Number(text);
  if (!/^\d{1,5}(\.\d{1,2})?$/.test(text)) throw new InvalidArgumentError("It must be a number of mA.");
  return value;
}
