// Shows how a box goes on: on a terminal a table that is drawn again where it stands, elsewhere a line for each badge that ended, or JSON.
import type { Output } from "../commands/output";
import type { BoxEvent } from "./box";
import type { ReportLine } from "./box-report";

const LABEL_WIDTH = 24;

/** See the top of the file. */
export class BoxTable {
  /** What is being worked on, by row. */
  private readonly current = new Map<number, BoxEvent>();
  private readonly states = new Map<number, ReportLine["state"]>();
  private drawn = 0;

  /** @param earlier what an earlier run left */
  constructor(
    private readonly output: Output,
    private readonly json: boolean,
    private readonly rows: number,
    earlier: ReportLine[],
  ) {
    for (const { row, state } of earlier) this.states.set(row, state);
    if (!json) this.draw();
  }

  event(event: BoxEvent): void {
    const { row, line } = event;
    if (line === undefined) this.current.set(row, event);
    else {
      this.current.delete(row);
      this.states.set(row, line.state);
      this.above(this.json ? JSON.stringify(line) : this.ended(line));
    }
    this.draw();
  }

  stranger(port: string, why: string): void {
    this.above(this.json ? JSON.stringify({ port, why }) : `${port}: ${why}`);
    this.draw();
  }

  /** The last drawing goes; what ended stays. */
  end(): void {
    this.wipe();
    if (!this.json) this.output.notice(this.summary());
  }

  private ended({ row, label, state, badge, hardware, why, seconds }: ReportLine): string {
    const { green, red } = this.output.colors;
    const what = state === "ready" ? green(`ready   ${badge}`) : red(`failed  ${why}`);
    return `${String(row).padStart(4)}  ${label.slice(0, LABEL_WIDTH).padEnd(LABEL_WIDTH)}  ${hardware}  ${seconds.toFixed(1).padStart(5)} s  ${what}`;
  }

  private summary(): string {
    const states = [...this.states.values()];
    const ready = states.filter((state) => state === "ready").length;
    const failed = states.length - ready;
    const bar = "#".repeat(Math.round((20 * ready) / this.rows)).padEnd(20, ".");
    return `[${bar}] ${ready} of ${this.rows} ready, ${failed} failed`;
  }

  private above(text: string): void {
    this.wipe();
    this.output.line(text);
  }

  private wipe(): void {
    if (this.drawn > 0) process.stderr.write(`\x1b[${this.drawn}A\x1b[J`);
    this.drawn = 0;
  }

  private draw(): void {
    if (this.json || process.stderr.isTTY !== true) return;
    this.wipe();
    const columns = (process.stderr.columns || 80) - 1;
    const working = [...this.current.values()].map(
      ({ row, label, port, step }) =>
        `${String(row).padStart(4)}  ${label.slice(0, LABEL_WIDTH).padEnd(LABEL_WIDTH)}  ${step} (${port})`,
    );
    const waiting = working.length === 0 ? ["      plug a badge in"] : working;
    const lines = [...waiting, this.summary()].map((line) => line.slice(0, columns));
    process.stderr.write(`${lines.join("\n")}\n`);
    this.drawn = lines.length;
  }
}
