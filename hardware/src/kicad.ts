// Writes a circuit as a schematic of KiCad 9 (*.kicad_sch): boxes that are joined by global labels. Ids are made from names, so that the same circuit
// gives the same file.
import { createHash } from "node:crypto";
import { type Box, layOut, PIN_UNITS, type PlacedPin } from "./layout";
import { type Circuit, OPEN, type PinType } from "./netlist";

/** Version of the file's format that KiCad 9.0 writes. */
const FORMAT = 20250114;
const UNIT_MM = 2.54;
const PROJECT = "badge";
const FLAG = "PWR_FLAG";
const ROOT = idOf("root");

const TYPES: Record<PinType, string> = {
  "power-in": "power_in",
  "power-out": "power_out",
  input: "input",
  output: "output",
  bidirectional: "bidirectional",
  "open-collector": "open_collector",
  passive: "passive",
  unconnected: "no_connect",
};

/** @returns the text of the file */
export function kicadSchematic(circuit: Circuit): string {
  const { boxes, headings, height } = layOut(circuit);
  const flags = Object.keys(circuit.sources);
  return [
    `(kicad_sch (version ${FORMAT}) (generator "salestag") (generator_version "9.0")`,
    ` (uuid "${ROOT}") (paper "A1") (title_block (title ${quote(circuit.title)}))`,
    ` (lib_symbols`,
    ...boxes.map(librarySymbol),
    flagSymbol(),
    ` )`,
    ...headings.map(
      ({ text, x, y }) =>
        ` (text ${quote(text)} (at ${at(x, y, 0)}) (effects (font (size 3 3)) (justify left bottom)) (uuid "${idOf(`heading ${text}`)}"))`,
    ),
    ...boxes.flatMap((box) => [
      instance(box.placed.reference, box.placed.reference, box.placed.value, box),
      ...box.pins.map((pin) => pinEnd(box, pin)),
    ]),
    ...flags.flatMap((net, i) => flagInstance(net, 6 + i * 20, height + 4)),
    ` (sheet_instances (path "/" (page "1")))`,
    `)`,
    "",
  ].join("\n");
}

/** Each part has a symbol of its own in the file: so a planted fault changes one part only. */
function librarySymbol(box: Box): string {
  const { placed, width, height } = box;
  const [x, y] = [(width / 2) * UNIT_MM, (height / 2) * UNIT_MM];
  const pins = box.pins.flatMap((placedPin) =>
    placedPin.pin.pads.map((pad, i) => libraryPin(box, placedPin, pad, i > 0)),
  );
  return [
    `  (symbol "${PROJECT}:${placed.reference}" (in_bom yes) (on_board yes)`,
    `   ${property("Reference", placed.symbol.letter, 0, y + 3)} ${property("Value", placed.value, 0, y + 1)}`,
    `   (symbol "${placed.reference}_0_1" (rectangle (start ${round(-x)} ${round(y)}) (end ${round(x)} ${round(-y)})`,
    `    (stroke (width 0.254) (type default)) (fill (type background))))`,
    `   (symbol "${placed.reference}_1_1"`,
    ...pins,
    `   ))`,
  ].join("\n");
}

/** Further pads of a pin lie on its first one and are hidden. */
function libraryPin(box: Box, { name, pin, side, x, y }: PlacedPin, pad: string, hidden: boolean): string {
  const angle = side === "left" ? 0 : 180;
  const place = `${round((x - box.x) * UNIT_MM)} ${round((box.y - y) * UNIT_MM)} ${angle}`;
  const type = hidden ? "passive" : TYPES[pin.type];
  const font = "(effects (font (size 1.27 1.27)))";
  const text = `(name ${quote(name)} ${font}) (number ${quote(pad)} ${font})`;
  return `    (pin ${type} line (at ${place}) (length ${PIN_UNITS * UNIT_MM})${hidden ? " (hide yes)" : ""} ${text})`;
}

function flagSymbol(): string {
  return [
    `  (symbol "${PROJECT}:${FLAG}" (power) (in_bom no) (on_board no)`,
    `   ${property("Reference", "#FLG", 0, 2)} ${property("Value", FLAG, 0, 4)}`,
    `   (symbol "${FLAG}_0_0" (pin power_out line (at 0 0 90) (length 0)`,
    `    (name "pwr" (effects (font (size 1.27 1.27)))) (number "1" (effects (font (size 1.27 1.27)))))))`,
  ].join("\n");
}

function flagInstance(net: string, x: number, y: number): string[] {
  return [
    instance(FLAG, `#FLG_${net}`, FLAG, { x, y, height: 0 }),
    label(net, { x, y, side: "right" }, `flag ${net}`),
  ];
}

function instance(
  symbol: string,
  reference: string,
  value: string,
  { x, y, height }: Pick<Box, "x" | "y" | "height">,
): string {
  const top = (y - height / 2) * UNIT_MM;
  return [
    ` (symbol (lib_id "${PROJECT}:${symbol}") (at ${at(x, y, 0)}) (unit 1) (in_bom yes) (on_board yes) (dnp no)`,
    `  (uuid "${idOf(`part ${reference}`)}") ${property("Reference", reference, x * UNIT_MM, top - 3)}`,
    `  ${property("Value", value, x * UNIT_MM, top - 1)}`,
    `  (instances (project "${PROJECT}" (path "/${ROOT}" (reference ${quote(reference)}) (unit 1)))))`,
  ].join("\n");
}

/** What is at a pin: its net's label, a cross where it is open, nothing where it was forgotten. */
function pinEnd(box: Box, pin: PlacedPin): string {
  const net = box.placed.nets[pin.name];
  const id = `${box.placed.reference}.${pin.name}`;
  if (net === undefined) return "";
  if (net === OPEN)
    return ` (no_connect (at ${round(pin.x * UNIT_MM)} ${round(pin.y * UNIT_MM)}) (uuid "${idOf(id)}"))`;
  return label(net, pin, id);
}

function label(net: string, { x, y, side }: Pick<PlacedPin, "x" | "y" | "side">, id: string): string {
  const [angle, justify] = side === "left" ? [180, "right"] : [0, "left"];
  const effects = `(effects (font (size 1.27 1.27)) (justify ${justify}))`;
  return ` (global_label ${quote(net)} (shape passive) (at ${at(x, y, angle)}) ${effects} (uuid "${idOf(`label ${id}`)}"))`;
}

function property(name: string, value: string, xMm: number, yMm: number): string {
  return `(property "${name}" ${quote(value)} (at ${round(xMm)} ${round(yMm)} 0) (effects (font (size 1.27 1.27))))`;
}

function at(x: number, y: number, angle: number): string {
  return `${round(x * UNIT_MM)} ${round(y * UNIT_MM)} ${angle}`;
}

function round(mm: number): number {
  return Math.round(mm * 1e4) / 1e4;
}

function quote(text: string): string {
  return `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
}

/** @returns an id in the form of a UUID that only depends on the name */
function idOf(name: string): string {
  const hash = createHash("sha256").update(`salestag ${name}`).digest("hex");
  return `${hash.slice(0, 8)}-${hash.slice(8, 12)}-4${hash.slice(13, 16)}-8${hash.slice(17, 20)}-${hash.slice(20, 32)}`;
}
