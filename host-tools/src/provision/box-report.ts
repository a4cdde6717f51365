// What became of each badge of a box: a CSV file that is whole at every instant, from which an interrupted box goes on.
import { existsSync, readFileSync } from "node:fs";
import { clauseOf, ExitCode, replaceFile, ToolError } from "@salestag/protocol/team";
import { parse } from "csv-parse/sync";
import { stringify } from "csv-stringify/sync";

/** A line of the report. */
export interface ReportLine {
  /** Of the list. */
  row: number;
  label: string;
  /** Hardware id; empty when no badge came. */
  hardware: string;
  /** Badge id; empty when it is not ready. */
  badge: string;
  state: "ready" | "failed";
  /** Cause and remedy of a failure; empty for a badge that is ready. */
  why: string;
  seconds: number;
  /** ISO 8601, UTC. */
  at: string;
}

const COLUMNS = ["row", "label", "hardware", "badge", "state", "why", "seconds", "at"] as const;

/** See the top of the file. Has the newest line of each row. */
export class BoxReport {
  private readonly lines = new Map<number, ReportLine>();

  private constructor(private readonly path: string) {}

  /**
   * @param path made with the first line, where it is missing
   * @throws ToolError when it is no report
   */
  static open(path: string): BoxReport {
    const report = new BoxReport(path);
    if (!existsSync(path)) return report;
    try {
      const read: Record<string, string>[] = parse(readFileSync(path, "utf8"), { columns: true });
      for (const line of read) {
        if (COLUMNS.some((name) => line[name] === undefined)) throw new Error("it lacks columns of a report");
        const entry = {
          ...line,
          row: Number(line.row),
          seconds: Number(line.seconds),
        } as unknown as ReportLine;
        report.lines.set(entry.row, entry);
      }
    } catch (cause) {
      throw new ToolError(
        ExitCode.Usage,
        `'${path}' is no report of a box (${clauseOf(cause)}); name another file with --report.`,
      );
    }
    return report;
  }

  /** @returns the lines by row */
  all(): ReportLine[] {
    return [...this.lines.values()].sort((a, b) => a.row - b.row);
  }

  of(row: number): ReportLine | undefined {
    return this.lines.get(row);
  }

  /** Puts a line in the place of the row's earlier one, durably. */
  put(line: ReportLine): void {
    this.lines.set(line.row, line);
    const text = stringify(this.all(), { header: true, columns: [...COLUMNS], escape_formulas: true });
    replaceFile(this.path, text, 0o600);
  }
}
