// A badge's surroundings on a factory's bench: a quiet room, a voice on demand, the buzzer that the microphone hears, the mute switch. What is
// wrong with the badge is planted here.
import type { Bench } from "../bench";
import { PlayedButton } from "./button";
import { PlayedBuzzer, PlayedLight, PlayedMotor, StatusLight } from "./panel";
import { playedPower } from "./power";

/** One thing each that can be wrong; left out: nothing. */
export interface Faults {
  /** Dead: no samples but zeros. Noisy: loud whatever sounds. Deaf: its own noise and nothing else. */
  microphone?: "dead" | "noisy" | "deaf";
  /** The switch does not cut the supply; its line to the processor is off, or always on; the switch does nothing at all; the supply never comes back. */
  mute?: "does not cut" | "no flag" | "always" | "no switch" | "stays cut";
  /** Of a light on the bus; "own" is no fault: the light is the runtime's own, as on the board. */
  light?: Trouble | "own";
  buzzer?: Trouble;
  motor?: Trouble;
  button?: "missing" | "stuck" | "dead";
  /** What the badge draws, mA. */
  currentMa?: number;
}
/** Not there; there and knows no command; takes its commands and does nothing. */
export type Trouble = "missing" | "refuses" | "broken";

const LAYOUT = 2 << 4;
const FLAG_MUTED = 1;
const FRAME_BYTES = 36;
const LEVEL_OFFSET = 5;
const SILENCE = 255;
/** Levels in half decibels below full scale. */
const ROOM = 140;
const TONE = 70;
const VOICE = 90;
const NOISE = 50;
const PRESS_MS = 120;
const IDLE_MA = 62;
const VOLTAGE_MV = 3900;
const IDS = {
  light: "5a1e57a600000011",
  buzzer: "5a1e57a600000012",
  motor: "5a1e57a600000013",
  button: "5a1e57a600000014",
  power: "5a1e57a600000015",
};

export class Workbench {
  /** Where the mute switch is. */
  switchedOff = false;
  /** Somebody speaks. */
  voice = false;
  light: { pixels: Buffer } | undefined;
  buzzer: PlayedBuzzer | undefined;
  motor: PlayedMotor | undefined;

  private button: PlayedButton | undefined;
  private wasCut = false;

  constructor(private readonly faults: Faults) {}

  /** Puts the badge's parts on its bus. */
  furnish(bench: Bench): void {
    const { time } = bench;
    const { light, buzzer, motor, button, currentMa = IDLE_MA } = this.faults;
    const parts = (deviceId: string, trouble: Trouble | undefined, send: (frame: Buffer) => void) => {
      return { time, deviceId, send, refuses: trouble === "refuses" };
    };
    if (light === "own")
      bench.plug((send) => {
        const own = new StatusLight(bench.state().deviceId, send);
        this.light = own;
        return own;
      });
    else if (light !== "missing")
      bench.plug((send) => {
        const played = new PlayedLight(parts(IDS.light, light, send));
        this.light = played;
        return played;
      });
    if (buzzer !== "missing")
      bench.plug((send) => (this.buzzer = new PlayedBuzzer(parts(IDS.buzzer, buzzer, send))));
    if (motor !== "missing")
      bench.plug((send) => (this.motor = new PlayedMotor(parts(IDS.motor, motor, send))));
    if (button !== "missing")
      bench.plug((send) => {
        this.button = new PlayedButton({ time, deviceId: IDS.button, send, stuck: button === "stuck" });
        return this.button;
      });
    const gauge = { currentMa, voltageMv: VOLTAGE_MV };
    bench.plug((send) => playedPower({ time, deviceId: IDS.power, percent: 80, gauge, send }));
  }

  /** Presses the button and lets it go. */
  press(): void {
    if (this.faults.button !== "dead") this.button?.press(PRESS_MS);
  }

  /** What somebody sees: red, green, blue or none. */
  get colour(): string {
    const pixels = this.faults.light === "broken" ? undefined : this.light?.pixels;
    return ["red", "green", "blue"].find((_, i) => pixels?.[i] === 255) ?? "none";
  }

  /** What somebody feels: pulses since he was asked last. */
  feel(): number {
    const pulses = this.motor?.pulses ?? 0;
    if (this.motor !== undefined) this.motor.pulses = 0;
    return this.faults.motor === "broken" ? 0 : pulses;
  }

  /** The front end's frame of a hop, without sound. */
  frame(seq: number): Buffer {
    const { mute } = this.faults;
    const flag = mute === "always" || (this.switchedOff && mute !== "no flag" && mute !== "no switch");
    const cut = this.switchedOff && mute !== "does not cut" && mute !== "no switch";
    this.wasCut ||= cut;
    const frame = Buffer.alloc(FRAME_BYTES);
    frame.writeUInt32LE(seq, 0);
    frame[4] = LAYOUT | (flag ? FLAG_MUTED : 0);
    frame[LEVEL_OFFSET] = cut || (this.wasCut && mute === "stays cut") ? SILENCE : this.level(seq);
    return frame;
  }

  private level(seq: number): number {
    const { microphone, buzzer } = this.faults;
    if (microphone === "dead") return SILENCE;
    if (microphone === "noisy") return NOISE;
    if (microphone === "deaf") return ROOM;
    if (this.buzzer?.sounds && buzzer !== "broken") return TONE;
    return this.voice ? VOICE : ROOM + (seq % 3);
  }
}
