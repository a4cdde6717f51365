// The results as Markdown: goals and ratios first, what was measured after them.
import { cpus } from "node:os";
import type { IdleResult } from "./idle";
import type { LoadResult } from "./job";
import { median } from "./meter";
import type { StartupResult } from "./startup";
import type { Contender } from "./throughput";

/** Everything that was measured; what was not is left out. */
export interface Results {
  /** As it was typed. */
  command: string;
  rounds: number;
  measureMs: number;
  contenders: Contender[];
  /** By key of the contender, one for each round. */
  loads: Record<string, LoadResult[]>;
  idle: IdleResult[];
  startup: StartupResult | undefined;
  /** Sentences on what to know of the servers. */
  remarks: string[];
  /** Sentences on what was left out. */
  skipped: string[];
}

/** A goal that was looked at. */
export interface Goal {
  what: string;
  goal: string;
  measured: string;
  reached: boolean;
}

const NATS_RATE_MIN = 1.2;
const MOSQUITTO_RATE_MIN = 0.6;
const P99_RATIO_MAX = 1;
const IDLE_TLS_BYTES_MAX = 35 * 1024;

const RELAY_FULL = "relay-tls-8";
const RELAY_ONE = "relay-tls-1";
const NATS_PUBLISH = "nats-publish-1000";
const MOSQUITTO = "mosquitto-default";

/** @returns the goals whose figures are there */
export function goalsOf({ loads, idle }: Results): Goal[] {
  const goals: Goal[] = [];
  const rate = (other: string, what: string, min: number) => {
    const ratio = ratioOf(loads, RELAY_FULL, other, "chunksPerS");
    if (!Number.isNaN(ratio))
      goals.push({ what, goal: `>= ${min}`, measured: ratio.toFixed(2), reached: ratio >= min });
  };
  rate(NATS_PUBLISH, "chunks/s, relay with TLS : NATS js.publish, 1000 in flight", NATS_RATE_MIN);
  rate(MOSQUITTO, "chunks/s, relay with TLS : mosquitto QoS 1, kept in RAM", MOSQUITTO_RATE_MIN);
  const p99 = ratioOf(loads, RELAY_FULL, NATS_PUBLISH, "p99Ms");
  if (!Number.isNaN(p99))
    goals.push({
      what: "p99, relay with TLS : NATS js.publish, 1000 in flight",
      goal: `<= ${P99_RATIO_MAX}`,
      measured: p99.toFixed(2),
      reached: p99 <= P99_RATIO_MAX,
    });
  for (const { tls, bytesPerConnection } of idle)
    if (tls)
      goals.push({
        what: "memory of an idle TLS connection",
        goal: `<= ${kb(IDLE_TLS_BYTES_MAX)}`,
        measured: kb(bytesPerConnection),
        reached: bytesPerConnection <= IDLE_TLS_BYTES_MAX,
      });
  return goals;
}

/** @returns the section for docs/benchmarks.md, from its heading on */
export function markdownOf(results: Results): string {
  const parts = ["## The relay", conditions(results)];
  const goals = goalsOf(results);
  if (goals.length > 0)
    parts.push(
      table(
        ["", "goal", "measured", ""],
        goals.map(({ what, goal, measured, reached }) => [
          what,
          goal,
          measured,
          reached ? "reached" : "not reached",
        ]),
      ),
    );
  if (results.contenders.length > 0)
    parts.push(ratioTable(results), loadTable(results), results.remarks.join(" "));
  const rest = [...results.idle.map(idleRow), ...(results.startup ? [startupRow(results.startup)] : [])];
  if (rest.length > 0) parts.push(table(["what", "measured"], rest));
  parts.push(...results.skipped);
  return `${parts.join("\n\n")}\n`;
}

function conditions({ command, rounds, measureMs, loads }: Results): string {
  const machine = `${cpus().length} x ${cpus()[0].model.trim()}, Node ${process.versions.node}`;
  const lines = [
    `\`${command}\` on ${machine}. Chunks of 4 KB over loopback, server and load generator in processes of their own that share the cores.`,
  ];
  const shares = Object.values(loads).flatMap((list) => list.map(({ othersShare }) => 100 * othersShare));
  if (shares.length > 0) {
    const others = `${Math.round(median(shares))}% in the median (${Math.round(Math.min(...shares))}% to ${Math.round(Math.max(...shares))}%)`;
    lines.push(
      `Of all cores, other processes and the kernel's own threads took ${others}.`,
      `${rounds} rounds in turn, ${measureMs / 1000} s each, with a new server and an empty folder every time; medians, ratios within a round.`,
    );
  }
  return lines.join(" ");
}

/** Each rival beside the relay with TLS that has about as much in flight. */
function ratioTable({ contenders, loads }: Results): string {
  const rows = contenders
    .filter(({ key }) => !key.startsWith("relay-tls"))
    .map(({ key, title, inFlight }) => {
      const ours = inFlight <= 200 ? RELAY_ONE : RELAY_FULL;
      const ratios = (["chunksPerS", "p50Ms", "p99Ms", "serverCpuUs"] as const).map((figure) => {
        const ratio = ratioOf(loads, ours, key, figure);
        return Number.isNaN(ratio) ? "-" : ratio.toFixed(2);
      });
      return [`${title}, ${inFlight} in flight`, ours === RELAY_ONE ? "1" : "8", ...ratios];
    });
  return table(["relay with TLS, divided by", "window", "chunks/s", "p50", "p99", "server's CPU"], rows);
}

function loadTable({ contenders, loads }: Results): string {
  const rows = contenders.map(({ key, title, inFlight, ackMeans }) => {
    const middle = (figure: keyof LoadResult) => median((loads[key] ?? []).map((load) => load[figure]));
    const latency = `${middle("p50Ms").toFixed(1)} / ${middle("p99Ms").toFixed(1)}`;
    const cpu = `${middle("serverCpuUs").toFixed(0)} / ${middle("clientCpuUs").toFixed(0)}`;
    return [title, `${inFlight}`, ackMeans, thousands(middle("chunksPerS")), latency, cpu];
  });
  const head = ["", "in flight", "acked means", "chunks/s", "p50 / p99 ms", "CPU us/chunk, server / client"];
  return table(head, rows);
}

function idleRow({ tls, connections, bytesPerConnection, residentBytes }: IdleResult): string[] {
  const all = `${(residentBytes / 1e6).toFixed(0)} MB in all`;
  const what = `memory (RSS after garbage collection) of each of ${connections} idle ${tls ? "TLS" : "TCP"} connections`;
  return [what, `${kb(bytesPerConnection)}, ${all}`];
}

function startupRow({ records, spoolBytes, startMs, emptyMs, peakBytes }: StartupResult): string[] {
  const what = `start with ${records} records in the spool (${(spoolBytes / 1e9).toFixed(1)} GB, in the page cache)`;
  const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`;
  const memory = `${(peakBytes / 1e6).toFixed(0)} MB at most`;
  return [what, `${seconds(startMs)} (empty: ${seconds(emptyMs)}), ${memory}`];
}

/** @returns the median over the rounds of one's figure divided by the other's in the same round; NaN without figures */
function ratioOf(loads: Results["loads"], ours: string, other: string, figure: keyof LoadResult): number {
  const others = loads[other] ?? [];
  return median(
    (loads[ours] ?? []).slice(0, others.length).map((load, i) => load[figure] / others[i][figure]),
  );
}

function table(head: string[], rows: string[][]): string {
  const rule = head.map((_, i) => (i === 0 ? "---" : "---:"));
  return [head, rule, ...rows].map((row) => `| ${row.join(" | ")} |`).join("\n");
}

function kb(bytes: number): string {
  return `${(bytes / 1024).toFixed(1)} KB`;
}

function thousands(value: number): string {
  return Math.round(value).toLocaleString("en-US");
}
