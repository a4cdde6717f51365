// Steps about the board itself: runtime and program, flash chip, radio, current, and that the program starts again.
import type { ChipTest } from "@salestag/protocol/host";
import { type JdService, JdTimeoutError } from "@salestag/protocol/jacdac";
import { ToolError } from "@salestag/protocol/team";
import { RUNTIME_VERSION } from "../doctor/badge-checks";
import { JD_CLASS_WIFI, joinNetwork, scanNetworks } from "../provision/wifi";
import { observe } from "../usb/observe";
import { ASK_CHIP, ASK_CHIP_AND_ERASE, askProgram, hasRightProgram } from "./ask-program";
import { type FactoryBench, serviceOf } from "./bench";
import { measured, type Value } from "./limits";
import { type Found, failed, judged, passed, skipped } from "./step";

const JD_CLASS_POWER = 0x1fa4c95a;
const REGISTER_CURRENT = 0x101;
const REGISTER_VOLTAGE = 0x180;
const ANSWER_MS = 6000;
const START_MS = 8000;

export async function testRuntime({ seen }: FactoryBench): Promise<Found> {
  const todo = "flash the runtime that the badge program is built for: salestag flash";
  if (seen.runtimeVersion === undefined) return failed("the runtime does not tell its version", todo);
  if (seen.runtimeVersion !== RUNTIME_VERSION)
    return failed(`the runtime is ${seen.runtimeVersion}, the program is built for ${RUNTIME_VERSION}`, todo);
  return passed(`runtime ${seen.runtimeVersion}`);
}

export async function testProgram({ seen, known }: FactoryBench): Promise<Found> {
  const { program } = seen;
  const todo = "put the right program on: salestag deploy";
  if (program === undefined) return failed("the runtime does not tell which program it has", todo);
  if (program.sizeBytes === 0) return failed("there is no program", todo);
  const what = `${program.name} ${program.version}`.trim();
  if (known === undefined)
    return skipped(`${what}: nothing to compare it with`, "name the right one with --program or --bundle");
  if (program.sha256 !== known.sha256) return failed(`${what} is not the one in ${known.from}`, todo);
  return passed(`${what}, the one in ${known.from}`);
}

/** The chip hangs on the processor: only the badge program reaches it. It tests where nothing is stored. */
export async function testFlash(bench: FactoryBench): Promise<Found> {
  if (!hasRightProgram(bench))
    return skipped("only the right program tests its chip", "mend what the step 'program' says");
  const test = await askProgram(bench, bench.erase ? ASK_CHIP_AND_ERASE : ASK_CHIP, "chiptest");
  if (test !== undefined) return judgeChip(test, bench.erase);
  return failed(
    "the program does not say what its chip is like",
    "look at its log: salestag monitor --plain",
  );
}

function judgeChip(test: ChipTest, erase: boolean): Found {
  const wires = "the flash chip's four wires, its supply and the pull-up of its select line";
  if (test.sectors === 0) return failed("no flash chip answers", `look at ${wires}`);
  const values = [
    measured("flashSectors", test.sectors),
    measured("flashRefused", test.refused),
    measured("flashUnerased", test.unerased),
    measured("flashUnwritten", test.unwritten),
    measured("flashWrong", test.wrong),
    measured("flashPlaces", test.places),
  ];
  const used =
    test.places < 4 && !erase
      ? "; if the badge was in use, its sectors hold something: --erase lets the test erase four of them"
      : "";
  const says = `${(test.sectors * 4) / 1024} MB; ${test.places} sectors erased, written, read`;
  return judged(says, values, `look at ${wires}, and whether it is the chip of the parts list${used}`);
}

export async function testWifi(bench: FactoryBench): Promise<Found> {
  const { client, network, signal } = bench;
  const look = "look at the antenna: nothing metal before it, its feed soldered; then the module";
  const wifi = await serviceOf(client, JD_CLASS_WIFI);
  if (wifi === undefined)
    return failed("the runtime offers no Wi-Fi", "flash the badge's own runtime: salestag flash");
  const heard = await scanNetworks(client, wifi).catch((cause) => {
    if (cause instanceof JdTimeoutError) return undefined;
    throw cause;
  });
  if (heard === undefined) return failed("the radio does not scan", look);
  const values: Value[] = [measured("wifiNetworks", heard.length)];
  if (heard.length > 0) values.push(measured("wifiSignal", heard[0].rssiDbm));
  const found = judged(`networks heard: ${heard.length}`, values, look);
  if (found.verdict === "failed" || network === undefined) return found;
  try {
    const dbm = await joinNetwork(client, wifi, network, signal);
    return { ...found, says: `${found.says}; joined the one that was named (${dbm} dBm)` };
  } catch (cause) {
    signal.throwIfAborted();
    if (!(cause instanceof ToolError)) throw cause;
    // Its sentence names the networks around, which are nobody's business in a record.
    return failed(
      "it does not get into the network that was named",
      `check name and password; ${look}`,
      values,
    );
  }
}

/** Told by the badge where it has a gauge, else read off the bench supply by the technician. */
export async function testCurrent(bench: FactoryBench): Promise<Found> {
  const { client, person, signal, currentMa } = bench;
  const power = currentMa === undefined ? await serviceOf(client, JD_CLASS_POWER) : undefined;
  const [gauged, voltage] =
    power === undefined
      ? [undefined, undefined]
      : [await ask(client, power, REGISTER_CURRENT), await ask(client, power, REGISTER_VOLTAGE)];
  let current = currentMa ?? gauged;
  if (current === undefined && person.asks)
    current = await person.number("What does the bench supply show, in mA?", signal);
  if (current === undefined)
    return failed(
      "nothing tells the current",
      "say what the bench supply shows with --current-ma, or --skip current",
    );
  const values = [measured("currentDraw", current)];
  if (voltage !== undefined) values.push(measured("batteryVoltage", voltage));
  const from = gauged === undefined || currentMa !== undefined ? "by the bench supply" : "by its own gauge";
  return judged(
    `${current} mA ${from}`,
    values,
    "unplug it at once if it is far too high; look for a short on the rails (hardware/bring-up.md), for parts that get warm",
  );
}

async function ask(
  client: FactoryBench["client"],
  service: JdService,
  register: number,
): Promise<number | undefined> {
  const value = await client.readRegister(service, register, ANSWER_MS).catch((cause) => {
    if (cause instanceof JdTimeoutError) return undefined; // such a service need not have it
    throw cause;
  });
  return value !== undefined && value.length >= 2 ? value.readUInt16LE(0) : undefined;
}

/** The program runs by now; it is to say so itself. */
export async function testStart({ port }: FactoryBench): Promise<Found> {
  const todo = "put the program on anew: salestag deploy --force; then salestag doctor";
  const { running, said, panics } = await observe(port, { forMs: START_MS, briefly: true });
  if (panics.length > 0) return failed(`the program panics (code ${panics[0]})`, todo);
  if (running !== true) return failed("the program does not run", todo);
  if (said === undefined) return failed("the program runs and says nothing", todo);
  return passed("the program runs");
}
