/** @jsxRuntime automatic @jsxImportSource react */
// The monitor on a terminal: its own screen, its keys, the badge that comes and goes. Whatever ends it, the terminal is left as it was found.

import { ExitCode, ToolError } from "@salestag/protocol/team";
import { render } from "ink";
import { Canvas } from "./canvas";
import type { PhraseText } from "./changes";
import { type Input, initialState, type MonitorState } from "./model";
import { reduce } from "./state";
import { View } from "./view";
import { Watch } from "./watch";

export interface ScreenOptions {
  /** See openLine. */
  port: string;
  phraseText: PhraseText;
  /** Unix time in ms, of a clock that never goes back. */
  nowMs: () => number;
  /** Ends it. */
  signal: AbortSignal;
  /** Called when the user wants to quit; aborts the signal. */
  quit: () => void;
}

const DRAW_MS = 100;
const REOPEN_MS = 500;
const COLUMNS_MIN = 20;
const ROWS_MIN = 6;
/** The terminal's second screen, without a cursor; and back. */
const ENTER = "\x1b[?1049h\x1b[?25l";
const LEAVE = "\x1b[?25h\x1b[?1049l";
const CTRL_C = "\x03";

/**
 * Shows a badge until the signal.
 * @throws ToolError when it cannot be opened at first; one that is unplugged later is waited for
 */
export async function monitorOnScreen(options: ScreenOptions): Promise<void> {
  const { port, nowMs, signal } = options;
  let state = initialState(nowMs());
  const take = (input: Input) => {
    state = reduce(state, input, nowMs());
  };
  let watch: Watch | undefined = await Watch.open(port, take);
  const screen = new Screen(options, () => state);
  const ended = new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
  try {
    while (!signal.aborted && watch !== undefined) {
      const why: string | undefined = await Promise.race([watch.gone, ended.then(() => undefined)]);
      await watch.close();
      if (why !== undefined) take({ kind: "gone", why });
      watch = await reopened(port, take, signal, ended);
    }
  } finally {
    screen.close();
  }
}

/** Tries until the badge is there again. @returns undefined when the signal came first */
async function reopened(
  port: string,
  take: (input: Input) => void,
  signal: AbortSignal,
  ended: Promise<void>,
): Promise<Watch | undefined> {
  while (!signal.aborted) {
    try {
      return await Watch.open(port, take);
    } catch (cause) {
      if (!(cause instanceof ToolError) || cause.exitCode !== ExitCode.Badge) throw cause;
    }
    await pause(REOPEN_MS, ended);
  }
  return undefined;
}

async function pause(ms: number, ended: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const over = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([over, ended]);
  clearTimeout(timer);
}

class Screen {
  private readonly stdin = process.stdin;
  private readonly stdout = process.stdout;
  private readonly canvas: Canvas;
  private readonly drawing: ReturnType<typeof render>;
  private readonly timer: NodeJS.Timeout;
  private shown: { state: MonitorState; nowMs: number };
  private paused = false;
  private logOnly = false;
  private open = true;

  constructor(
    private readonly options: ScreenOptions,
    private readonly state: () => MonitorState,
  ) {
    this.shown = { state: state(), nowMs: options.nowMs() };
    process.on("exit", this.close);
    this.stdout.write(ENTER);
    this.stdin.setRawMode(true).on("data", this.key).resume();
    this.stdout.on("resize", this.resized);
    const { columns, rows } = this.size();
    this.canvas = new Canvas(this.stdout, columns, rows);
    this.drawing = render(this.view(), {
      stdout: this.canvas as unknown as NodeJS.WriteStream,
      debug: true, // whole pictures: what of them is new the canvas knows better
      exitOnCtrlC: false,
      patchConsole: false,
    });
    this.timer = setInterval(this.draw, DRAW_MS);
  }

  /** Leaves the terminal as it was found. A second time it does nothing. */
  readonly close = (): void => {
    if (!this.open) return;
    this.open = false;
    clearInterval(this.timer);
    this.stdout.off("resize", this.resized);
    process.off("exit", this.close);
    this.drawing.unmount();
    this.stdin.off("data", this.key).setRawMode(false).pause();
    this.stdout.write(LEAVE);
  };

  private readonly draw = (): void => {
    if (!this.paused) this.shown = { state: this.state(), nowMs: this.options.nowMs() };
    this.drawing.rerender(this.view());
  };

  private readonly key = (bytes: Buffer): void => {
    for (const key of bytes.toString("latin1")) {
      if (key === "q" || key === CTRL_C) this.options.quit();
      else if (key === "p") this.paused = !this.paused;
      else if (key === "l") this.logOnly = !this.logOnly;
      else continue;
      this.draw();
    }
  };

  private readonly resized = (): void => {
    const { columns, rows } = this.size();
    this.canvas.resize(columns, rows);
    this.draw();
  };

  private size(): { columns: number; rows: number } {
    const { columns = 80, rows = 24 } = this.stdout;
    return { columns: Math.max(COLUMNS_MIN, columns - 1), rows: Math.max(ROWS_MIN, rows) }; // see Canvas
  }

  private view() {
    const { port, phraseText } = this.options;
    const { paused, logOnly } = this;
    return <View {...this.shown} {...this.size()} {...{ port, phraseText, paused, logOnly }} />;
  }
}
