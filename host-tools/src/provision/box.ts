// A whole box of badges: gives each badge that is plugged in its line of the list, several at a time, and keeps the report.
import { ExitCode, messageOf, ToolError } from "@salestag/protocol/team";
import type { BoxRow } from "./box-file";
import type { BoxReport, ReportLine } from "./box-report";

/** A port that came or went. */
export interface PortChange {
  change: "plugged" | "unplugged";
  port: { path: string };
}

/** A badge at an open port. */
export interface PluggedBadge {
  /** 16 hexadecimal digits. */
  hardware: string;
  /**
   * Makes it ready; rejects with the cause and the remedy.
   * @param again an earlier try with this badge failed, and may have left keys on it
   * @returns its badge id
   */
  ready(row: BoxRow, again: boolean, onStep: (step: string) => void): Promise<string>;
  /** Lets go of the port. */
  close(): Promise<void>;
}

/** What is being done with a badge, for who looks on. */
export interface BoxEvent {
  row: number;
  label: string;
  port: string;
  /** A few words, or how it ended. */
  step: string;
  line?: ReportLine;
}

export interface BoxOptions {
  rows: BoxRow[];
  report: BoxReport;
  /** Ports that come and go, until the signal; those that are there come first. */
  changes: (signal: AbortSignal) => AsyncIterable<PortChange>;
  /** Opens a badge's port and asks it for its hardware id. */
  connect: (port: string) => Promise<PluggedBadge>;
  /** Badges that are worked on at the same time. */
  parallel: number;
  /** Unix time in ms. */
  nowMs: () => number;
  onEvent: (event: BoxEvent) => void;
  /** Said when a badge came for which there is no line. */
  onStranger: (port: string, why: string) => void;
  signal: AbortSignal;
}

/**
 * Runs until every line is ready or was tried in this run, or until the signal. Before that a badge that failed is tried again when it is
 * plugged in again.
 */
export async function provisionBox(options: BoxOptions): Promise<void> {
  const over = new AbortController();
  const box = new Box(options, () => over.abort());
  box.look();
  const signal = AbortSignal.any([over.signal, options.signal]);
  for await (const { change, port } of options.changes(signal))
    if (change === "plugged") box.plugged(port.path);
  await box.idle();
}

class Box {
  private readonly working = new Set<Promise<void>>();
  private readonly taken = new Set<number>();
  /** Rows that were tried in this run. */
  private readonly tried = new Set<number>();
  private readonly queue: string[] = [];
  /** Ports that are worked on. */
  private readonly busy = new Set<string>();

  constructor(
    private readonly options: BoxOptions,
    private readonly onOver: () => void,
  ) {}

  /** Looks whether no line waits for a badge any more. */
  look(): void {
    const { rows, report } = this.options;
    const done = ({ row }: BoxRow) => report.of(row)?.state === "ready" || this.tried.has(row);
    if (this.working.size === 0 && this.queue.length === 0 && rows.every(done)) this.onOver();
  }

  /** A port that is worked on may seem to come again, when the system changes something about it. */
  plugged(port: string): void {
    if (this.busy.has(port) || this.queue.includes(port)) return;
    this.queue.push(port);
    this.next();
  }

  async idle(): Promise<void> {
    await Promise.all(this.working);
  }

  private next(): void {
    while (this.working.size < this.options.parallel && !this.options.signal.aborted) {
      const port = this.queue.shift();
      if (port === undefined) return;
      this.busy.add(port);
      const work: Promise<void> = this.one(port).finally(() => {
        this.working.delete(work);
        this.busy.delete(port);
        this.next();
        this.look();
      });
      this.working.add(work);
    }
  }

  private async one(port: string): Promise<void> {
    const { connect, onStranger } = this.options;
    let badge: PluggedBadge;
    try {
      badge = await connect(port);
    } catch (cause) {
      onStranger(port, messageOf(cause));
      return;
    }
    try {
      const row = this.rowFor(badge.hardware);
      if (row === undefined) onStranger(port, this.whyNone(badge.hardware));
      else await this.work(port, badge, row);
    } finally {
      await badge.close();
    }
  }

  /** Its own line; one that it failed with before; else the first that waits for any badge; else one whose badge failed in an earlier run. */
  private rowFor(hardware: string): BoxRow | undefined {
    const { rows, report } = this.options;
    const free = rows.filter(({ row }) => !this.taken.has(row) && report.of(row)?.state !== "ready");
    if (this.isReady(hardware)) return undefined;
    const open = free.filter(({ hardware: meant }) => meant === undefined);
    return (
      free.find((row) => row.hardware === hardware) ??
      open.find(({ row }) => report.of(row)?.hardware === hardware) ??
      open.find(({ row }) => report.of(row) === undefined) ??
      open.find(({ row }) => !this.tried.has(row))
    );
  }

  private isReady(hardware: string): boolean {
    return this.options.report.all().some((line) => line.hardware === hardware && line.state === "ready");
  }

  private whyNone(hardware: string): string {
    return this.isReady(hardware)
      ? `badge ${hardware} is ready already, by the report`
      : `the list has no line left for badge ${hardware}`;
  }

  private async work(port: string, badge: PluggedBadge, row: BoxRow): Promise<void> {
    const { nowMs, onEvent, report } = this.options;
    const { hardware } = badge;
    const { label } = row.plan;
    const startMs = nowMs();
    this.taken.add(row.row);
    const tell = (step: string, line?: ReportLine) => onEvent({ row: row.row, label, port, step, line });
    const ended = (state: ReportLine["state"], id: string, why: string) => {
      const seconds = Math.round((nowMs() - startMs) / 100) / 10;
      const at = new Date(nowMs()).toISOString();
      const line = { row: row.row, label, hardware, badge: id, state, why, seconds, at };
      report.put(line);
      tell(state, line);
    };
    tell("starts");
    const again = report.all().some((line) => line.hardware === hardware);
    try {
      ended("ready", await badge.ready(row, again, (step) => tell(step)), "");
    } catch (cause) {
      if (cause instanceof ToolError && cause.exitCode === ExitCode.Interrupted) return;
      ended("failed", "", messageOf(cause));
    } finally {
      this.tried.add(row.row);
      this.taken.delete(row.row);
    }
  }
}
