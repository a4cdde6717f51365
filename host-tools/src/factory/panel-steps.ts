// Steps about what the wearer sees, feels and presses: light, vibration motor, button.
import { JD_INDEX_CONTROL, type JdService, JdTimeoutError } from "@salestag/protocol/jacdac";
import { ASK_VIBRATE, askProgram, hasRightProgram } from "./ask-program";
import { type FactoryBench, refusalOf, serviceOf } from "./bench";
import { type Found, failed, passed, skipped } from "./step";

const JD_CLASS_LED = 0x1609d4f0;
const REGISTER_BRIGHTNESS = 0x01;
const REGISTER_PIXELS = 0x02;
const FULL = 255;
/** Jacdac's control service: the device's own light, to red, green, blue, and how fast. */
const COMMAND_STATUS_LIGHT = 0x84;
const AT_ONCE = 0;
const COLOURS: [name: string, rgb: number[]][] = [
  ["red", [255, 0, 0]],
  ["green", [0, 255, 0]],
  ["blue", [0, 0, 255]],
];
const DARK = [0, 0, 0];

const PULSES_MAX = 3;

const JD_CLASS_BUTTON = 0x1473a263;
const REGISTER_PRESSURE = 0x101;
const EVENT = 0x8000;
const EVENT_CODE_MASK = 0x80ff;
const EVENT_DOWN = 1;
const EVENT_UP = 2;
const ANSWER_MS = 6000;
const READ_TRIES = 4;

const NOT_THERE = "look whether the board's definition has it; flash it again";

/** Each colour by itself, in a random order: who answers by heart is found out. */
export async function testLight(bench: FactoryBench): Promise<Found> {
  const { client, person, random, signal } = bench;
  const look = "look at the light: its resistors, the pins that dim it, whether it sits the right way round";
  const service = await serviceOf(client, JD_CLASS_LED);
  const left = [...COLOURS];
  while (left.length > 0) {
    const [[name, rgb]] = left.splice(random(left.length), 1);
    const refusal = await shine(bench, service, rgb);
    if (refusal !== undefined) return failed(`the light does not take ${name}: ${refusal}`, look);
    if (!person.asks) continue;
    const names = [...COLOURS.map(([colour]) => colour), "none"];
    const answer = await person.choose("Which colour does the badge show?", names, signal);
    if (answer !== name) return failed(`the light was to show ${name}, the technician saw ${answer}`, look);
  }
  await shine(bench, service, DARK);
  return passed(person.asks ? "the technician saw every colour" : "it takes every colour; nobody looked");
}

/**
 * @param service a light on the bus; without one it is the runtime's own, as on the board
 * @returns why the light does not take it; undefined when it does
 */
async function shine(
  { client, manager: { deviceId } }: FactoryBench,
  service: JdService | undefined,
  rgb: number[],
): Promise<string | undefined> {
  if (service !== undefined) return await shineOnBus(client, service, rgb);
  const control = { deviceId, serviceIndex: JD_INDEX_CONTROL, serviceClass: 0 };
  return await refusalOf(client, control, COMMAND_STATUS_LIGHT, Buffer.from([...rgb, AT_ONCE]));
}

async function shineOnBus(
  client: FactoryBench["client"],
  light: JdService,
  rgb: number[],
): Promise<string | undefined> {
  client.writeRegister(light, REGISTER_BRIGHTNESS, Buffer.from([FULL]));
  client.writeRegister(light, REGISTER_PIXELS, Buffer.from(rgb));
  try {
    let shown = "";
    // On a slow line an answer to an earlier reading may still be under way.
    for (let tries = 0; tries < READ_TRIES; tries++) {
      const pixels = await client.readRegister(light, REGISTER_PIXELS, ANSWER_MS);
      if (pixels.subarray(0, rgb.length).equals(Buffer.from(rgb))) return undefined;
      shown = pixels.toString("hex") || "nothing";
    }
    return `it has ${shown} afterwards`;
  } catch (cause) {
    if (cause instanceof JdTimeoutError) return "it does not answer";
    throw cause;
  }
}

/** The motor hangs on a pin of the processor: the badge program moves it. */
export async function testMotor(bench: FactoryBench): Promise<Found> {
  const { person, random, signal } = bench;
  const look = "look at the vibration motor, its transistor and the diode beside it";
  if (!hasRightProgram(bench))
    return skipped("only the right program moves its motor", "mend what the step 'program' says");
  const pulses = 1 + random(PULSES_MAX);
  const told = await askProgram(bench, ASK_VIBRATE + pulses, "motortest");
  if (told === undefined)
    return failed(
      "the program does not say that it moved the motor",
      "look at its log: salestag monitor --plain",
    );
  if (told.pulses === 0) return failed("the program knows no vibration motor", NOT_THERE);
  if (!person.asks) return passed("the program moved it; nobody felt it");
  const counts = Array.from({ length: PULSES_MAX + 1 }, (_, count) => String(count));
  const felt = await person.choose("How many times did the badge vibrate?", counts, signal);
  if (felt === String(pulses)) return passed("the technician felt every pulse");
  return failed(`the motor was to pulse ${pulses} times, the technician felt ${felt}`, look);
}

export async function testButton({ client, person, waitMs }: FactoryBench): Promise<Found> {
  const button = await serviceOf(client, JD_CLASS_BUTTON);
  const look = "look at the button, its pull resistor and the solder around it";
  if (button === undefined) return failed("no button announces itself", NOT_THERE);
  const pressure = await client.readRegister(button, REGISTER_PRESSURE, ANSWER_MS).catch(timedOut);
  if (pressure === undefined) return failed("the button does not say whether it is pressed", look);
  if (pressure.some((byte) => byte !== 0))
    return failed("the button reads as pressed, and nobody presses it", look);
  const event = (code: number) =>
    client
      .await("event of the button", waitMs, (deviceId, index, command) =>
        deviceId === button.deviceId &&
        index === button.serviceIndex &&
        (command & EVENT_CODE_MASK) === (EVENT | code)
          ? true
          : undefined,
      )
      .catch(timedOut);
  const events = Promise.all([event(EVENT_DOWN), event(EVENT_UP)]);
  person.tell("Press the button and let it go.");
  const [down, up] = await events;
  if (down === undefined) return failed(`no press came in ${waitMs / 1000} s`, look);
  if (up === undefined)
    return failed(`the button was pressed and did not come up in ${waitMs / 1000} s`, look);
  return passed("pressed and let go");
}

function timedOut(cause: unknown): undefined {
  if (cause instanceof JdTimeoutError) return undefined;
  throw cause;
}
