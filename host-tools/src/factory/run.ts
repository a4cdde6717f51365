// The factory test: does its steps on one badge, one after the other. The badge program is stopped meanwhile and started again whatever happens.
import { JdTimeoutError, setProgramRunning } from "@salestag/protocol/jacdac";
import { clauseOf, ExitCode, messageOf, ToolError } from "@salestag/protocol/team";
import type { KnownProgram } from "../doctor/badge-checks";
import { findBadge } from "../provision/settings";
import type { WifiNetwork } from "../provision/wifi";
import type { BadgePort } from "../usb/badge-port";
import { type Observation, observe } from "../usb/observe";
import type { FactoryBench } from "./bench";
import { testCurrent, testFlash, testProgram, testRuntime, testStart, testWifi } from "./board-steps";
import { testButton, testLight, testMotor } from "./panel-steps";
import type { Person } from "./person";
import { testMicrophone, testMute, testTone } from "./sound-steps";
import { type Found, failed, type StepName, type StepResult } from "./step";

export interface FactoryOptions {
  port: BadgePort;
  person: Person;
  /** Steps to do; the others are left out. */
  steps: readonly StepName[];
  known: KnownProgram | undefined;
  network?: WifiNetwork;
  currentMa?: number;
  erase: boolean;
  /** The person is waited for so long, each time. */
  waitMs: number;
  random: (below: number) => number;
  /** Ctrl-C. */
  signal: AbortSignal;
  onStep?: (step: StepName) => void;
  onResult?: (result: StepResult) => void;
}

/** What was found, and on what. */
export interface FactoryOutcome {
  /** 16 hexadecimal digits. */
  hardwareId: string;
  seen: Observation;
  results: StepResult[];
}

const LOOK_MS = 3000;
/** Steps that ask only the runtime, or want the program to run. */
const WHILE_IT_RUNS: readonly StepName[] = ["runtime", "program", "start"];

const TESTS: Record<StepName, (bench: FactoryBench) => Promise<Found>> = {
  runtime: testRuntime,
  program: testProgram,
  microphone: testMicrophone,
  tone: testTone,
  mute: testMute,
  light: testLight,
  motor: testMotor,
  button: testButton,
  flash: testFlash,
  wifi: testWifi,
  current: testCurrent,
  start: testStart,
};

/**
 * Tests the badge at the port.
 * @throws ToolError when there is no badge, it is unplugged, or the test is interrupted
 */
export async function runFactoryTest(options: FactoryOptions): Promise<FactoryOutcome> {
  const { port, steps, signal } = options;
  const services = await findBadge(port.client);
  const seen = await observe(port, { forMs: LOOK_MS, briefly: true });
  const gone = new AbortController();
  void port.gone.then((why) => gone.abort(new Error(why)));
  const bench: FactoryBench = {
    ...options,
    ...services,
    client: port.client,
    signal: AbortSignal.any([signal, gone.signal]),
    seen,
    heard: { mutedThroughout: false },
  };
  const interrupt = () => port.client.interrupt(signal.reason as Error);
  signal.addEventListener("abort", interrupt);
  try {
    const results = await beforeStart(bench, options);
    if (steps.includes("start")) results.push(await one("start", bench, options));
    return { hardwareId: services.manager.deviceId, seen, results };
  } finally {
    signal.removeEventListener("abort", interrupt);
  }
}

/** All steps but the last one, for which the program has to run again. */
async function beforeStart(bench: FactoryBench, options: FactoryOptions): Promise<StepResult[]> {
  const { client, manager } = bench;
  const steps = options.steps.filter((step) => step !== "start");
  const results: StepResult[] = [];
  if (steps.every((step) => WHILE_IT_RUNS.includes(step))) {
    for (const step of steps) results.push(await one(step, bench, options));
    return results;
  }
  let failure: ToolError | undefined;
  try {
    await setProgramRunning(client, manager, false);
    for (const step of steps) results.push(await one(step, bench, options));
  } catch (cause) {
    failure = asToolError(cause);
  }
  await setProgramRunning(client, manager, true).catch((cause) => {
    const first = failure ?? asToolError(cause);
    const still = "its program stands still until the badge is switched off and on";
    throw new ToolError(first.exitCode, `${clauseOf(first)}; ${still}.`, { cause });
  });
  if (failure !== undefined) throw failure;
  return results;
}

async function one(step: StepName, bench: FactoryBench, options: FactoryOptions): Promise<StepResult> {
  options.onStep?.(step);
  const result = { step, ...(await found(step, bench, options.signal)) };
  options.onResult?.(result);
  return result;
}

async function found(step: StepName, bench: FactoryBench, interrupted: AbortSignal): Promise<Found> {
  try {
    interrupted.throwIfAborted();
    return await TESTS[step](bench);
  } catch (cause) {
    interrupted.throwIfAborted();
    if (bench.signal.aborted)
      throw new ToolError(
        ExitCode.Badge,
        `the badge at ${bench.port.port} was unplugged in step '${step}' (${messageOf(bench.signal.reason)}): plug it in and begin again.`,
        { cause },
      );
    if (cause instanceof JdTimeoutError)
      return failed(
        `the badge stops answering (${messageOf(cause)})`,
        "look at the cable, and whether the badge resets",
      );
    throw new ToolError(ExitCode.Badge, `step '${step}': ${clauseOf(cause)}.`, { cause });
  }
}

function asToolError(cause: unknown): ToolError {
  if (cause instanceof ToolError) return cause;
  return new ToolError(ExitCode.Badge, `${clauseOf(cause)}.`, { cause });
}
