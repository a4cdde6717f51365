// A circuit as data: parts with typed pins, and the net that each pin is on. No wires, no coordinates: two pins are connected when they name the same net.

/** What a pin does to its net, as schematic programs tell it apart. */
export type PinType =
  | "power-in"
  | "power-out"
  | "input"
  | "output"
  | "bidirectional"
  | "open-collector"
  | "passive"
  | "unconnected";

/** One pin by its name. */
export interface Pin {
  type: PinType;
  /** Numbers of the pads that have this name, as in the data sheet. */
  pads: string[];
  /** Of two-wire buses: the net needs a pull-up although nobody says so in its type. */
  twoWire?: boolean;
}

/** A kind of part: its pins by name. */
export interface PartSymbol<Name extends string = string> {
  /** Letter that references begin with: U, R, C ... */
  letter: string;
  pins: Record<Name, Pin>;
}

/** A pin that is left open on purpose. */
export const OPEN = null;

/** One part on the board. */
export interface Placed {
  reference: string;
  /** Key of the part in parts.ts; what is bought. */
  part: string;
  symbol: PartSymbol;
  /** What is printed beside it: a resistance, a type. */
  value: string;
  /** Heading of the part of the drawing that it belongs to. */
  section: string;
  /** Reference of the part beside which it sits on the board: a capacitor that supports a supply pin. */
  near?: string;
  /** Net of each pin; OPEN when it is left open on purpose, undefined when it was forgotten. */
  nets: Record<string, string | typeof OPEN | undefined>;
}

export interface Circuit {
  title: string;
  /** Net that all voltages are measured against. */
  ground: string;
  /** Nets that are supplied through a part that does not say so (an inductor, a battery's other pole), with the reason. */
  sources: Record<string, string>;
  placed: Placed[];
}

/** A pin of a part, on the net that is asked about. */
export interface Junction {
  placed: Placed;
  name: string;
  pin: Pin;
}

/** @returns the pins that are on each net */
export function junctionsOf(circuit: Circuit): Map<string, Junction[]> {
  const nets = new Map<string, Junction[]>();
  for (const placed of circuit.placed)
    for (const [name, pin] of Object.entries(placed.symbol.pins)) {
      const net = placed.nets[name];
      if (net === undefined || net === OPEN) continue;
      nets.set(net, [...(nets.get(net) ?? []), { placed, name, pin }]);
    }
  return nets;
}

/** @returns the net at the other end of a part with two pins; undefined for any other part */
export function otherEnd(placed: Placed, net: string): string | undefined {
  const ends = Object.values(placed.nets);
  if (ends.length !== 2) return undefined;
  return (ends[0] === net ? ends[1] : ends[0]) ?? undefined;
}

/** @returns ohms, farads or henries of "10k", "100n", "2.2u", as a number. @throws Error when the value is none */
export function quantityOf(value: string): number {
  const match = /^(\d+(?:\.\d+)?)([pnumkM]?)\b/.exec(value);
  if (match === null) throw new Error(`'${value}' is no value of a part; write it like 10k, 100n, 2.2u`);
  const scale: Record<string, number> = { p: 1e-12, n: 1e-9, u: 1e-6, m: 1e-3, "": 1, k: 1e3, M: 1e6 };
  return Number(match[1]) * scale[match[2]];
}
