// What a person sees of a replay: on a terminal a live picture that is drawn over itself, elsewhere the same picture once, at
// the end.
import { speechBar } from "@salestag/host-tools";
import { FRAME_MS } from "@salestag/protocol";
import type { TraceEvent } from "@salestag/protocol/host";
import { createColors } from "picocolors";

const COLUMNS = 60;
const REDRAW_MS = 50;

/** Takes what happens in a replay. */
export class ReplayView {
  private readonly colors: ReturnType<typeof createColors>;
  private readonly live: boolean;
  private durationMs = 1;
  private playedMs = 0;
  private speech: [fromMs: number, toMs: number][] = [];
  private speechFromMs: number | undefined;
  private turns: [atMs: number, talker: number][] = [];
  private sealedAtMs: number[] = [];
  private sealedBytes = 0;
  private waiting = 0;
  private linesDrawn = 0;
  private drawnAtMs = Number.NEGATIVE_INFINITY;
  private startedAtMs = 0;

  /**
   * @param out where to draw; standard error, so that results alone are on standard output
   * @param phrases texts of the badge's key phrases
   */
  constructor(
    private readonly out: NodeJS.WriteStream,
    private readonly phrases: string[],
  ) {
    this.live = out.isTTY === true && process.env.TERM !== "dumb";
    this.colors = createColors(this.live && !process.env.NO_COLOR);
  }

  /** A line that stays. */
  note(text: string): void {
    if (this.linesDrawn > 0) this.out.write(`\x1b[${this.linesDrawn}A\x1b[J`);
    this.out.write(`${text}\n`);
    this.linesDrawn = 0;
  }

  /** Progress of something before the replay. */
  preparing(what: string, done: number, total: number): void {
    if (!this.live) return;
    const filled = Math.round((COLUMNS * done) / total);
    this.out.write(`\r  ${what} ${"█".repeat(filled)}${"░".repeat(COLUMNS - filled)}`);
    if (done === total) this.out.write("\r\x1b[2K");
  }

  start(durationMs: number): void {
    this.durationMs = Math.max(1, durationMs);
    this.startedAtMs = performance.now();
    this.draw(true);
  }

  trace(event: TraceEvent): void {
    if (event.word === "onset") this.speechFromMs = event.seq * FRAME_MS;
    else if (event.word === "speech") {
      this.speech.push([event.fromSeq * FRAME_MS, event.toSeq * FRAME_MS]);
      this.speechFromMs = undefined;
    } else if (event.word === "chunk") {
      this.sealedAtMs.push(this.playedMs);
      this.sealedBytes += event.bytes;
      this.waiting++;
    } else if (event.word === "turn")
      this.turns.push([((event.fromSeq + event.toSeq) / 2) * FRAME_MS, event.talker]);
    else if (event.word === "phrase")
      this.note(
        `  ${clock(event.fromSeq * FRAME_MS)}  ${this.colors.bold(`"${this.phrases[event.number] ?? "a key phrase"}"`)}`,
      );
    else if (event.word === "acked") this.waiting = event.waiting;
    else if (event.word === "down")
      this.note(`  no connection: ${event.why}; next attempt in ${event.retryMs} ms`);
    this.draw(false);
  }

  progress(playedMs: number): void {
    this.playedMs = playedMs;
    this.draw(false);
  }

  end(): void {
    if (this.live) this.draw(true);
    else this.note(this.lines().join("\n"));
  }

  private draw(force: boolean): void {
    if (!this.live) return;
    const nowMs = performance.now();
    if (!force && nowMs - this.drawnAtMs < REDRAW_MS) return;
    this.drawnAtMs = nowMs;
    const lines = this.lines();
    const up = this.linesDrawn > 0 ? `\x1b[${this.linesDrawn}A` : "";
    this.out.write(`${up}${lines.map((line) => `\x1b[2K${line}\n`).join("")}`);
    this.linesDrawn = lines.length;
  }

  private lines(): string[] {
    const { bold, cyan, dim, green } = this.colors;
    const acked = this.sealedAtMs.length - this.waiting;
    const filled = Math.min(COLUMNS, Math.round((COLUMNS * this.playedMs) / this.durationMs));
    const wallS = (performance.now() - this.startedAtMs) / 1000;
    const speed = wallS > 0.05 ? `${Math.round(this.playedMs / 1000 / wallS)}x` : "";
    const bar = green("█".repeat(filled)) + dim("░".repeat(COLUMNS - filled));
    const kilobytes = (this.sealedBytes / 1000).toFixed(1);
    return [
      `  ${bold("played")}  ${bar} ${clock(this.playedMs)} / ${clock(this.durationMs)} ${speed}`,
      `  ${bold("speech")}  ${cyan(this.speechLane())} ${Math.round(this.speechMs() / 1000)} s`,
      `  ${bold("turns")}   ${this.turnLane()} n near, f far, ? unsure`,
      `  ${bold("chunks")}  ${this.chunkLane(acked)} ${acked} of ${this.sealedAtMs.length} acknowledged, ${kilobytes} kB`,
    ];
  }

  private spans(): [number, number][] {
    if (this.speechFromMs === undefined) return this.speech;
    return [...this.speech, [this.speechFromMs, Math.max(this.playedMs, this.speechFromMs)]];
  }

  private speechMs(): number {
    return this.spans().reduce((sum, [from, to]) => sum + to - from, 0);
  }

  private speechLane(): string {
    const speech = this.spans().map(([startMs, endMs]) => ({ startMs, endMs }));
    return speechBar({ speech, durationMs: this.durationMs }, COLUMNS);
  }

  /** A letter in the middle of each turn. */
  private turnLane(): string {
    const lane = new Array<string>(COLUMNS).fill(" ");
    for (const [atMs, talker] of this.turns)
      lane[Math.min(COLUMNS - 1, Math.floor((COLUMNS * atMs) / this.durationMs))] = "?nf"[talker] ?? "?";
    return lane.join("");
  }

  /** A filled dot where an acknowledged chunk was sealed, an empty one where it still waits. */
  private chunkLane(acked: number): string {
    const lane = new Array<string>(COLUMNS).fill(" ");
    for (const [i, atMs] of this.sealedAtMs.entries())
      lane[Math.min(COLUMNS - 1, Math.floor((COLUMNS * atMs) / this.durationMs))] = i < acked ? "●" : "○";
    return lane.join("");
  }
}

/** @returns minutes and seconds */
export function clock(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}
