// Faults to plant in a circuit, each with the rule that must find it, and, where a schematic program can see it too, the name of KiCad's check.
import type { Circuit, Placed } from "./netlist";
import type { Violation } from "./rules";

export interface Fault {
  what: string;
  rule: Violation["rule"];
  /** What the violation points at. */
  where: string;
  /** KiCad's name for it. */
  kicad?: string;
  plant: (circuit: Circuit) => void;
}

function part(circuit: Circuit, reference: string): Placed {
  const found = circuit.placed.find((placed) => placed.reference === reference);
  if (found === undefined) throw new Error(`the badge has no ${reference}; the fault is out of date`);
  return found;
}

/** @returns a fault's `plant`: the pins, as "U2.CS", are put on these nets; undefined: forgotten; null: open */
function rewire(wires: Record<string, string | null | undefined>): (circuit: Circuit) => void {
  return (circuit) => {
    for (const [place, net] of Object.entries(wires)) {
      const [reference, pin] = place.split(".");
      part(circuit, reference).nets[pin] = net;
    }
  };
}

function remove(...references: string[]): (circuit: Circuit) => void {
  return (circuit) => {
    for (const reference of references)
      circuit.placed.splice(circuit.placed.indexOf(part(circuit, reference)), 1);
  };
}

function setValue(reference: string, value: string): (circuit: Circuit) => void {
  return (circuit) => {
    part(circuit, reference).value = value;
  };
}

export const FAULTS: Fault[] = [
  {
    what: "a pin that was forgotten",
    rule: "forgotten-pin",
    where: "U2.WP",
    kicad: "pin_not_connected",
    plant: rewire({ "U2.WP": undefined }),
  },
  {
    what: "a supply pin that is left open",
    rule: "forgotten-pin",
    where: "U2.VCC",
    plant: rewire({ "U2.VCC": null }),
  },
  {
    what: "a pin that must stay open and does not",
    rule: "unconnected-pin",
    where: "J1.SBU1",
    kicad: "no_connect_connected",
    plant: (circuit) => {
      part(circuit, "J1").symbol.pins.SBU1.type = "unconnected";
      rewire({ "J1.SBU1": "3V3" })(circuit);
    },
  },
  {
    what: "a net with one pin",
    rule: "lonely-net",
    where: "FLASH_CLOCK_2",
    kicad: "global_label_dangling",
    plant: rewire({ "U2.CLK": "FLASH_CLOCK_2" }),
  },
  {
    what: "two outputs on a net",
    rule: "fight",
    where: "I2S_DATA",
    kicad: "pin_to_pin",
    plant: rewire({ "U2.DO": "I2S_DATA" }),
  },
  {
    what: "inputs that nothing drives",
    rule: "unheld-input",
    where: "NOWHERE",
    kicad: "pin_not_driven",
    plant: rewire({ "U2.CLK": "NOWHERE", "U2.DI": "NOWHERE" }),
  },
  {
    what: "a supply without a source",
    rule: "no-source",
    where: "VMIC",
    kicad: "power_pin_not_driven",
    plant: rewire({ "U6.VOUT": "MIC_SD", "U6.QOD": "MIC_SD" }),
  },
  { what: "a flash without a capacitor", rule: "no-capacitor", where: "U2.VCC", plant: remove("C14") },
  {
    what: "a capacitor that is too small",
    rule: "no-capacitor",
    where: "U8.VCC",
    plant: setValue("C13", "10p"),
  },
  { what: "an I2C line without a pull-up", rule: "pull-up", where: "SCL", plant: remove("R10") },
  { what: "an I2C pull-up that is too weak", rule: "pull-up", where: "SDA", plant: setValue("R9", "100k") },
  { what: "an alert without a pull-up", rule: "pull-up", where: "GAUGE_ALERT", plant: remove("R11") },
  {
    what: "two parts of one name",
    rule: "doubled-reference",
    where: "R1",
    plant: (circuit) => {
      part(circuit, "R2").reference = "R1";
    },
  },
  {
    what: "a start always in download mode",
    rule: "strap",
    where: "U1.IO0",
    plant: rewire({ "R8.1": "GND" }),
  },
  { what: "a flash that gets 1.8 V", rule: "strap", where: "U1.IO45", plant: rewire({ "U1.IO45": "3V3" }) },
  {
    what: "a pin read at reset on an output",
    rule: "strap",
    where: "U1.IO46",
    plant: rewire({ "U1.IO46": "I2S_DATA", "U1.IO6": null }),
  },
  {
    what: "the debugger's choice on a line",
    rule: "strap",
    where: "U1.IO3",
    plant: rewire({ "U1.IO3": "BUTTON", "U1.IO1": null }),
  },
  {
    what: "a pin that belongs to the PSRAM",
    rule: "octal-psram",
    where: "U1.IO36",
    plant: (circuit) => {
      setValue("U1", "ESP32-S3-WROOM-1-N16R8")(circuit);
      rewire({ "U1.IO36": "MOTOR", "U1.IO21": null })(circuit);
    },
  },
  {
    what: "crossed USB lines",
    rule: "usb-line",
    where: "U1.IO19",
    plant: rewire({ "U1.IO19": "USB_DP", "U1.IO20": "USB_DM" }),
  },
  {
    what: "something else on a USB line",
    rule: "usb-line",
    where: "U1.IO20",
    plant: rewire({ "TP1.1": "USB_DP" }),
  },
  { what: "a plug that gets no power", rule: "usb-cc", where: "J1.CC2", plant: remove("R2") },
  {
    what: "one resistor for both CC contacts",
    rule: "usb-cc",
    where: "J1.CC1",
    plant: rewire({ "J1.CC2": "CC1", "R2.1": "CC1" }),
  },
  { what: "a CC resistor of 56k", rule: "usb-cc", where: "J1.CC1", plant: setValue("R1", "56k") },
  {
    what: "a processor that can switch the microphone on",
    rule: "mute",
    where: "U6.ON",
    plant: rewire({ "U1.IO7": "MIC_ON" }),
  },
  {
    what: "a reading of the switch that overrules it",
    rule: "mute",
    where: "U6.ON",
    plant: setValue("R15", "10"),
  },
  {
    what: "a microphone that is always supplied",
    rule: "mute",
    where: "MK1.VDD",
    plant: rewire({ "MK1.VDD": "3V3" }),
  },
  {
    what: "a microphone that is fed by its clock while muted",
    rule: "mute",
    where: "MK1.SCK",
    plant: rewire({ "MK1.SCK": "I2S_SCK" }),
  },
];
