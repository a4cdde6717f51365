// One pin map: the schematic, the board definition and the page say the same, and each pin can do what it is used for.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { boardDefinition } from "./board";
import { type GpioUse, PINS, PWM_PINS, PWM_PINS_MAX, pinTable } from "./pins";
import { BADGE } from "./schematic";

const uses: [string, GpioUse][] = Object.entries(PINS);

describe("pins: one map", () => {
  it("pins: no GPIO and no net is used twice", () => {
    assert.equal(new Set(uses.map(([, { gpio }]) => gpio)).size, uses.length);
    assert.equal(new Set(uses.map(([, { net }]) => net)).size, uses.length);
  });

  it("pins: the processor in the schematic has these nets on these pins, and no others", () => {
    const module = BADGE.placed.find(({ part }) => part === "module")!;
    const wired = Object.entries(module.nets).flatMap(([name, net]) => {
      const gpio = /^IO(\d+)$/.exec(name);
      return gpio !== null && typeof net === "string" ? [`${gpio[1]} ${net}`] : [];
    });
    assert.deepEqual(wired.sort(), uses.map(([, { gpio, net }]) => `${gpio} ${net}`).sort());
  });

  it("pins: every number of the board definition is the map's, under the map's name", () => {
    const { pins, $pins, led, i2c, log, services } = boardDefinition();
    for (const [name, label] of Object.entries($pins)) {
      assert.equal(pins[label], PINS[name as keyof typeof PINS].gpio);
      assert.equal(label, `P${pins[label]}`);
    }
    assert.deepEqual(
      led.rgb.map(({ pin }) => pin),
      [PINS.LIGHT_RED.gpio, PINS.LIGHT_GREEN.gpio, PINS.LIGHT_BLUE.gpio],
    );
    assert.deepEqual([i2c.pinSDA, i2c.pinSCL, log.pinTX], [PINS.SDA.gpio, PINS.SCL.gpio, PINS.LOG.gpio]);
    assert.deepEqual(
      services.map(({ name, pin }) => `${name} ${pin}`),
      [`button ${PINS.BUTTON.gpio}`, `buzzer ${PINS.BUZZER.gpio}`],
    );
  });

  it("pins: what DeviceScript gets, nobody else uses; what it does not get, the native part or the bootloader has", () => {
    const { pins, led, i2c, log, services } = boardDefinition();
    const given = [
      ...Object.values(pins),
      ...led.rgb.map(({ pin }) => pin),
      ...services.map(({ pin }) => pin),
      i2c.pinSDA,
      i2c.pinSCL,
      log.pinTX,
    ];
    const usb = ["USB_MINUS", "USB_PLUS"];
    const theirs = uses.filter(([name, { user }]) => /runtime|program/.test(user) && !usb.includes(name));
    assert.deepEqual(given.sort(), theirs.map(([, { gpio }]) => gpio).sort());
  });

  it("pins: no more pins on PWM than the runtime has timers", () => {
    assert.ok(PWM_PINS.length <= PWM_PINS_MAX);
  });

  it("pins: pins.md has this table", () => {
    const page = readFileSync(new URL("pins.md", import.meta.url), "utf8");
    assert.ok(page.includes(pinTable()), `pins.md differs; it should have:\n${pinTable()}`);
  });

  it("pins: the native part is built for the same ones", () => {
    const cmake = readFileSync(new URL("../firmware/native/CMakeLists.txt", import.meta.url), "utf8");
    const named = [...cmake.matchAll(/\b(MIC_CLOCK|MIC_WORD|MIC_DATA|MUTE_STATE)_GPIO=(\d+)/g)];
    assert.deepEqual(
      named.map(([, name, gpio]) => [name, Number(gpio)]),
      (["MIC_CLOCK", "MIC_WORD", "MIC_DATA", "MUTE_STATE"] as const).map((name) => [name, PINS[name].gpio]),
    );
  });
});
