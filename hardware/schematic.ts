// The badge's circuit. Every pin of every part is named here with its net: one that is forgotten, misspelt or put on a net that does not exist does
// not compile. What the circuit must keep to is in src/rules.ts and src/badge-rules.ts.
import { PARTS } from "./parts";
import { PINS } from "./pins";
import { type Circuit, OPEN, type Placed } from "./src/netlist";
import { type PartKey, type PinNameOf, SYMBOLS } from "./symbols";

const POWER_NETS = ["GND", "VBUS", "VBAT", "VSYS", "3V3", "VMIC"] as const;
const LOCAL_NETS = [
  "CC1",
  "CC2",
  "NTC",
  "CHARGER_ISET",
  "CHARGER_ILIM",
  "SWITCH_NODE",
  "FEEDBACK",
  "EN",
  "MIC_ON",
  "MIC_SCK",
  "MIC_WS",
  "MIC_SD",
  "RED_K",
  "GREEN_K",
  "BLUE_K",
  "BUZZER_PLUS",
  "MOTOR_MINUS",
  "MOTOR_GATE",
] as const;

type Net =
  | (typeof POWER_NETS)[number]
  | (typeof LOCAL_NETS)[number]
  | (typeof PINS)[keyof typeof PINS]["net"];
type Nets<Key extends PartKey> = Record<PinNameOf<Key>, Net | typeof OPEN>;

const placed: Placed[] = [];

function place<Key extends PartKey>(section: string, reference: string, key: Key, nets: Nets<Key>): void {
  const value = PARTS[key].number;
  placed.push({ reference, part: key, symbol: SYMBOLS[key], value, section, nets });
}

/** A resistor, capacitor or inductor. @param near the part that it serves */
function two(
  key: "resistor" | "capacitor" | "inductor",
  reference: string,
  value: string,
  from: Net,
  to: Net,
  near: string,
): void {
  const section = placed.find((other) => other.reference === near)!.section;
  const nets = { "1": from, "2": to };
  placed.push({ reference, part: key, symbol: SYMBOLS[key], value, section, near, nets });
}

const r = (reference: string, value: string, from: Net, to: Net, near: string) =>
  two("resistor", reference, value, from, to, near);
const c = (reference: string, value: string, from: Net, near: string) =>
  two("capacitor", reference, value, from, "GND", near);

const POWER = "USB, battery, supply";
place(POWER, "J1", "usb", {
  VBUS: "VBUS",
  CC1: "CC1",
  CC2: "CC2",
  DP: "USB_DP",
  DN: "USB_DM",
  SBU1: OPEN,
  SBU2: OPEN,
  SHIELD: "GND",
  GND: "GND",
});
r("R1", "5.1k 1%", "CC1", "GND", "J1");
r("R2", "5.1k 1%", "CC2", "GND", "J1");
place(POWER, "D1", "usbProtection", { IO1: "USB_DP", IO2: "USB_DM", VBUS: "VBUS", GND: "GND" });
place(POWER, "U3", "charger", {
  IN: "VBUS",
  CE: "GND",
  EN1: "VSYS", // 500 mA from USB
  EN2: "GND",
  TS: "NTC",
  ISET: "CHARGER_ISET",
  ILIM: "CHARGER_ILIM",
  ITERM: OPEN, // ends at a tenth of the charging current
  TMR: OPEN, // the charger's own time limits
  VSS: "GND",
  OUT: "VSYS",
  BAT: "VBAT",
  PGOOD: "USB_POWER",
  CHG: "CHARGING",
});
r("R3", "3.57k 1%", "CHARGER_ISET", "GND", "U3"); // 890 / 3.57k = 0.25 A: half the capacity of 500 mAh an hour
r("R4", "3.09k 1%", "CHARGER_ILIM", "GND", "U3"); // 0.5 A, should EN2 ever be high
c("C1", "1u", "VBUS", "U3");
c("C2", "4.7u", "VSYS", "U3");
c("C3", "4.7u", "VBAT", "U3");
place(POWER, "BT1", "battery", { PLUS: "VBAT", NTC: "NTC", MINUS: "GND" });
place(POWER, "U4", "gauge", {
  VDD: "VBAT",
  CELL: "VBAT",
  CTG: "GND",
  QSTRT: "GND",
  GND: "GND",
  SDA: "SDA",
  SCL: "SCL",
  ALRT: "GAUGE_ALERT",
});
c("C4", "100n", "VBAT", "U4");
place(POWER, "U5", "regulator", { VIN: "VSYS", EN: "VSYS", GND: "GND", SW: "SWITCH_NODE", FB: "FEEDBACK" });
two("inductor", "L1", "2.2u", "SWITCH_NODE", "3V3", "U5");
r("R5", "453k 1%", "3V3", "FEEDBACK", "U5"); // 0.6 V x (1 + 453 / 100) = 3.32 V
r("R6", "100k 1%", "FEEDBACK", "GND", "U5");
c("C5", "10u", "VSYS", "U5");
c("C6", "22u", "3V3", "U5");

const PROCESSOR = "Processor";
const gpio = <Name extends keyof typeof PINS>(name: Name): (typeof PINS)[Name]["net"] => PINS[name].net;
place(PROCESSOR, "U1", "module", {
  "3V3": "3V3",
  EN: "EN",
  IO0: gpio("BOOT"),
  IO1: gpio("BUTTON"),
  IO2: OPEN,
  IO3: OPEN,
  IO4: gpio("MIC_CLOCK"),
  IO5: gpio("MIC_WORD"),
  IO6: gpio("MIC_DATA"),
  IO7: gpio("MUTE_STATE"),
  IO8: gpio("SDA"),
  IO9: gpio("SCL"),
  IO10: gpio("FLASH_SELECT"),
  IO11: gpio("FLASH_DATA_OUT"),
  IO12: gpio("FLASH_CLOCK"),
  IO13: gpio("FLASH_DATA_IN"),
  IO14: OPEN,
  IO15: gpio("LIGHT_RED"),
  IO16: gpio("LIGHT_GREEN"),
  IO17: gpio("LIGHT_BLUE"),
  IO18: gpio("BUZZER"),
  IO19: gpio("USB_MINUS"),
  IO20: gpio("USB_PLUS"),
  IO21: gpio("MOTOR"),
  IO35: OPEN,
  IO36: OPEN,
  IO37: OPEN,
  IO38: gpio("GAUGE_ALERT"),
  IO39: OPEN,
  IO40: OPEN,
  IO41: OPEN,
  IO42: OPEN,
  IO43: gpio("LOG"),
  IO44: gpio("CONSOLE"),
  IO45: OPEN,
  IO46: OPEN,
  IO47: gpio("CHARGING"),
  IO48: gpio("USB_POWER"),
  GND: "GND",
});
c("C7", "22u", "3V3", "U1");
c("C8", "100n", "3V3", "U1");
r("R7", "10k", "3V3", "EN", "U1");
c("C9", "1u", "EN", "U1");
r("R8", "10k", "3V3", "BOOT", "U1");
r("R9", "4.7k", "3V3", "SDA", "U1");
r("R10", "4.7k", "3V3", "SCL", "U1");
r("R11", "100k", "3V3", "GAUGE_ALERT", "U1");
r("R12", "100k", "3V3", "CHARGING", "U1");
r("R13", "100k", "3V3", "USB_POWER", "U1");
place(PROCESSOR, "SW3", "button", { A: "BOOT", B: "GND" });
place(PROCESSOR, "TP1", "testPoint", { "1": "UART_TX" });
place(PROCESSOR, "TP2", "testPoint", { "1": "UART_RX" });
place(PROCESSOR, "TP3", "testPoint", { "1": "EN" });

const HEARING = "Microphone and its switch";
place(HEARING, "SW2", "muteSwitch", { A: "3V3", COMMON: "MIC_ON", B: "GND" });
r("R14", "100k", "MIC_ON", "GND", "SW2"); // between its positions the switch mutes
r("R15", "10k", "MIC_ON", "MUTE_STATE", "SW2"); // the processor can read the switch but not overrule it
place(HEARING, "U6", "micSwitch", {
  VIN: "3V3",
  ON: "MIC_ON",
  CT: OPEN,
  GND: "GND",
  VOUT: "VMIC",
  QOD: "VMIC",
});
c("C10", "1u", "3V3", "U6");
place(HEARING, "U7", "clockBuffer", {
  VCC: "VMIC",
  "1A": "I2S_SCK",
  "2A": "I2S_WS",
  GND: "GND",
  "1Y": "MIC_SCK",
  "2Y": "MIC_WS",
});
c("C11", "100n", "VMIC", "U7");
place(HEARING, "MK1", "microphone", {
  VDD: "VMIC",
  SCK: "MIC_SCK",
  WS: "MIC_WS",
  LR: "GND",
  SD: "MIC_SD",
  GND: "GND",
});
c("C12", "100n", "VMIC", "MK1");
r("R16", "100k", "MIC_SD", "GND", "MK1");
place(HEARING, "U8", "dataGate", { VCC: "3V3", A: "MIC_SD", B: "MIC_ON", GND: "GND", Y: "I2S_DATA" });
c("C13", "100n", "3V3", "U8");

const STORAGE = "Outbox";
place(STORAGE, "U2", "flash", {
  VCC: "3V3",
  CS: "FLASH_CS",
  CLK: "FLASH_CLK",
  DI: "FLASH_DI",
  WP: "3V3",
  HOLD: "3V3",
  DO: "FLASH_DO",
  GND: "GND",
});
c("C14", "100n", "3V3", "U2");
r("R17", "10k", "3V3", "FLASH_CS", "U2"); // stays deselected while the processor starts

const PERSON = "Button, light, tone, vibration";
place(PERSON, "SW1", "button", { A: "BUTTON", B: "GND" });
r("R18", "10k", "3V3", "BUTTON", "SW1");
c("C15", "100n", "BUTTON", "SW1");
place(PERSON, "D2", "light", { ANODE: "3V3", RED: "RED_K", GREEN: "GREEN_K", BLUE: "BLUE_K" });
r("R19", "680", "RED_K", "LIGHT_RED", "D2");
r("R20", "220", "GREEN_K", "LIGHT_GREEN", "D2");
r("R21", "220", "BLUE_K", "LIGHT_BLUE", "D2");
place(PERSON, "LS1", "buzzer", { PLUS: "BUZZER_PLUS", MINUS: "GND" });
r("R22", "330", "BUZZER", "BUZZER_PLUS", "LS1");
r("R23", "10k", "BUZZER_PLUS", "GND", "LS1");
place(PERSON, "M1", "motor", { PLUS: "3V3", MINUS: "MOTOR_MINUS" });
place(PERSON, "D3", "diode", { CATHODE: "3V3", ANODE: "MOTOR_MINUS" });
place(PERSON, "Q1", "transistor", { GATE: "MOTOR_GATE", SOURCE: "GND", DRAIN: "MOTOR_MINUS" });
r("R24", "100", "MOTOR", "MOTOR_GATE", "Q1");
r("R25", "100k", "MOTOR_GATE", "GND", "Q1"); // still while the processor starts

/** The badge. */
export const BADGE: Circuit = {
  title: "SalesTag badge",
  ground: "GND",
  sources: {
    GND: "the battery's other pole and the USB plug",
    "3V3": "the regulator U5, through its inductor L1",
  },
  placed,
};
