// `salestag audit`: where every second of a badge went, and whether anything of it is missing.

import { ExitCode, replaceFile, ToolError } from "@salestag/protocol/team";
import { type Command, InvalidArgumentError } from "commander";
import { type Audit, auditFolder } from "../audit/audit";
import { type Book, type Stretch, totalsOf } from "../audit/book";
import { hoursOf, LOOKS, lookOf, type Piece, piecesOf, svgOf } from "../audit/picture";
import type { Output } from "./output";
import { identitiesOf, openVault, type TeamFlags, withTeam } from "./team";

interface Flags extends TeamFlags {
  badge?: string;
  day?: string;
  svg?: string;
  json: boolean;
}

const DAY_MS = 24 * 3_600_000;
const SVG_MODE = 0o600;

const HELP = `
Times are UTC. An entry tells sums: inside it the order is not known, and the picture draws it in a fixed one.

Examples:
  salestag audit /srv/salestag --vault ~/salestag-vault
  salestag audit /srv/salestag --vault ~/salestag-vault --badge 0123456789abcdef --day 2026-06-01 --svg day.svg`;

export function addAudit(parent: Command, output: Output): void {
  withTeam(parent.command("audit <folder>"))
    .description(
      "Check a badge's account of its days: where every second went, and that nothing is missing or changed.",
    )
    .option("--badge <id>", "only this badge, 16 hexadecimal digits")
    .option("--day <date>", "show only this day, YYYY-MM-DD; all of it is checked", day)
    .option("--svg <file>", "draw it into this file; for one badge")
    .option("--json", "print a line of JSON for each badge", false)
    .addHelpText("after", HELP)
    .action(async (folder: string, flags: Flags) => {
      const identities = await identitiesOf(flags);
      const audits = await auditFolder({
        folder,
        vault: openVault(output, flags),
        identities,
        badge: flags.badge,
      });
      if (flags.svg !== undefined && audits.length > 1)
        throw new ToolError(ExitCode.Usage, "--svg draws one badge; name it with --badge.");
      for (const audit of audits) {
        const shown = of(audit.book, flags.day);
        if (flags.json) output.line(JSON.stringify(toJson(audit, shown)));
        else print(output, audit, shown);
        if (flags.svg !== undefined)
          replaceFile(
            flags.svg,
            Buffer.from(svgOf(audit.badge, shown.pieces, audit.book.problems)),
            SVG_MODE,
          );
      }
      const wrong = audits.filter(({ book }) => book.problems.length > 0);
      if (wrong.length > 0)
        throw new ToolError(
          ExitCode.Damaged,
          `the account of ${wrong.length} of ${audits.length} badges does not add up: ${wrong[0].book.problems[0]}.`,
        );
    });
}

function day(text: string): string {
  const at = /^\d{4}-\d{2}-\d{2}$/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(at) || new Date(at).toISOString().slice(0, 10) !== text)
    throw new InvalidArgumentError("It must be a day, such as 2026-06-01.");
  return text;
}

interface Shown {
  /** Of what is shown. */
  totals: Book["totals"];
  stretches: Stretch[];
  pieces: Piece[];
}

function of(book: Book, day: string | undefined): Shown {
  const pieces = piecesOf(book);
  if (day === undefined) return { totals: book.totals, stretches: book.stretches, pieces };
  const from = Date.parse(day);
  const within = (startMs: number, endMs: number) => startMs < from + DAY_MS && endMs > from;
  const stretches = book.stretches.filter(
    ({ startUnixMs, durationMs }) =>
      startUnixMs !== undefined && within(startUnixMs, startUnixMs + durationMs),
  );
  const off = book.off.filter(
    ({ startUnixMs, durationMs }) =>
      startUnixMs !== undefined && durationMs !== undefined && within(startUnixMs, startUnixMs + durationMs),
  );
  return {
    totals: totalsOf(stretches, off),
    stretches,
    pieces: pieces
      .filter(({ startUnixMs, endUnixMs }) => within(startUnixMs, endUnixMs))
      .map(({ spent, startUnixMs, endUnixMs }) => ({
        spent,
        startUnixMs: Math.max(startUnixMs, from),
        endUnixMs: Math.min(endUnixMs, from + DAY_MS),
      })),
  };
}

function toJson({ badge, book }: Audit, { stretches, totals }: Shown) {
  const { off, problems } = book;
  const entries = stretches.map(({ entry, startUnixMs, durationMs, arrivedMs }) => ({
    ...entry,
    startUnixMs,
    durationMs,
    arrivedMs,
  }));
  return { badge, totals, entries, off, problems };
}

const COLUMNS: [heading: string, of: (stretch: Stretch) => number][] = [
  ["sent", ({ entry }) => entry.sentMs],
  ["silence", ({ entry }) => entry.silenceMs],
  ["paused", ({ entry }) => entry.pausedMs],
  ["muted", ({ entry }) => entry.mutedMs],
  ["refused", ({ entry }) => entry.refusedMs],
  ["unheard", ({ entry }) => entry.unheardMs],
  ["evicted", ({ entry }) => entry.evictedMs],
];

function print(output: Output, { badge, book }: Audit, { stretches, pieces, totals }: Shown): void {
  const { colors } = output;
  const { problems } = book;
  output.line(colors.bold(`badge ${badge}`));
  const heads = COLUMNS.map(([heading]) => heading.padStart(8)).join("");
  output.line(
    `${"entry".padStart(6)}${"boot".padStart(5)}  ${"from".padEnd(19)}${"length".padStart(9)}${heads}`,
  );
  for (const stretch of stretches) {
    const { entry, startUnixMs, durationMs } = stretch;
    const from = startUnixMs === undefined ? `${length(entry.startMs)} after its start` : whenOf(startUnixMs);
    const cells = COLUMNS.map(([, of]) => (of(stretch) === 0 ? "" : length(of(stretch))).padStart(8)).join(
      "",
    );
    output.line(
      `${String(entry.seq).padStart(6)}${String(entry.boot).padStart(5)}  ${from.padEnd(19)}${length(durationMs).padStart(9)}${cells}`,
    );
  }
  for (const { startUnixMs, minutes } of hoursOf(pieces)) {
    const bar = minutes.map((spent) => (spent === undefined ? " " : paint(output, spent))).join("");
    output.line(`${whenOf(startUnixMs).slice(0, 16)}  |${bar}|`);
  }
  if (pieces.length > 0)
    output.line(
      LOOKS.filter(({ spent }) => spent !== "off")
        .map(({ letter, word }) => `${letter} ${word}`)
        .join("   "),
    );
  const sums = (Object.entries(totals) as [string, number][]).filter(([, ms]) => ms > 0);
  output.line(`in all: ${sums.map(([name, ms]) => `${name} ${length(ms)}`).join(", ") || "nothing"}`);
  if (problems.length === 0) output.line(colors.green("every entry is here, in order and unchanged"));
  for (const problem of problems) output.line(colors.red(problem));
}

function paint({ colors }: Output, spent: Piece["spent"]): string {
  const { letter } = lookOf(spent);
  if (spent === "sent") return colors.green(letter);
  if (spent === "refused") return colors.magenta(letter);
  if (spent === "muted" || spent === "unheard") return colors.red(letter);
  return spent === "paused" ? colors.yellow(letter) : letter;
}

function whenOf(unixMs: number): string {
  return new Date(unixMs).toISOString().slice(0, 19).replace("T", " ");
}

function length(ms: number): string {
  const seconds = Math.round(ms / 1000);
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  const two = (value: number) => String(value).padStart(2, "0");
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}
