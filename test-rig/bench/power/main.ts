// The power budget: plays a badge-day twice, always connected and with uploads every five minutes, and prints what it would draw on the badge's parts by the model
// of hardware/power.ts, how long a cell lasts, and what costs most; draws the battery over the day.
//
//   npm run bench:power                                      10 hours, 500 mAh
//   npm run bench:power -- --cell 800 --left 10 --svg day.svg
//   npm run bench:power -- --days days.json                  plays the days only if the file is not there, and keeps them in it
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import {
  AS_IT_IS,
  allowedMa,
  type Build,
  type Cell,
  CONSUMERS,
  cellMa,
  coreShares,
  currentsOf,
  hoursOf,
  sumOf,
  type Usage,
  usableMah,
} from "@salestag/hardware/power";
import { BUILDS, PROPOSED } from "@salestag/hardware/power-builds";
import { CELL } from "@salestag/hardware/power-data";
import { lineChart } from "../hearing/plot";
import { type Day, playDay, wholeOf, withKept } from "./day";

const UPLOAD_EVERY_MS = 300_000;

const { values } = parseArgs({
  options: {
    hours: { type: "string", default: "10" },
    seed: { type: "string", default: "1" },
    cell: { type: "string", default: "500" },
    left: { type: "string", default: "20" },
    days: { type: "string" },
    svg: { type: "string" },
  },
});
const hours = Number(values.hours);
const leftShare = Number(values.left) / 100;
const cell: Cell = { mAh: Number(values.cell), health: 1 };

const number = (value: number, digits = 1): string => value.toFixed(digits);
const percent = (share: number): string => `${(100 * share).toFixed(0)}%`;
const table = (head: string[], rows: string[][]): void => {
  const line = (cells: string[]) => `| ${cells.join(" | ")} |`;
  const rule = head.map((_, at) => (at === 0 ? "---" : "---:"));
  console.log([line(head), line(rule), ...rows.map(line), ""].join("\n"));
};

async function days(): Promise<[Day, Day]> {
  const { days: file } = values;
  if (file !== undefined && existsSync(file)) return JSON.parse(readFileSync(file, "utf8"));
  const play = (uploadEveryMs: number) =>
    playDay({ hours, seed: Number(values.seed), uploadEveryMs, onProgress: progress });
  const played: [Day, Day] = [await play(0), await play(UPLOAD_EVERY_MS)];
  if (file !== undefined) writeFileSync(file, JSON.stringify(played));
  return played;
}

function progress(virtualMs: number): void {
  if (process.stderr.isTTY) process.stderr.write(`\r${number(virtualMs / 3_600_000)} h `);
}

const HOUR_MS = 3_600_000;

function hourly(of: (usage: Usage) => number): (usage: Usage) => string {
  return (usage) => {
    const count = (of(usage) * HOUR_MS) / usage.elapsedMs;
    return number(count, count < 100 ? 1 : 0);
  };
}

function printUsage(connected: Day, uploads: Day): void {
  const both = [wholeOf(connected), wholeOf(uploads)];
  const row = (name: string, of: (usage: Usage) => string) => [name, ...both.map(of)];
  const share = (ms: (usage: Usage) => number) => (usage: Usage) =>
    `${((100 * ms(usage)) / usage.elapsedMs).toFixed(1)}%`;
  console.log("What the badge does, by the rig\n");
  table(
    ["", "always connected", `uploads every ${UPLOAD_EVERY_MS / 60_000} min`],
    [
      row("hours played", (usage) => number(usage.elapsedMs / HOUR_MS)),
      row(
        "speech",
        share((usage) => usage.speechMs),
      ),
      row(
        "kept: speech, pre-roll, hangover",
        share((usage) => usage.keptMs),
      ),
      row(
        "badge program, of a core at 240 MHz",
        share((usage) => usage.programMs),
      ),
      row(
        "connections an hour",
        hourly((usage) => usage.connections),
      ),
      row(
        "connected",
        share((usage) => usage.connectedMs),
      ),
      row(
        "radio awake for packets",
        share((usage) => usage.radioAwakeMs),
      ),
      row(
        "sent an hour, MB",
        hourly((usage) => usage.sentBytes / 1e6),
      ),
      row(
        "flash: programs of up to 224 bytes an hour",
        hourly((usage) => usage.flashPrograms),
      ),
      row(
        "flash: sectors erased an hour",
        hourly((usage) => usage.flashErases),
      ),
      row(
        "light",
        share((usage) => usage.lightMs),
      ),
      row(
        "tones an hour",
        hourly((usage) => usage.tones),
      ),
      ["heap peak of 64 KB", ...[connected, uploads].map((day) => heapOf(day))],
    ],
  );
}

/** A day that was broken off has no peak. */
const heapOf = ({ heapPeakBytes }: Day): string =>
  heapPeakBytes === 0 ? "not known" : `${number(heapPeakBytes / 1024)} KB`;

function resultRow(name: string, usage: Usage, build: Build, of: Cell): string[] {
  const railMa = sumOf(currentsOf(usage, build));
  const missing = railMa - allowedMa(of, hours, leftShare);
  const left = 1 - (cellMa(railMa) * hours) / usableMah(of);
  return [
    name,
    number(railMa),
    number(cellMa(railMa)),
    number(hoursOf(of, railMa)),
    left < 0 ? "empty" : percent(left),
    missing > 0 ? number(missing) : "0",
  ];
}

const RESULT_HEAD = [
  "",
  "mA at 3.3 V",
  "mA of the cell",
  "hours",
  `left after ${hours} h`,
  `mA at 3.3 V too many for ${percent(leftShare)}`,
];

function printBuilds(connected: Usage, uploads: Usage): void {
  console.log(
    `${cell.mAh} mAh, new, 25 °C; allowed ${number(allowedMa(cell, hours, leftShare))} mA at 3.3 V\n`,
  );
  table(RESULT_HEAD, [
    resultRow("runtime as it is, always connected", connected, AS_IT_IS, cell),
    resultRow("runtime as it is, uploads every 5 min", uploads, AS_IT_IS, cell),
    ...BUILDS.slice(1).map((build) => resultRow(build.name, uploads, build, cell)),
    resultRow(
      "the same as the last but one, always connected",
      connected,
      { ...PROPOSED, leavesNetwork: false },
      cell,
    ),
  ]);
}

function printConsumers(connected: Usage, uploads: Usage): void {
  const columns = [
    currentsOf(connected, AS_IT_IS),
    currentsOf(uploads, AS_IT_IS),
    currentsOf(uploads, PROPOSED),
  ];
  const rows = [...CONSUMERS].sort((a, b) => columns[0][b] - columns[0][a]);
  table(
    ["mA at 3.3 V", "as it is, connected", "as it is, uploads", "proposed, uploads"],
    [
      ...rows.map((name) => [name, ...columns.map((column) => number(column[name], 2))]),
      ["sum", ...columns.map((column) => number(sumOf(column)))],
    ],
  );
  const { program, features, network, opus } = coreShares(connected, AS_IT_IS);
  console.log(
    `Of a core at 160 MHz: program ${percent(program)}; front end and Opus ${percent(features + network + opus)}\n`,
  );
}

/** A question, what the badge then does and has, and how its native part differs. */
type Question = [string, Usage, Cell, ((build: Build) => Build)?];

const NO_RADIO = { connections: 0, connectedMs: 0, radioAwakeMs: 0, sentBytes: 0 };

function questions(uploads: Day): Question[] {
  const usage = wholeOf(uploads);
  const keptPerSpeech = usage.keptMs / usage.speechMs;
  const halfMore = { ...usage, programMs: 1.5 * usage.programMs };
  return [
    ["as above", usage, cell],
    ["6 hours of speech in 10", withKept(uploads, 0.6 * keptPerSpeech), cell],
    ["no speech at all", withKept(uploads, 0), cell],
    ["no Wi-Fi in reach all day", { ...usage, ...NO_RADIO, inReachMs: 0 }, cell],
    ["cell at 0 °C", usage, { ...cell, health: CELL.at0C.value }],
    ["cell at -10 °C", usage, { ...cell, health: CELL.atMinus10C.value }],
    ["cell after 500 cycles", usage, { ...cell, health: CELL.aged.value }],
    ["light always off", { ...usage, lightMs: 0 }, cell],
    ["program a third cheaper", { ...usage, programMs: usage.programMs / 1.5 }, cell],
    ["program and network half dearer", halfMore, cell, slowNetwork],
  ];
}

const slowNetwork = (build: Build): Build => ({ ...build, networkSpeedUp: build.networkSpeedUp / 1.5 });

function printSensitivity(uploads: Day): void {
  for (const build of [AS_IT_IS, PROPOSED]) {
    console.log(`${build === AS_IT_IS ? "Runtime as it is" : "Proposed build"}, uploads every 5 min\n`);
    const rows = questions(uploads).map(([name, usage, of, change]) =>
      resultRow(name, usage, change === undefined ? build : change(build), of),
    );
    table(RESULT_HEAD, rows);
  }
}

/** Charge in per cent over the day, in hours. */
function battery(day: Day, build: Build): [number, number][] {
  let leftMah = usableMah(cell);
  let atMs = 0;
  const points: [number, number][] = [[0, 100]];
  for (const slice of day.slices) {
    leftMah -= (cellMa(sumOf(currentsOf(slice, build))) * slice.elapsedMs) / 3_600_000;
    atMs += slice.elapsedMs;
    points.push([atMs / 3_600_000, (100 * leftMah) / usableMah(cell)]);
  }
  return points;
}

function draw(connected: Day, uploads: Day, file: string): void {
  const series = [
    { name: "as it is, connected", points: battery(connected, AS_IT_IS) },
    { name: "as it is, uploads", points: battery(uploads, AS_IT_IS) },
    { name: "proposed, connected", points: battery(connected, { ...PROPOSED, leavesNetwork: false }) },
    { name: "proposed, uploads", points: battery(uploads, PROPOSED) },
    {
      name: `goal: ${percent(leftShare)} left`,
      points: [
        [0, 100 * leftShare],
        [hours, 100 * leftShare],
      ] as [number, number][],
    },
  ];
  const ticks = (to: number, step: number) => Array.from({ length: to / step + 1 }, (_, at) => at * step);
  const x = { label: "hours", from: 0, to: hours, ticks: ticks(hours, 1) };
  const y = { label: "charge left, %", from: 0, to: 100, ticks: ticks(100, 20) };
  const title = `${cell.mAh} mAh over a day, by the model (no badge was measured)`;
  writeFileSync(file, lineChart({ title, x, y, series }));
  console.log(`Battery over the day: ${file}`);
}

const [connected, uploads] = await days();
printUsage(connected, uploads);
printBuilds(wholeOf(connected), wholeOf(uploads));
printConsumers(wholeOf(connected), wholeOf(uploads));
printSensitivity(uploads);
if (values.svg !== undefined) draw(connected, uploads, values.svg);
