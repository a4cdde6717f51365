// What is bought and what is connected, as text: the bill of materials as CSV, the netlist with a line for each net.
import { PARTS } from "../parts";
import type { PartKey } from "../symbols";
import { type Circuit, junctionsOf, type Placed } from "./netlist";

const VALUED = ["resistor", "capacitor", "inductor"];

/** @returns RFC 4180: a line for each thing to buy, in the order of the references */
export function billOfMaterials(circuit: Circuit): string {
  const groups = new Map<string, Placed[]>();
  for (const placed of circuit.placed) {
    if (placed.part === "testPoint") continue;
    const key = `${placed.part} ${VALUED.includes(placed.part) ? placed.value : ""}`;
    groups.set(key, [...(groups.get(key) ?? []), placed]);
  }
  const head = ["count", "references", "value", "part", "maker", "what", "package", "source 1", "source 2"];
  const lines = [...groups.values()].map((group) => {
    const part = PARTS[group[0].part as PartKey];
    const value = VALUED.includes(group[0].part) ? group[0].value : "";
    const references = group.map(({ reference }) => reference).join(" ");
    return [
      group.length,
      references,
      value,
      part.number,
      part.maker,
      part.what,
      part.package,
      ...part.sources,
    ];
  });
  return [head, ...lines].map((cells) => `${cells.map(cell).join(",")}\r\n`).join("");
}

/** @returns "net: U1.IO4 U7.1A", sorted by net */
export function netList(circuit: Circuit): string {
  const lines = [...junctionsOf(circuit)].map(
    ([net, junctions]) =>
      `${net}: ${junctions.map(({ placed, name }) => `${placed.reference}.${name}`).join(" ")}\n`,
  );
  return lines.sort().join("");
}

function cell(value: string | number): string {
  const text = String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
