// Counts what a simulated badge does that costs power: from what it logs, what passes its socket, what its flash chip is asked, and the time in its virtual
// machine.
import { noUsage, type Usage } from "@salestag/hardware/power";
import { RADIO } from "@salestag/hardware/power-data";
import { ChunkKind, FRAME_MS } from "@salestag/protocol";
import { parseTrace, type TraceEvent } from "@salestag/protocol/host";
import {
  ASKING,
  BATTERY_LOW,
  MUTED,
  NO_NETWORK,
  OFF,
  PAUSED,
  type Pattern,
  READY,
  RECORDING,
  REFUSED,
  STORAGE_FAILED,
  STORAGE_FULL,
} from "../../../firmware/src/indicators";
import { ESP32_SLOWER } from "../../src/replay";
import type { SimulatedBadge } from "../../src/simulate/badge";

const PATTERNS: Pattern[] = [
  ...[MUTED, STORAGE_FAILED, STORAGE_FULL, ASKING, RECORDING, REFUSED],
  ...[PAUSED, OFF, BATTERY_LOW, NO_NETWORK, READY],
];
/** Of the badge's program at the reference clock, against the clock that it runs at. */
const SLOWER_AT_160_MHZ = 240 / 160;

export class Meter {
  private readonly sum: Usage = noUsage();
  private readonly vmStartMs: number;
  private pattern: Pattern = OFF;
  private patternMs = 0;
  private upMs = -1;
  private upVmMs = 0;
  private upAwakeMs = 0;
  private awakeUntilMs = 0;

  /** @param startMs virtual time from which it counts */
  constructor(
    private readonly badge: SimulatedBadge,
    private readonly startMs: number,
  ) {
    this.vmStartMs = badge.vmMs();
    this.patternMs = startMs;
  }

  /** Takes a line that the badge logged. */
  line(text: string, atMs: number): void {
    const event = parseTrace(text);
    if (event === undefined) return;
    if (event.word === "shows") this.shows(event.pattern, atMs);
    else if (event.word === "chunk" && event.kind === ChunkKind.Audio)
      this.sum.keptMs += event.count * FRAME_MS;
    else if (event.word === "speech") this.sum.speechMs += (event.toSeq - event.fromSeq) * FRAME_MS;
    else if (event.word === "nudge") this.sum.buzzes += 2;
    else this.link(event, atMs);
  }

  /** Takes note of a packet, either way. */
  bytes(toRelay: boolean, bytes: number, atMs: number): void {
    if (toRelay) this.sum.sentBytes += bytes;
    else this.sum.receivedBytes += bytes;
    const untilMs = atMs + RADIO.awakeAfterPacketMs.value;
    this.sum.radioAwakeMs += untilMs - Math.max(atMs, Math.min(this.awakeUntilMs, untilMs));
    this.awakeUntilMs = untilMs;
  }

  /** @returns all since the start */
  total(nowMs: number): Usage {
    this.lit(nowMs);
    const { chip } = this.badge;
    const elapsedMs = nowMs - this.startMs;
    return {
      ...this.sum,
      elapsedMs,
      inReachMs: elapsedMs,
      connectedMs: this.sum.connectedMs + (this.upMs < 0 ? 0 : nowMs - this.upMs),
      programMs: this.programMs() - this.vmStartMs * ESP32_SLOWER,
      flashReads: chip.reads,
      flashPrograms: chip.programs,
      flashErases: chip.erases,
    };
  }

  private programMs(): number {
    return this.badge.vmMs() * ESP32_SLOWER;
  }

  private link(event: TraceEvent, atMs: number): void {
    if (event.word === "up") {
      this.sum.connections++;
      this.upMs = atMs;
      this.upVmMs = this.programMs();
      this.upAwakeMs = this.sum.radioAwakeMs;
    } else if ((event.word === "down" || event.word === "rest") && this.upMs >= 0) {
      this.sum.connectedMs += atMs - this.upMs;
      this.upMs = -1;
      if (event.word === "rest") this.burst();
    }
  }

  /** The program takes no virtual time: a burst of many chunks lasts as long as the badge takes to read and send them. */
  private burst(): void {
    const busyMs = (this.programMs() - this.upVmMs) * SLOWER_AT_160_MHZ;
    this.sum.radioAwakeMs = Math.max(this.sum.radioAwakeMs, this.upAwakeMs + busyMs);
  }

  private shows(name: string, atMs: number): void {
    this.lit(atMs);
    const pattern = PATTERNS.find((one) => one.name === name);
    if (pattern === undefined)
      throw new Error(`the badge shows '${name}', which firmware/src/indicators.ts does not have`);
    this.pattern = pattern;
    this.sum.tones += pattern.tones;
    this.sum.buzzes += pattern.buzzes;
  }

  /** Counts the light up to now. */
  private lit(nowMs: number): void {
    const { light, everyS } = this.pattern;
    if (light !== 0) this.sum.lightMs += (nowMs - this.patternMs) / everyS;
    this.patternMs = nowMs;
  }
}

/** @returns what came between two totals */
export function between(from: Usage, to: Usage): Usage {
  const slice = { ...to };
  for (const name of Object.keys(slice) as (keyof Usage)[]) slice[name] -= from[name];
  return slice;
}
