// Takes whole pictures, lines of text with colours, and writes to the terminal only the lines that changed, each at its place. Nothing is erased
// that is drawn again, so nothing flickers.
import { EventEmitter } from "node:events";

/** A terminal that knows of it shows all of it at once; others ignore these. */
const BEGIN = "\x1b[?2026h";
const END = "\x1b[?2026l";
const BLANK = "\x1b[2J";
const ERASE_TO_END = "\x1b[K";

/** Passes for the terminal where the drawing library writes. Lines must be shorter than the terminal is wide. */
export class Canvas extends EventEmitter {
  readonly isTTY = true;
  readonly writable = true;
  private lines: string[] = [];
  private blank = true;

  constructor(
    private readonly out: { write(text: string): unknown },
    public columns: number,
    public rows: number,
  ) {
    super();
  }

  /** Takes a picture, its lines parted by line breaks. What goes beyond the terminal's height is left out. */
  write(picture: string): boolean {
    const before = this.lines;
    this.lines = picture.split("\n").slice(0, this.rows);
    const changed = this.blank ? [BLANK] : [];
    for (let row = 0; row < Math.max(before.length, this.lines.length); row++) {
      const line = this.lines[row] ?? "";
      if (line !== before[row]) changed.push(`\x1b[${row + 1};1H${line}${ERASE_TO_END}`);
    }
    this.blank = false;
    if (changed.length > 0) this.out.write(`${BEGIN}${changed.join("")}${END}`);
    return true;
  }

  /** The terminal has another size now: the next picture is drawn from the beginning. */
  resize(columns: number, rows: number): void {
    this.columns = columns;
    this.rows = rows;
    this.lines = [];
    this.blank = true;
    this.emit("resize");
  }
}
