// The one pin map: which GPIO of the ESP32-S3 does what. The schematic, the board definition for DeviceScript and the table in pins.md come from here.

/** Who drives or reads a pin in the firmware. */
export type PinUser = "runtime" | "program" | "front end" | "bootloader" | "debugger";

export interface GpioUse {
  gpio: number;
  /** Net in the schematic. */
  net: string;
  user: PinUser;
  what: string;
}

/**
 * Left free on purpose: 35 to 37 belong to the PSRAM of the modules with octal PSRAM, so that these fit too; 3, 45 and 46 are read at reset; 39 to 41
 * are the debugger's.
 */
export const PINS = {
  BOOT: { gpio: 0, net: "BOOT", user: "bootloader", what: "held low at reset: download mode" },
  BUTTON: { gpio: 1, net: "BUTTON", user: "runtime", what: "the wearer's button, low while pressed" },
  MIC_CLOCK: { gpio: 4, net: "I2S_SCK", user: "front end", what: "bit clock to the microphone" },
  MIC_WORD: { gpio: 5, net: "I2S_WS", user: "front end", what: "word select to the microphone" },
  MIC_DATA: { gpio: 6, net: "I2S_DATA", user: "front end", what: "samples; held at 0 by the mute switch" },
  MUTE_STATE: {
    gpio: 7,
    net: "MUTE_STATE",
    user: "front end",
    what: "low: the mute switch cuts the microphone",
  },
  SDA: { gpio: 8, net: "SDA", user: "runtime", what: "I2C data: fuel gauge" },
  SCL: { gpio: 9, net: "SCL", user: "runtime", what: "I2C clock: fuel gauge" },
  FLASH_SELECT: { gpio: 10, net: "FLASH_CS", user: "program", what: "select of the outbox's flash, low" },
  FLASH_DATA_OUT: { gpio: 11, net: "FLASH_DI", user: "program", what: "to the flash" },
  FLASH_CLOCK: { gpio: 12, net: "FLASH_CLK", user: "program", what: "clock of the flash" },
  FLASH_DATA_IN: { gpio: 13, net: "FLASH_DO", user: "program", what: "from the flash" },
  LIGHT_RED: { gpio: 15, net: "LIGHT_RED", user: "runtime", what: "red, low is on, dimmed by PWM" },
  LIGHT_GREEN: { gpio: 16, net: "LIGHT_GREEN", user: "runtime", what: "green, low is on, dimmed by PWM" },
  LIGHT_BLUE: { gpio: 17, net: "LIGHT_BLUE", user: "runtime", what: "blue, low is on, dimmed by PWM" },
  BUZZER: { gpio: 18, net: "BUZZER", user: "runtime", what: "the tone's square wave" },
  USB_MINUS: { gpio: 19, net: "USB_DM", user: "runtime", what: "USB D-" },
  USB_PLUS: { gpio: 20, net: "USB_DP", user: "runtime", what: "USB D+" },
  MOTOR: { gpio: 21, net: "MOTOR", user: "program", what: "vibration, high is on" },
  GAUGE_ALERT: { gpio: 38, net: "GAUGE_ALERT", user: "program", what: "low: the fuel gauge has a warning" },
  LOG: { gpio: 43, net: "UART_TX", user: "runtime", what: "log, 115200 baud, at a test point" },
  CONSOLE: { gpio: 44, net: "UART_RX", user: "bootloader", what: "download by UART, at a test point" },
  CHARGING: { gpio: 47, net: "CHARGING", user: "program", what: "low: the battery is being charged" },
  USB_POWER: { gpio: 48, net: "USB_POWER", user: "program", what: "low: USB supplies the badge" },
} as const satisfies Record<string, GpioUse>;

export type PinName = keyof typeof PINS;

/** The LEDC unit as the DeviceScript runtime uses it has so many timers; each dimmed or sounding pin takes one (devicescript-esp32, main/led.c). */
export const PWM_PINS_MAX = 4;
/** The pins that the runtime drives by PWM. The motor is not among them: it is on or off. */
export const PWM_PINS: PinName[] = ["LIGHT_RED", "LIGHT_GREEN", "LIGHT_BLUE", "BUZZER"];

/** @returns the table of pins.md, in the order of the GPIO numbers */
export function pinTable(): string {
  const uses: [string, GpioUse][] = Object.entries(PINS);
  const rows = uses
    .sort(([, a], [, b]) => a.gpio - b.gpio)
    .map(([name, use]) => `| ${use.gpio} | \`${name}\` | \`${use.net}\` | ${use.user} | ${use.what} |`);
  return ["| GPIO | name | net | whose | what |", "|---:|---|---|---|---|", ...rows].join("\n");
}
