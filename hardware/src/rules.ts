// The electrical rules that hold for any circuit: what a schematic program checks, and two things that it does not (supports of supply pins, pull-ups).
import {
  type Circuit,
  type Junction,
  junctionsOf,
  OPEN,
  otherEnd,
  type Pin,
  type PinType,
  type Placed,
  quantityOf,
} from "./netlist";

/** Names of the rules: those for any circuit, then the badge's. */
export const RULES = [
  "forgotten-pin",
  "unconnected-pin",
  "lonely-net",
  "fight",
  "unheld-input",
  "no-source",
  "no-capacitor",
  "pull-up",
  "doubled-reference",
  "strap",
  "octal-psram",
  "usb-line",
  "usb-cc",
  "mute",
] as const;

/** What is wrong, and where. */
export interface Violation {
  rule: (typeof RULES)[number];
  /** Reference and pin, or net. */
  where: string;
  message: string;
}

/** Pins that can hold a net at a level. Through passive parts a net is held by what is behind them. */
const HOLDERS: PinType[] = ["output", "power-out", "bidirectional", "open-collector", "passive"];
const STRONG: PinType[] = ["output", "power-out"];
const SUPPORT_FARADS_MIN = 99e-9;
const PULL_UP_OHMS_MAX = 220e3;
const TWO_WIRE_OHMS_MIN = 1e3;
const TWO_WIRE_OHMS_MAX = 10e3;

/** @returns everything that is wrong, by the order of the rules */
export function checkCircuit(circuit: Circuit): Violation[] {
  const nets = junctionsOf(circuit);
  return [
    ...forgottenPins(circuit),
    ...lonelyNets(nets),
    ...fights(nets),
    ...unheld(nets),
    ...unsupplied(circuit, nets),
    ...unsupported(circuit, nets),
    ...withoutPullUp(circuit, nets),
    ...doubled(circuit),
  ];
}

/** Every pin is on a net or open on purpose; an unconnected one is open. */
function forgottenPins(circuit: Circuit): Violation[] {
  return pinsOf(circuit).flatMap(([placed, name, pin]): Violation[] => {
    const where = `${placed.reference}.${name}`;
    const net = placed.nets[name];
    if (net === undefined)
      return [{ rule: "forgotten-pin", where, message: "is on no net and not marked as open" }];
    if (pin.type === "unconnected" && net !== OPEN)
      return [{ rule: "unconnected-pin", where, message: `must stay open, but is on ${net}` }];
    if (net === OPEN && (pin.type === "power-in" || pin.type === "input"))
      return [{ rule: "forgotten-pin", where, message: `is ${pin.type} and must not be open` }];
    return [];
  });
}

function lonelyNets(nets: Map<string, Junction[]>): Violation[] {
  return [...nets]
    .filter(([, junctions]) => junctions.length === 1)
    .map(([net, [only]]) => ({
      rule: "lonely-net",
      where: net,
      message: `has only ${only.placed.reference}.${only.name} on it`,
    }));
}

/** Two outputs on a net. Those of one part that do the same, such as the two pads of a supply, are one pin here. */
function fights(nets: Map<string, Junction[]>): Violation[] {
  return [...nets].flatMap(([net, junctions]) => {
    const strong = junctions.filter(({ pin }) => STRONG.includes(pin.type));
    const weak = junctions.filter(({ pin }) => pin.type === "open-collector");
    if (strong.length < 2 && (strong.length === 0 || weak.length === 0)) return [];
    return [{ rule: "fight", where: net, message: `is driven by ${list([...strong, ...weak])}` }];
  });
}

/** An input hears something. */
function unheld(nets: Map<string, Junction[]>): Violation[] {
  return [...nets].flatMap(([net, junctions]) => {
    const listening = junctions.filter(({ pin }) => pin.type === "input");
    if (listening.length === 0 || junctions.some(({ pin }) => HOLDERS.includes(pin.type))) return [];
    if (junctions.some(({ pin }) => pin.type === "power-in")) return []; // tied to a supply, which has its own rule
    return [{ rule: "unheld-input", where: net, message: `nothing drives ${list(listening)}` }];
  });
}

function unsupplied(circuit: Circuit, nets: Map<string, Junction[]>): Violation[] {
  return [...nets].flatMap(([net, junctions]) => {
    const supplied = junctions.filter(({ pin }) => pin.type === "power-in");
    const source = net in circuit.sources || junctions.some(({ pin }) => pin.type === "power-out");
    if (supplied.length === 0 || source) return [];
    return [{ rule: "no-source", where: net, message: `supplies ${list(supplied)}, but has no source` }];
  });
}

/** Each supply pin has a capacitor of its own beside it. */
function unsupported(circuit: Circuit, nets: Map<string, Junction[]>): Violation[] {
  return pinsOf(circuit).flatMap(([placed, name, pin]) => {
    const net = placed.nets[name];
    if (pin.type !== "power-in" || typeof net !== "string" || net === circuit.ground) return [];
    const own = (nets.get(net) ?? []).some(
      ({ placed: other }) =>
        other.part === "capacitor" &&
        other.near === placed.reference &&
        otherEnd(other, net) === circuit.ground &&
        quantityOf(other.value) >= SUPPORT_FARADS_MIN,
    );
    const where = `${placed.reference}.${name}`;
    return own ? [] : [{ rule: "no-capacitor", where, message: `has no capacitor beside it on ${net}` }];
  });
}

function withoutPullUp(circuit: Circuit, nets: Map<string, Junction[]>): Violation[] {
  return [...nets].flatMap(([net, junctions]) => {
    const twoWire = junctions.some(({ pin }) => pin.twoWire);
    if (!twoWire && !junctions.some(({ pin }) => pin.type === "open-collector")) return [];
    const ohms = pullUpsOf(circuit, junctions, net);
    const [low, high] = twoWire ? [TWO_WIRE_OHMS_MIN, TWO_WIRE_OHMS_MAX] : [0, PULL_UP_OHMS_MAX];
    if (ohms.length === 1 && ohms[0] >= low && ohms[0] <= high) return [];
    const found = ohms.length === 0 ? "none" : ohms.join(" and ");
    return [
      { rule: "pull-up", where: net, message: `needs one pull-up of ${low} to ${high} ohms, has ${found}` },
    ];
  });
}

function pullUpsOf(circuit: Circuit, junctions: Junction[], net: string): number[] {
  const supplies = supplyNets(circuit);
  return junctions
    .filter(({ placed }) => placed.part === "resistor" && supplies.has(otherEnd(placed, net) ?? ""))
    .map(({ placed }) => quantityOf(placed.value));
}

/** @returns nets that supply something, without the ground */
export function supplyNets(circuit: Circuit): Set<string> {
  const nets = pinsOf(circuit)
    .filter(([, , pin]) => pin.type === "power-in" || pin.type === "power-out")
    .map(([placed, name]) => placed.nets[name])
    .filter((net): net is string => typeof net === "string" && net !== circuit.ground);
  return new Set(nets);
}

function doubled(circuit: Circuit): Violation[] {
  const seen = new Set<string>();
  return circuit.placed.flatMap(({ reference }) => {
    if (!seen.has(reference)) {
      seen.add(reference);
      return [];
    }
    return [{ rule: "doubled-reference", where: reference, message: "is the name of two parts" }];
  });
}

function pinsOf(circuit: Circuit): [Placed, string, Pin][] {
  return circuit.placed.flatMap((placed) =>
    Object.entries(placed.symbol.pins).map(([name, pin]): [Placed, string, Pin] => [placed, name, pin]),
  );
}

function list(junctions: Junction[]): string {
  return junctions.map(({ placed, name }) => `${placed.reference}.${name}`).join(", ");
}
