// A badge at the end of a cable, in real time: a Jacdac client on its bus, and the lines that it logs, out of the byte stream in
// the runtime's USB framing.
import { randomBytes } from "node:crypto";
import {
  disablePacketsFrame,
  enablePacketsFrame,
  encodeUsb,
  JacdacClient,
  UsbDecoder,
} from "@salestag/protocol/jacdac";
import { ExitCode, ToolError } from "@salestag/protocol/team";
import { type ByteLine, openLine } from "./byte-line";

const TICK_MS = 25;
const ENABLE_MS = 100;
/** Bytes for the badge that may wait in this process; a port that takes none is gone. */
const UNSENT_BYTES_MAX = 64 * 1024;

export class BadgePort {
  readonly client: JacdacClient;
  /** Resolves when the port is gone, with the reason, or "" when this side closed it. */
  readonly gone: Promise<string>;
  /** How often the badge or the line lost something: frames, log text, damaged bytes. */
  losses = 0;

  private readonly lines = new Set<(line: string) => void>();
  private readonly frames = new Set<(frame: Buffer) => void>();
  private readonly tick: NodeJS.Timeout;
  private readonly enable: NodeJS.Timeout;
  private closing = false;
  private tellGone: (why: string) => void = () => undefined;

  private constructor(
    /** As it was named when it was opened. */
    readonly port: string,
    private readonly line: ByteLine,
  ) {
    this.gone = new Promise((resolve) => {
      this.tellGone = resolve;
    });
    this.client = new JacdacClient(randomBytes(8).toString("hex"), (frame) => this.send(frame));
    const decoder = this.decoder();
    line.stream.on("data", (bytes: Buffer) => decoder.push(bytes));
    line.stream.on("error", (error) => this.lost(error.message));
    line.stream.on("close", () => this.lost("unplugged"));
    this.tick = setInterval(() => this.client.tick(performance.now()), TICK_MS);
    this.enable = setInterval(() => this.send(enablePacketsFrame()), ENABLE_MS);
    this.client.tick(performance.now());
    this.send(enablePacketsFrame());
  }

  /**
   * Opens a badge's port and asks it for its bus.
   * @param port see openLine
   * @throws ToolError when it cannot be opened
   */
  static async open(port: string): Promise<BadgePort> {
    return new BadgePort(port, await openLine(port));
  }

  /** Hears every line that the badge logs. @returns a function that ends it */
  onLine(listener: (line: string) => void): () => void {
    this.lines.add(listener);
    return () => this.lines.delete(listener);
  }

  /** Hears every frame on the badge's bus. @returns a function that ends it */
  onFrame(listener: (frame: Buffer) => void): () => void {
    this.frames.add(listener);
    return () => this.frames.delete(listener);
  }

  /** Lets go of the badge. Resolves when the port is free for others. */
  async close(): Promise<void> {
    if (this.closing) return;
    this.closing = true;
    this.stop("the port was closed.");
    this.tellGone("");
    this.line.stream.write(encodeUsb(disablePacketsFrame()));
    await this.line.close();
  }

  private decoder(): UsbDecoder {
    return new UsbDecoder({
      frame: (bytes) => {
        clearInterval(this.enable);
        this.client.receive(bytes);
        for (const listener of this.frames) listener(bytes);
      },
      line: (text) => {
        for (const listener of this.lines) listener(text);
      },
      dropped: () => {
        this.losses++;
      },
    });
  }

  private send(frame: Buffer): void {
    const { stream } = this.line;
    if (this.closing || stream.destroyed || stream.writableLength > UNSENT_BYTES_MAX) return;
    stream.write(encodeUsb(frame));
  }

  private lost(why: string): void {
    if (this.closing) return;
    this.closing = true;
    this.stop(`the badge at ${this.port} is gone (${why}): plug it in again.`);
    this.tellGone(why);
  }

  private stop(why: string): void {
    clearInterval(this.tick);
    clearInterval(this.enable);
    this.client.end(new ToolError(ExitCode.Badge, why));
  }
}
