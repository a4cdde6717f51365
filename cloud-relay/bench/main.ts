// npm run bench:relay: the relay beside NATS JetStream and mosquitto, what an idle badge costs, and how long a full spool takes to start.
import { readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { fileURLToPath } from "node:url";
import { Command, Option } from "commander";
import { type IdleResult, measureIdle } from "./idle";
import { goalsOf, markdownOf, type Results } from "./report";
import { measureStartup } from "./startup";
import { contenders, measureThroughput } from "./throughput";
import { lacksRoom, say } from "./workplace";

interface Flags {
  quick: boolean;
  json: boolean;
  write: boolean;
  folder: string;
  only?: Part[];
}

const PARTS = ["load", "idle", "startup"] as const;
type Part = (typeof PARTS)[number];

const SIZES = {
  full: { rounds: 5, span: { warmUpMs: 1000, measureMs: 3000 }, connections: 5000, records: 1_000_000 },
  quick: { rounds: 1, span: { warmUpMs: 500, measureMs: 1500 }, connections: 500, records: 100_000 },
};
/** What one run of one server may leave on the disk until its folder is removed. */
const LOAD_ROOM_BYTES = 4e9;
const DOCUMENT = fileURLToPath(new URL("../../docs/benchmarks.md", import.meta.url));
const HELP = `
Needs Linux. Debian's nats-server and mosquitto are measured beside the relay where they are installed:
  apt-get install --no-install-recommends nats-server mosquitto

Examples:
  npm run bench:relay -- --quick
  npm run bench:relay -- --only load --json
  npm run bench:relay -- --folder /mnt/disk --write`;

const program = new Command("bench:relay")
  .description(
    "Measures the relay: acked chunks a second and latency, memory of idle badges, start with a full spool.",
  )
  .option("--quick", "a short run: fewer seconds, 500 connections, 100,000 records", false)
  .option("--json", "the results as JSON instead of Markdown", false)
  .option("--write", 'put the section "The relay" into docs/benchmarks.md as well', false)
  .option("--folder <dir>", "where temporary folders are made, on the disk to measure", tmpdir())
  .addOption(new Option("--only <part...>", "measure these parts only").choices(PARTS))
  .addHelpText("after", HELP);

async function measure({ quick, folder, only = [...PARTS] }: Flags): Promise<Results> {
  const { rounds, span, connections, records } = quick ? SIZES.quick : SIZES.full;
  const results: Results = {
    command: ["npm run bench:relay", ...(quick ? ["-- --quick"] : [])].join(" "),
    rounds,
    measureMs: span.measureMs,
    contenders: [],
    loads: {},
    idle: [],
    startup: undefined,
    remarks: [],
    skipped: [],
  };
  if (only.includes("load")) await measureLoads(results, folder, rounds, span);
  const idle: IdleResult[] = [];
  if (only.includes("idle"))
    for (const tls of [true, false]) idle.push(await measureIdle(folder, tls, connections));
  const startup = only.includes("startup") ? await measureStartup(folder, records) : undefined;
  if (typeof startup === "string") results.skipped.push(startup);
  else results.startup = startup;
  return { ...results, idle };
}

async function measureLoads(
  results: Results,
  parent: string,
  rounds: number,
  span: { warmUpMs: number; measureMs: number },
): Promise<void> {
  const why = lacksRoom(parent, LOAD_ROOM_BYTES);
  if (why !== undefined) {
    results.skipped.push(`Acked chunks a second are left out: ${why}.`);
    return;
  }
  const { able, remarks, skipped } = contenders();
  results.remarks = remarks;
  for (const sentence of skipped) say(sentence);
  results.skipped.push(...skipped);
  results.contenders = able;
  results.loads = Object.fromEntries(await measureThroughput(able, { parent, rounds, span }));
}

/** Puts the section in the place of the one that is there, or behind all others. */
function writeSection(section: string): void {
  const text = readFileSync(DOCUMENT, "utf8");
  const [heading] = section.split("\n", 1);
  const from = text.indexOf(`${heading}\n`);
  const end = from < 0 ? -1 : text.indexOf("\n## ", from);
  const before = from < 0 ? `${text.trimEnd()}\n\n` : text.slice(0, from);
  writeFileSync(DOCUMENT, before + section + (end < 0 ? "" : text.slice(end)));
}

async function run(flags: Flags): Promise<void> {
  if (process.platform !== "linux")
    throw new Error(`the benchmark reads /proc and needs Linux, this is ${process.platform}`);
  const results = await measure(flags);
  const goals = goalsOf(results);
  for (const { what, goal, measured, reached } of goals)
    say(`${reached ? "reached" : "not reached"}: ${what}: ${measured}, goal ${goal}`);
  const section = markdownOf(results);
  process.stdout.write(flags.json ? `${JSON.stringify({ ...results, goals }, null, 2)}\n` : section);
  if (flags.write) writeSection(section);
}

for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(1)); // servers and folders go with it
program.parse();
run(program.opts<Flags>()).catch((cause) => {
  process.stderr.write(`bench:relay: ${cause instanceof Error ? cause.message : cause}\n`);
  process.exit(1);
});
