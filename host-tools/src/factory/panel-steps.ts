// Steps about what the wearer sees, feels and presses: light, vibration motor, button.
import { type JdService, JdTimeoutError } from "@salestag/protocol/jacdac";
import { type FactoryBench, refusalOf, serviceOf } from "./bench";
import { type Found, failed, passed } from "./step";

const JD_CLASS_LED = 0x1609d4f0;
const REGISTER_BRIGHTNESS = 0x01;
const REGISTER_PIXELS = 0x02;
const FULL = 255;
const COLOURS: [name: string, rgb: number[]][] = [
  ["red", [255, 0, 0]],
  ["green", [0, 255, 0]],
  ["blue", [0, 0, 255]],
];
const DARK = [0, 0, 0];

const JD_CLASS_VIBRATION_MOTOR = 0x183fc4a2;
const COMMAND_VIBRATE = 0x80;
const PULSES_MAX = 3;
/** A pulse and the pause after it, in units of 8 ms. */
const PULSE = [38, 255];
const PAUSE = [50, 0];

const JD_CLASS_BUTTON = 0x1473a263;
const REGISTER_PRESSURE = 0x101;
const EVENT = 0x8000;
const EVENT_CODE_MASK = 0x80ff;
const EVENT_DOWN = 1;
const EVENT_UP = 2;
const ANSWER_MS = 1500;
const READ_TRIES = 4;

const NOT_THERE = "look whether the board's definition has it; flash it again";

/** Each colour by itself, in a random order: who answers by heart is found out. */
export async function testLight({ client, person, random, signal }: FactoryBench): Promise<Found> {
  const light = await serviceOf(client, JD_CLASS_LED);
  const look = "look at the light: its supply, its data line, whether it sits the right way round";
  if (light === undefined) return failed("no light announces itself", NOT_THERE);
  client.writeRegister(light, REGISTER_BRIGHTNESS, Buffer.from([FULL]));
  const left = [...COLOURS];
  while (left.length > 0) {
    const [[name, rgb]] = left.splice(random(left.length), 1);
    const refusal = await shine(client, light, rgb);
    if (refusal !== undefined) return failed(`the light does not take ${name}: ${refusal}`, look);
    if (!person.asks) continue;
    const names = [...COLOURS.map(([colour]) => colour), "none"];
    const answer = await person.choose("Which colour does the badge show?", names, signal);
    if (answer !== name) return failed(`the light was to show ${name}, the technician saw ${answer}`, look);
  }
  await shine(client, light, DARK);
  return passed(person.asks ? "the technician saw every colour" : "it takes every colour; nobody looked");
}

/** @returns why the light does not take it; undefined when it does */
async function shine(
  client: FactoryBench["client"],
  light: JdService,
  rgb: number[],
): Promise<string | undefined> {
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

export async function testMotor({ client, person, random, signal }: FactoryBench): Promise<Found> {
  const motor = await serviceOf(client, JD_CLASS_VIBRATION_MOTOR);
  const look = "look at the vibration motor, its driver and the diode beside it";
  if (motor === undefined) return failed("no vibration motor announces itself", NOT_THERE);
  const pulses = 1 + random(PULSES_MAX);
  const pattern = Array.from({ length: pulses }, () => [...PULSE, ...PAUSE]).flat();
  const refusal = await refusalOf(client, motor, COMMAND_VIBRATE, Buffer.from(pattern));
  if (refusal !== undefined) return failed(`the motor takes no pulse: ${refusal}`, look);
  if (!person.asks) return passed("it takes its command; nobody felt it");
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
