// Pieces of docs/benchmarks/hearing.md: tables, numbers, pictures, and progress for whoever waits.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Chart, lineChart } from "./plot";

const DOCS = fileURLToPath(new URL("../../../docs/", import.meta.url));
const PICTURES = "benchmarks";

const startedMs = performance.now();

/** Progress, with the seconds since the start. */
export function say(text: string): void {
  const seconds = (performance.now() - startedMs) / 1000;
  process.stderr.write(`${seconds.toFixed(0).padStart(4)} s  ${text}\n`);
}

/** @param share 0 to 1; undefined when it was not measured */
export function percent(share: number | undefined): string {
  return share === undefined ? "-" : `${(100 * share).toFixed(1)}%`;
}

export function mean(list: number[]): number {
  return list.reduce((sum, value) => sum + value, 0) / list.length;
}

export function table(head: string[], rows: (string | number)[][]): string {
  const rule = head.map((_, i) => (i === 0 ? "---" : "---:"));
  return [head, rule, ...rows].map((row) => `| ${row.join(" | ")} |`).join("\n");
}

/** Writes a chart beside the document. @param name of the file, without its ending @returns the line that shows it */
export function picture(name: string, chart: Chart): string {
  mkdirSync(join(DOCS, PICTURES), { recursive: true });
  writeFileSync(join(DOCS, PICTURES, `${name}.svg`), lineChart(chart));
  return `![${chart.title}](${name}.svg)`;
}

/** Writes the document. @param sections each with its heading */
export function writeDocument(sections: string[]): void {
  writeFileSync(join(DOCS, PICTURES, "hearing.md"), `${sections.join("\n\n")}\n`);
}
