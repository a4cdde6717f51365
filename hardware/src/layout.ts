// Where each part stands on the sheet. Boxes with pins at their left and right; a part's resistors and capacitors stand beside it; sections stand in
// columns. Both drawings, KiCad's and the SVG, are made from this. One unit is a pin's distance from the next, 2.54 mm in KiCad.
import type { Circuit, Pin, Placed } from "./netlist";

/** A pin's outer end, where its net's name begins. */
export interface PlacedPin {
  name: string;
  pin: Pin;
  side: "left" | "right";
  x: number;
  y: number;
}

export interface Box {
  placed: Placed;
  /** Centre. */
  x: number;
  y: number;
  width: number;
  height: number;
  pins: PlacedPin[];
}

export interface Heading {
  text: string;
  x: number;
  y: number;
}

export interface Layout {
  width: number;
  height: number;
  boxes: Box[];
  headings: Heading[];
}

/** From the box to a pin's outer end. */
export const PIN_UNITS = 1;
const LABEL_UNITS = 8;
const BOX_UNITS = 8;
const SMALL_BOX_UNITS = 3;
const SIDE_LABEL_UNITS = 7;
const COLUMN_UNITS = 2 * LABEL_UNITS + BOX_UNITS + 2 * PIN_UNITS;
const SIDE_COLUMN_UNITS = 2 * SIDE_LABEL_UNITS + SMALL_BOX_UNITS + 2 * PIN_UNITS;
const MARGIN_UNITS = 4;
const COLUMN_HEIGHT_UNITS = 84;
const HEADING_UNITS = 3;
/** A box's name above it, and the gap to the next. */
const GAP_UNITS = 3;

/** @returns the places of all parts */
export function layOut(circuit: Circuit): Layout {
  const layout: Layout = { width: 0, height: 0, boxes: [], headings: [] };
  let x = MARGIN_UNITS;
  let y = MARGIN_UNITS;
  for (const section of new Set(circuit.placed.map(({ section }) => section))) {
    const groups = groupsOf(circuit, section);
    const height = HEADING_UNITS + groups.reduce((sum, group) => sum + heightOf(group), 0);
    if (y > MARGIN_UNITS && y + height > COLUMN_HEIGHT_UNITS) {
      x += COLUMN_UNITS + SIDE_COLUMN_UNITS + MARGIN_UNITS;
      y = MARGIN_UNITS;
    }
    layout.headings.push({ text: section, x, y });
    y += HEADING_UNITS;
    for (const group of groups) {
      layout.boxes.push(...boxesOf(group, x, y));
      y += heightOf(group);
    }
    layout.height = Math.max(layout.height, y + MARGIN_UNITS);
    y += HEADING_UNITS;
  }
  layout.width = x + COLUMN_UNITS + SIDE_COLUMN_UNITS + MARGIN_UNITS;
  return layout;
}

/** A part and those that serve it. */
interface Group {
  main: Placed;
  beside: Placed[];
}

function groupsOf(circuit: Circuit, section: string): Group[] {
  const placed = circuit.placed.filter((placed) => placed.section === section);
  return placed
    .filter(({ near }) => near === undefined)
    .map((main) => ({ main, beside: placed.filter(({ near }) => near === main.reference) }));
}

function heightOf({ main, beside }: Group): number {
  return Math.max(rowsOf(main) + GAP_UNITS, beside.length * GAP_UNITS) + 1;
}

function rowsOf(placed: Placed): number {
  return Math.ceil(Object.keys(placed.symbol.pins).length / 2) + 1;
}

/** @param left @param top of the room that the group takes */
function boxesOf({ main, beside }: Group, left: number, top: number): Box[] {
  const centre = left + LABEL_UNITS + PIN_UNITS + BOX_UNITS / 2;
  const sideCentre = left + COLUMN_UNITS + SIDE_LABEL_UNITS + PIN_UNITS + SMALL_BOX_UNITS / 2;
  return [
    boxOf(main, centre, top + 1, BOX_UNITS),
    ...beside.map((placed, i) => boxOf(placed, sideCentre, top + 1 + i * GAP_UNITS, SMALL_BOX_UNITS)),
  ];
}

/** The first half of the pins is at the left, the second at the right, from top to bottom. */
function boxOf(placed: Placed, x: number, top: number, width: number): Box {
  const names = Object.entries(placed.symbol.pins);
  const half = Math.ceil(names.length / 2);
  const pins = names.map(([name, pin], i): PlacedPin => {
    const side = i < half ? "left" : "right";
    const reach = width / 2 + PIN_UNITS;
    return { name, pin, side, x: side === "left" ? x - reach : x + reach, y: top + 1 + (i % half) };
  });
  const height = half + 1;
  return { placed, x, y: top + height / 2, width, height, pins };
}
