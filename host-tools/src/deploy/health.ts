// Is the program that was just started in a badge well? It says so by itself, a line every two seconds; one that ends by a mistake is
// told of by the runtime, and one that takes the runtime with it is seen by the badge's vanishing or beginning to count anew.
import { parseTrace } from "@salestag/protocol/host";
import {
  decodeFrame,
  EVENT_NUMBER_MAX,
  eventNumberIn,
  JD_INDEX_CONTROL,
  type JdService,
  panicCodeIn,
} from "@salestag/protocol/jacdac";
import type { BadgePort } from "../usb/badge-port";

/** undefined: well. Else what is wrong, to go after "it". */
export type Verdict = string | undefined;

/** The lines by which the program shows that it runs, with keys or without. */
const SIGNS = new Set(["ready", "health", "unprovisioned"]);
/** A program that has shown itself must live this long after it. */
const SETTLE_MS = 2500;
/** A second sign after this long shows the same, sooner. */
const SECOND_SIGN_MS = 1500;

export class HealthWatch {
  /** What is known to be wrong by now. */
  failure: Verdict;

  private firstSignMs: number | undefined;
  private settled = false;
  /** Announcements of the badge's runtime since it started, 15 for that many or more. */
  private announcements = 0;
  /** Number of the newest event of the manager. */
  private eventNumber: number | undefined;
  private changed: () => void = () => undefined;
  private readonly stops: (() => void)[];

  /** Begins to listen. @param nowMs time in ms, from any origin */
  constructor(
    port: BadgePort,
    private readonly manager: JdService,
    private readonly nowMs: () => number,
  ) {
    this.stops = [port.onLine((line) => this.line(line)), port.onFrame((frame) => this.frame(frame))];
    void port.gone.then(() => this.fail("vanished from its port: it restarts, or the cable was pulled"));
  }

  /** What came so far was of another program. */
  forget(): void {
    this.failure = undefined;
    this.firstSignMs = undefined;
    this.settled = false;
  }

  /** @param withinMs how long the program may take to show itself */
  async verdict(withinMs: number): Promise<Verdict> {
    const silentMs = this.nowMs() + withinMs;
    while (this.failure === undefined && !this.settled) {
      const untilMs = this.firstSignMs === undefined ? silentMs : this.firstSignMs + SETTLE_MS;
      if (this.nowMs() >= untilMs) break;
      await this.change(untilMs - this.nowMs());
    }
    if (this.failure !== undefined || this.firstSignMs !== undefined) return this.failure;
    return `did not say within ${withinMs / 1000} s that it runs`;
  }

  end(): void {
    for (const stop of this.stops) stop();
  }

  private change(atMostMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, atMostMs);
      this.changed = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  private line(line: string): void {
    const word = parseTrace(line)?.word;
    if (word === undefined || !SIGNS.has(word)) return;
    this.firstSignMs ??= this.nowMs();
    if (this.nowMs() - this.firstSignMs >= SECOND_SIGN_MS) this.settled = true;
    this.changed();
  }

  private frame(bytes: Buffer): void {
    const frame = decodeFrame(bytes);
    if (frame === undefined || frame.deviceId !== this.manager.deviceId) return;
    for (const { serviceIndex, command, data } of frame.packets) {
      if (serviceIndex === this.manager.serviceIndex && this.isNewEvent(command)) this.event(command, data);
      if (serviceIndex === JD_INDEX_CONTROL && command === 0 && data.length >= 4)
        this.announced(data[0] & 15);
    }
  }

  private event(command: number, data: Buffer): void {
    const code = panicCodeIn(command, data);
    if (code === 0) this.fail("restarts itself");
    else if (code !== undefined) this.fail(`ended by a mistake (panic ${code})`);
  }

  /** Each event comes three times; the last copy may come when the next program is there already. */
  private isNewEvent(command: number): boolean {
    const number = eventNumberIn(command);
    if (number === undefined) return false;
    const ahead = (number - (this.eventNumber ?? number - 1)) & EVENT_NUMBER_MAX;
    if (ahead === 0 || ahead > EVENT_NUMBER_MAX / 2) return false;
    this.eventNumber = number;
    return true;
  }

  private announced(count: number): void {
    if (count < this.announcements) this.fail("made the badge restart");
    this.announcements = count;
  }

  private fail(why: string): void {
    this.failure ??= why;
    this.changed();
  }
}
