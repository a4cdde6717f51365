// Pins of every part that the badge has: name, pads, and what the pin does. Where a pin's pads are from memory, parts.ts says so at the part.
import type { PartSymbol, Pin, PinType } from "./src/netlist";

const pin = (type: PinType, ...pads: (string | number)[]): Pin => ({ type, pads: pads.map(String) });
const twoWire = (type: PinType, ...pads: (string | number)[]): Pin => ({
  ...pin(type, ...pads),
  twoWire: true,
});

/** Keeps the names of the pins in the type, so that a wrong one does not compile. */
function symbol<Name extends string>(letter: string, pins: Record<Name, Pin>): PartSymbol<Name> {
  return { letter, pins };
}

const TWO_PINS = { "1": pin("passive", 1), "2": pin("passive", 2) };

/** ESP32-S3-WROOM-1 data sheet, table "Pin Definitions". */
const module_ = symbol("U", {
  "3V3": pin("power-in", 2),
  EN: pin("input", 3),
  IO0: pin("bidirectional", 27),
  IO1: pin("bidirectional", 39),
  IO2: pin("bidirectional", 38),
  IO3: pin("bidirectional", 15),
  IO4: pin("bidirectional", 4),
  IO5: pin("bidirectional", 5),
  IO6: pin("bidirectional", 6),
  IO7: pin("bidirectional", 7),
  IO8: pin("bidirectional", 12),
  IO9: pin("bidirectional", 17),
  IO10: pin("bidirectional", 18),
  IO11: pin("bidirectional", 19),
  IO12: pin("bidirectional", 20),
  IO13: pin("bidirectional", 21),
  IO14: pin("bidirectional", 22),
  IO15: pin("bidirectional", 8),
  IO16: pin("bidirectional", 9),
  IO17: pin("bidirectional", 10),
  IO18: pin("bidirectional", 11),
  IO19: pin("bidirectional", 13),
  IO20: pin("bidirectional", 14),
  IO21: pin("bidirectional", 23),
  IO35: pin("bidirectional", 28),
  IO36: pin("bidirectional", 29),
  IO37: pin("bidirectional", 30),
  IO38: pin("bidirectional", 31),
  IO39: pin("bidirectional", 32),
  IO40: pin("bidirectional", 33),
  IO41: pin("bidirectional", 34),
  IO42: pin("bidirectional", 35),
  IO43: pin("bidirectional", 37),
  IO44: pin("bidirectional", 36),
  IO45: pin("bidirectional", 26),
  IO46: pin("bidirectional", 16),
  IO47: pin("bidirectional", 24),
  IO48: pin("bidirectional", 25),
  GND: pin("power-in", 1, 40, 41),
});

/** Keys are those of parts.ts. */
export const SYMBOLS = {
  module: module_,
  flash: symbol("U", {
    VCC: pin("power-in", 8),
    CS: pin("input", 1),
    CLK: pin("input", 6),
    DI: pin("input", 5),
    WP: pin("input", 3),
    HOLD: pin("input", 7),
    DO: pin("output", 2),
    GND: pin("power-in", 4, 9),
  }),
  microphone: symbol("MK", {
    VDD: pin("power-in", 5),
    SCK: pin("input", 4),
    WS: pin("input", 1),
    LR: pin("input", 2),
    SD: pin("output", 6),
    GND: pin("power-in", 3),
  }),
  micSwitch: symbol("U", {
    VIN: pin("power-in", 1),
    ON: pin("input", 3),
    CT: pin("passive", 4),
    GND: pin("power-in", 2),
    VOUT: pin("power-out", 6),
    QOD: pin("passive", 5),
  }),
  clockBuffer: symbol("U", {
    VCC: pin("power-in", 5),
    "1A": pin("input", 1),
    "2A": pin("input", 3),
    GND: pin("power-in", 2),
    "1Y": pin("output", 6),
    "2Y": pin("output", 4),
  }),
  dataGate: symbol("U", {
    VCC: pin("power-in", 5),
    A: pin("input", 1),
    B: pin("input", 2),
    GND: pin("power-in", 3),
    Y: pin("output", 4),
  }),
  muteSwitch: symbol("SW", { A: pin("passive", 1), COMMON: pin("passive", 2), B: pin("passive", 3) }),
  charger: symbol("U", {
    IN: pin("power-in", 13),
    CE: pin("input", 4),
    EN1: pin("input", 6),
    EN2: pin("input", 5),
    TS: pin("input", 1),
    ISET: pin("passive", 16),
    ILIM: pin("passive", 12),
    ITERM: pin("passive", 15),
    TMR: pin("passive", 14),
    VSS: pin("power-in", 8, "17"),
    OUT: pin("power-out", 10, 11),
    BAT: pin("passive", 2, 3),
    PGOOD: pin("open-collector", 7),
    CHG: pin("open-collector", 9),
  }),
  gauge: symbol("U", {
    VDD: pin("power-in", 3),
    CELL: pin("input", 2),
    CTG: pin("passive", 1),
    QSTRT: pin("input", 6),
    GND: pin("power-in", 4, 9),
    SDA: twoWire("open-collector", 8),
    SCL: twoWire("input", 7),
    ALRT: pin("open-collector", 5),
  }),
  regulator: symbol("U", {
    VIN: pin("power-in", 4),
    EN: pin("input", 1),
    GND: pin("power-in", 2),
    SW: pin("power-out", 3),
    FB: pin("input", 5),
  }),
  usb: symbol("J", {
    VBUS: pin("power-out", "A4B9", "B4A9"),
    CC1: pin("passive", "A5"),
    CC2: pin("passive", "B5"),
    DP: pin("bidirectional", "A6", "B6"),
    DN: pin("bidirectional", "A7", "B7"),
    SBU1: pin("passive", "A8"),
    SBU2: pin("passive", "B8"),
    SHIELD: pin("passive", "S1"),
    GND: pin("passive", "A1B12", "B1A12"),
  }),
  usbProtection: symbol("D", {
    IO1: pin("passive", 1, 6),
    IO2: pin("passive", 3, 4),
    VBUS: pin("passive", 5),
    GND: pin("passive", 2),
  }),
  battery: symbol("BT", {
    PLUS: pin("power-out", 1),
    NTC: pin("passive", 2),
    MINUS: pin("passive", 3),
  }),
  button: symbol("SW", { A: pin("passive", 1, 2), B: pin("passive", 3, 4) }),
  light: symbol("D", {
    ANODE: pin("passive", 1),
    RED: pin("passive", 2),
    GREEN: pin("passive", 3),
    BLUE: pin("passive", 4),
  }),
  buzzer: symbol("LS", { PLUS: pin("passive", 1), MINUS: pin("passive", 2) }),
  motor: symbol("M", { PLUS: pin("passive", 1), MINUS: pin("passive", 2) }),
  transistor: symbol("Q", { GATE: pin("input", 1), SOURCE: pin("passive", 2), DRAIN: pin("passive", 3) }),
  diode: symbol("D", { CATHODE: pin("passive", 1), ANODE: pin("passive", 2) }),
  inductor: symbol("L", TWO_PINS),
  resistor: symbol("R", TWO_PINS),
  capacitor: symbol("C", TWO_PINS),
  testPoint: symbol("TP", { "1": pin("passive", 1) }),
};

export type PartKey = keyof typeof SYMBOLS;
/** Names of a part's pins. */
export type PinNameOf<Key extends PartKey> = keyof (typeof SYMBOLS)[Key]["pins"] & string;
