// The rules of this badge: what its processor, its USB plug and its promise about the mute switch ask of the circuit.
import { type Circuit, type Junction, junctionsOf, OPEN, otherEnd, type Placed, quantityOf } from "./netlist";
import { supplyNets, type Violation } from "./rules";

/** ESP32-S3 data sheet, "Strapping Pins": what is read at reset, and what must not hold it. */
const STRAPS: { pin: string; not: "high" | "low"; why: string }[] = [
  { pin: "IO0", not: "low", why: "it would always start in download mode" },
  { pin: "IO45", not: "high", why: "its flash would get 1.8 V" },
  { pin: "IO46", not: "high", why: "download mode would not start" },
];
/** GPIO3 chooses the debugger's port where a fuse says so: nothing else may hold it. */
const STRAP_OPEN = "IO3";
/** Taken by PSRAM on 8 lines. */
const OCTAL_PINS = ["IO35", "IO36", "IO37"];
const OCTAL_MODULE = /N\d+R(8|16)/;
const CC_OHMS = 5100;
const CC_TOLERANCE = 0.1;
const READ_ONLY_OHMS_MIN = 1000;

/** @returns what is wrong with the badge beyond the rules of any circuit */
export function checkBadge(circuit: Circuit): Violation[] {
  const nets = junctionsOf(circuit);
  return circuit.placed.flatMap((placed) => {
    if (placed.part === "module")
      return [...straps(circuit, nets, placed), ...octal(placed), ...usbLines(nets, placed)];
    if (placed.part === "usb") return configurationPins(circuit, nets, placed);
    if (placed.part === "micSwitch") return muteOnly(nets, placed);
    if (placed.part === "microphone") return behindSwitch(circuit, nets, placed);
    return [];
  });
}

function straps(circuit: Circuit, nets: Map<string, Junction[]>, module: Placed): Violation[] {
  const held = STRAPS.flatMap(({ pin, not, why }): Violation[] => {
    const level = heldAt(circuit, nets, module, pin);
    if (level !== not && level !== "unknown") return [];
    const message =
      level === "unknown" ? `is driven while the chip starts; ${why}` : `is held ${not}: ${why}`;
    return [{ rule: "strap", where: `${module.reference}.${pin}`, message }];
  });
  if (module.nets[STRAP_OPEN] === OPEN) return held;
  const where = `${module.reference}.${STRAP_OPEN}`;
  return [...held, { rule: "strap", where, message: "must stay open: it chooses the debugger's port" }];
}

/** @returns the level at which resistors or supplies hold a pin of the module; unknown when another part drives it */
function heldAt(circuit: Circuit, nets: Map<string, Junction[]>, module: Placed, pin: string): string {
  const net = module.nets[pin];
  if (typeof net !== "string") return "free";
  const supplies = supplyNets(circuit);
  if (net === circuit.ground) return "low";
  if (supplies.has(net)) return "high";
  const others = (nets.get(net) ?? []).filter(({ placed }) => placed !== module);
  if (others.some(({ pin }) => pin.type === "output" || pin.type === "bidirectional")) return "unknown";
  const ends = others
    .filter(({ placed }) => placed.part === "resistor")
    .map(({ placed }) => otherEnd(placed, net));
  if (ends.includes(circuit.ground)) return "low";
  return ends.some((end) => end !== undefined && supplies.has(end)) ? "high" : "free";
}

function octal(module: Placed): Violation[] {
  if (!OCTAL_MODULE.test(module.value)) return [];
  return OCTAL_PINS.filter((pin) => module.nets[pin] !== OPEN).map((pin) => ({
    rule: "octal-psram",
    where: `${module.reference}.${pin}`,
    message: `belongs to the PSRAM of ${module.value} and must stay open`,
  }));
}

/** D- is GPIO19, D+ is GPIO20, and nothing but the plug and its protection is on them. */
function usbLines(nets: Map<string, Junction[]>, module: Placed): Violation[] {
  const wanted: Record<string, string> = { IO19: "DN", IO20: "DP" };
  return Object.entries(wanted).flatMap(([pin, plugPin]) => {
    const where = `${module.reference}.${pin}`;
    const others = (nets.get(String(module.nets[pin])) ?? []).filter(({ placed }) => placed !== module);
    const plug = others.find(({ placed }) => placed.part === "usb");
    if (plug?.name !== plugPin)
      return [{ rule: "usb-line", where, message: `must go to ${plugPin} of the USB plug` }];
    const strange = others.filter(({ placed }) => placed !== plug.placed && placed.part !== "usbProtection");
    return strange.map(({ placed, name }) => ({
      rule: "usb-line",
      where,
      message: `shares its line with ${placed.reference}.${name}`,
    }));
  });
}

/** Each of the plug's two CC contacts has its own 5.1 kOhm to ground, or no charger supplies it. */
function configurationPins(circuit: Circuit, nets: Map<string, Junction[]>, usb: Placed): Violation[] {
  return ["CC1", "CC2"].flatMap((pin) => {
    const net = String(usb.nets[pin]);
    const others = (nets.get(net) ?? []).filter(({ placed, name }) => placed !== usb || name !== pin);
    const [only, more] = others;
    const good =
      more === undefined &&
      only?.placed.part === "resistor" &&
      otherEnd(only.placed, net) === circuit.ground &&
      Math.abs(quantityOf(only.placed.value) / CC_OHMS - 1) <= CC_TOLERANCE;
    const message = "needs a resistor of 5.1 kOhm to ground of its own";
    return good ? [] : [{ rule: "usb-cc", where: `${usb.reference}.${pin}`, message }];
  });
}

/** The switch alone turns the microphone's supply on; the processor reads it through a resistor, and cannot overrule it. */
function muteOnly(nets: Map<string, Junction[]>, micSwitch: Placed): Violation[] {
  const net = String(micSwitch.nets.ON);
  const where = `${micSwitch.reference}.ON`;
  const junctions = nets.get(net) ?? [];
  const drivers = junctions.filter(
    ({ placed, pin }) => placed !== micSwitch && ["output", "bidirectional"].includes(pin.type),
  );
  const weak = junctions.filter(
    ({ placed }) => placed.part === "resistor" && quantityOf(placed.value) < READ_ONLY_OHMS_MIN,
  );
  const switched = junctions.some(({ placed }) => placed.part === "muteSwitch");
  const violations = [...drivers, ...weak].map(
    ({ placed, name }): Violation => ({
      rule: "mute",
      where,
      message: `can be overruled by ${placed.reference}.${name}: the mute switch alone must decide`,
    }),
  );
  if (!switched) violations.push({ rule: "mute", where, message: "is not on the mute switch" });
  return violations;
}

/** Nothing of the processor reaches the microphone but through parts that are off, or closed, with its supply. */
function behindSwitch(circuit: Circuit, nets: Map<string, Junction[]>, microphone: Placed): Violation[] {
  const supply = nets.get(String(microphone.nets.VDD)) ?? [];
  const violations: Violation[] = [];
  const complain = (pin: string, message: string) =>
    violations.push({ rule: "mute", where: `${microphone.reference}.${pin}`, message });
  if (!supply.some(({ placed, name }) => placed.part === "micSwitch" && name === "VOUT"))
    complain("VDD", "does not come from the switched supply");
  for (const pin of Object.keys(microphone.symbol.pins)) {
    const net = microphone.nets[pin];
    if (typeof net !== "string" || net === circuit.ground) continue;
    if ((nets.get(net) ?? []).some(({ placed }) => placed.part === "module"))
      complain(pin, "is wired to the processor directly: it would be fed or heard while muted");
  }
  return violations;
}
