// The badge's light, tone, vibration, button and battery, as Jacdac services where they are on the bus, else of the board itself: shows patterns, hands
// gestures on, reads the charge.
import { Button, Buzzer, Led, Power, sleep, VibrationMotor } from "@devicescript/core";
import type { Board } from "./board";
import { Gesture, Presses } from "./button";
import { BATTERY_MS } from "./config";
import type { Pattern } from "./indicators";
import type { Trace } from "./trace";

const TICK_MS = 100;
const TONE_HZ = 2400;
const TONE_VOLUME = 0.4;
const TONE_MS = 80;
const BUZZ_MS = 120;
const BUZZ_PAUSE_MS = 120;
const LED_SPEED = 255;

export class Panel {
  /** Charge of the battery in per cent; -1 while nothing tells it. */
  batteryPercent = -1;
  /** Longest time in ms by which the panel came late since `lateMs` was last set to 0. */
  lateMs = 0;

  private readonly led = new Led();
  private readonly buzzer = new Buzzer();
  private readonly motor = new VibrationMotor();
  private readonly power = new Power();
  private readonly button = new Button();
  private readonly presses = new Presses();
  private shown = "";
  private light = 0;
  private lit = -1;
  private seconds = 0;
  private tonesLeft = 0;
  private buzzesLeft = 0;
  private batteryMs = -BATTERY_MS;

  constructor(
    private readonly trace: Trace,
    private readonly nowMs: () => number,
    private readonly onGesture: (gesture: Gesture) => void,
    private readonly board: Board | undefined,
  ) {
    const self = this; // DeviceScript has no `this` in arrow functions
    this.button.down.subscribe(() => self.presses.down(self.nowMs()));
    this.button.up.subscribe(() => self.presses.up(self.nowMs()));
  }

  /** Called once a second with what is to be shown. */
  show(pattern: Pattern): void {
    if (pattern.name !== this.shown) {
      this.shown = pattern.name;
      this.seconds = 0;
      this.tonesLeft = pattern.tones;
      this.buzzesLeft = pattern.buzzes;
      this.trace.shows(pattern.name);
    }
    this.light = this.seconds % pattern.everyS === 0 ? pattern.light : 0;
    this.seconds++;
  }

  /** A nudge: felt by the wearer, not seen by others. */
  buzz(times: number): void {
    this.buzzesLeft = Math.max(this.buzzesLeft, times);
  }

  /** Runs for ever. */
  async run(): Promise<void> {
    while (true) {
      const dueMs = this.nowMs() + TICK_MS;
      await sleep(TICK_MS);
      this.lateMs = Math.max(this.lateMs, this.nowMs() - dueMs);
      await this.readBattery();
      if (this.presses.isBusy()) {
        const gesture = this.presses.tick(this.nowMs());
        if (gesture !== Gesture.None) this.onGesture(gesture);
      }
      if (this.light !== this.lit) await this.shine();
      if (this.tonesLeft > 0) {
        this.tonesLeft--;
        if (this.buzzer.isBound) await this.buzzer.playNote(TONE_HZ, TONE_VOLUME, TONE_MS);
      }
      if (this.buzzesLeft > 0) {
        this.buzzesLeft--;
        if (this.board !== undefined) await this.board.buzz(BUZZ_MS);
        else {
          if (this.motor.isBound) await this.motor.sendCommand(COMMAND_VIBRATE, vibration());
          await sleep(BUZZ_MS);
        }
        await sleep(BUZZ_PAUSE_MS);
      }
    }
  }

  private async shine(): Promise<void> {
    if (this.board === undefined && !this.led.isBound) return;
    this.lit = this.light;
    if (this.board !== undefined) await this.board.light(this.light);
    else await this.led.sendCommand(COMMAND_ANIMATE, colour(this.light));
  }

  private async readBattery(): Promise<void> {
    if (this.nowMs() - this.batteryMs < BATTERY_MS) return;
    if (this.board === undefined && !this.power.isBound) return;
    this.batteryMs = this.nowMs();
    if (this.board !== undefined) this.batteryPercent = await this.board.chargePercent();
    else this.batteryPercent = Math.round((await this.power.batteryCharge.read()) * 100);
  }
}

/** Jacdac's LED: command `animate`, to red, green, blue, and how fast. */
const COMMAND_ANIMATE = 0x80;

function colour(light: number): Buffer {
  const payload = Buffer.alloc(4);
  payload[0] = light >> 16;
  payload[1] = (light >> 8) & 255;
  payload[2] = light & 255;
  payload[3] = LED_SPEED;
  return payload;
}

/** Jacdac's vibration motor: command `vibrate`, repeats of duration in 8 ms and intensity as u0.8. */
const COMMAND_VIBRATE = 0x80;

function vibration(): Buffer {
  const payload = Buffer.alloc(2);
  payload[0] = BUZZ_MS >> 3;
  payload[1] = 255;
  return payload;
}
