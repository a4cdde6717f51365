// What the relay tells a monitor: numbers in the text format of Prometheus (exposition format 0.0.4).

/** One number, with what tells it from others of its name. */
export interface Sample {
  labels?: Record<string, string>;
  value: number;
}

/** All numbers of one name. */
export interface Metric {
  /** Ends in `_total` when it is a counter, and names its unit otherwise. */
  name: string;
  help: string;
  type: "counter" | "gauge";
  samples: Sample[];
}

/** Content type of `exposition`. */
export const EXPOSITION_TYPE = "text/plain; version=0.0.4; charset=utf-8";

/** @returns the metrics as text */
export function exposition(metrics: Metric[]): string {
  const lines: string[] = [];
  for (const { name, help, type, samples } of metrics) {
    lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`);
    for (const { labels, value } of samples) lines.push(`${name}${labelsOf(labels)} ${value}`);
  }
  return `${lines.join("\n")}\n`;
}

function labelsOf(labels: Record<string, string> = {}): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`);
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

function escaped(value: string): string {
  return value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}

/** Counts things by a name. */
export class Tally {
  private readonly counts = new Map<string, number>();

  add(name: string, by = 1): void {
    this.counts.set(name, this.of(name) + by);
  }

  of(name: string): number {
    return this.counts.get(name) ?? 0;
  }

  /** @returns a sample for each name, with the name as this label */
  samples(label: string): Sample[] {
    return [...this.counts]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, value]) => ({ labels: { [label]: name }, value }));
  }
}
