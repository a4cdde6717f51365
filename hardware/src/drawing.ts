// Draws a circuit as SVG, for people: the same boxes as in KiCad's file, nets by name, coloured by what they are.
import { type Box, layOut, type PlacedPin } from "./layout";
import { type Circuit, OPEN } from "./netlist";
import { supplyNets } from "./rules";

const UNIT_PX = 16;
const INK = "#222";
const SUPPLY = "#b3261e";
const GROUND = "#6b6b6b";
const SIGNAL = "#14539a";
const MISSING = "#d000d0";
const BODY = "#fffdf2";

/** @returns the text of the file */
export function drawing(circuit: Circuit): string {
  const { boxes, headings, width, height } = layOut(circuit);
  const [w, h] = [width * UNIT_PX, height * UNIT_PX];
  const supplies = supplyNets(circuit);
  const colourOf = (net: string) =>
    net === circuit.ground ? GROUND : supplies.has(net) || net in circuit.sources ? SUPPLY : SIGNAL;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${w} ${h}" width="${w}" height="${h}" font-family="DejaVu Sans, Arial, sans-serif">`,
    `<rect width="${w}" height="${h}" fill="#fff"/>`,
    text(2, 2, `${circuit.title}: never built on a real board`, { size: 20, bold: true }),
    ...headings.map(({ text: words, x, y }) => text(x, y + 0.7, words, { size: 18, bold: true })),
    ...boxes.flatMap((box) => [body(box), ...box.pins.flatMap((pin) => pinLines(box, pin, colourOf))]),
    "</svg>",
    "",
  ].join("\n");
}

function body(box: Box): string {
  const { placed, x, y, height } = box;
  const top = y - height / 2;
  if (placed.near !== undefined)
    return [
      placed.part === "capacitor" ? plates(box) : rectangle(box),
      text(x, top - 0.1, `${placed.reference}  ${placed.value}`, { middle: true, size: 11, bold: true }),
    ].join("\n");
  return [
    rectangle(box),
    text(x, top - 1.1, placed.reference, { middle: true, bold: true }),
    text(x, top - 0.3, placed.value, { middle: true, size: 10 }),
  ].join("\n");
}

function rectangle({ placed, x, y, width, height }: Box): string {
  const tall = placed.near === undefined ? height : 0.9;
  return `<rect x="${(x - width / 2) * UNIT_PX}" y="${(y - tall / 2) * UNIT_PX}" width="${width * UNIT_PX}" height="${tall * UNIT_PX}" fill="${BODY}" stroke="${INK}" stroke-width="1.5"/>`;
}

/** A capacitor: two plates, with leads to where a box would have its edges. */
function plates({ x, y, width }: Box): string {
  const leads = line(x - width / 2, y, x - 0.2, y) + line(x + 0.2, y, x + width / 2, y);
  return leads + line(x - 0.2, y - 0.7, x - 0.2, y + 0.7) + line(x + 0.2, y - 0.7, x + 0.2, y + 0.7);
}

function pinLines(box: Box, pin: PlacedPin, colourOf: (net: string) => string): string[] {
  const isLeft = pin.side === "left";
  const edge = isLeft ? box.x - box.width / 2 : box.x + box.width / 2;
  const inward = isLeft ? 0.4 : -0.4;
  const outward = isLeft ? -0.3 : 0.3;
  const net = box.placed.nets[pin.name];
  const isNamed = Object.keys(box.placed.symbol.pins).length > 2 || !/^\d$/.test(pin.name);
  const lines = [line(edge, pin.y, pin.x, pin.y)];
  if (isNamed) lines.push(text(edge + inward, pin.y + 0.28, pin.name, { size: 11, end: !isLeft }));
  const [pad, more] = pin.pin.pads;
  if (isNamed && pad.length < 3)
    lines.push(
      text((edge + pin.x) / 2, pin.y - 0.1, more === undefined ? pad : `${pad}..`, {
        size: 7,
        middle: true,
        fill: GROUND,
      }),
    );
  if (net === OPEN) lines.push(cross(pin.x, pin.y));
  else {
    const [words, fill] = net === undefined ? ["not connected!", MISSING] : [net, colourOf(net)];
    lines.push(text(pin.x + outward, pin.y + 0.28, words, { size: 12, end: isLeft, fill }));
  }
  return lines;
}

function line(fromX: number, fromY: number, toX: number, toY: number): string {
  return `<line x1="${fromX * UNIT_PX}" y1="${fromY * UNIT_PX}" x2="${toX * UNIT_PX}" y2="${toY * UNIT_PX}" stroke="${INK}" stroke-width="1.2"/>`;
}

function cross(x: number, y: number): string {
  return `${line(x - 0.25, y - 0.25, x + 0.25, y + 0.25)}${line(x - 0.25, y + 0.25, x + 0.25, y - 0.25)}`;
}

interface TextStyle {
  size?: number;
  bold?: boolean;
  middle?: boolean;
  end?: boolean;
  fill?: string;
}

function text(x: number, y: number, words: string, style: TextStyle): string {
  const { size = 12, bold = false, middle = false, end = false, fill = INK } = style;
  const anchor = middle ? "middle" : end ? "end" : "start";
  const escaped = words.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
  return `<text x="${x * UNIT_PX}" y="${y * UNIT_PX}" font-size="${size}" text-anchor="${anchor}" fill="${fill}"${bold ? ' font-weight="bold"' : ""}>${escaped}</text>`;
}
