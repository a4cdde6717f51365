// The board definition for DeviceScript, made from the pin map: names of the pins that the badge program uses, and what the runtime itself drives.
import { PINS, type PinName } from "./pins";

/** The definition's name: programs import "@dsboard/salestag_badge". */
export const BOARD_ID = "salestag_badge";
/** File that the compiler looks for in the program's folder `boards`. */
export const BOARD_FILE = `${BOARD_ID}.board.json`;

/** Drawn at random once: tells this board apart from others on a Jacdac bus. */
const PRODUCT_ID = "0x3c5d9e71";
const I2C_KHZ = 400;
const LOG_BAUD = 115_200;

/** Pins that the badge program reaches by name. */
const PROGRAM_PINS: PinName[] = [
  "FLASH_SELECT",
  "FLASH_DATA_OUT",
  "FLASH_CLOCK",
  "FLASH_DATA_IN",
  "MOTOR",
  "GAUGE_ALERT",
  "CHARGING",
  "USB_POWER",
];

/** The runtime knows pins by the labels of its own list: P0, P1 ... */
const label = (name: PinName) => `P${PINS[name].gpio}`;
const gpio = (name: PinName) => PINS[name].gpio;

/**
 * @returns the definition as DeviceScript's compiler takes it. The pins of the front end and of USB are not in it: the runtime's native part has them to
 * itself.
 */
export function boardDefinition() {
  return {
    devName: "SalesTag badge",
    productId: PRODUCT_ID,
    $description: "SalesTag badge. Made from hardware/pins.ts; never run on a real board.",
    archId: "esp32s3",
    url: "https://www.espressif.com/en/products/socs/esp32-s3",
    pins: Object.fromEntries(PROGRAM_PINS.map((name) => [label(name), gpio(name)])),
    $pins: Object.fromEntries(PROGRAM_PINS.map((name) => [name, label(name)])),
    log: { pinTX: gpio("LOG"), baud: LOG_BAUD },
    led: { rgb: [{ pin: gpio("LIGHT_RED") }, { pin: gpio("LIGHT_GREEN") }, { pin: gpio("LIGHT_BLUE") }] },
    i2c: { pinSDA: gpio("SDA"), pinSCL: gpio("SCL"), kHz: I2C_KHZ },
    services: [
      { service: "button", name: "button", pin: gpio("BUTTON") },
      { service: "buzzer", name: "buzzer", pin: gpio("BUZZER") },
    ],
  };
}

/** @returns the text of BOARD_FILE */
export function boardFile(): string {
  return `${JSON.stringify(boardDefinition(), null, 2)}\n`;
}
