// Talk time: how much of the talk is the wearer's, over a sliding window, and how long the wearer has talked on. In minutes' places, so that
// forgetting what is too long ago costs nothing.
import { Talker, zeros } from "@salestag/protocol";

const PLACE_MS = 60000;
/** No share is judged on less talk than this. */
const TALK_MS_MIN = 120000;
/** The wearer is nudged for the same thing at most so often. */
const NUDGE_PAUSE_MS = 300000;

/** Who talked how long. */
export interface TalkTimes {
  windowMs: number;
  nearMs: number;
  farMs: number;
  /** Longest stretch near without a far turn. */
  longestMs: number;
}

export class TalkTime {
  private readonly near: number[];
  private readonly far: number[];
  private minute = 0;
  private monologueMs = 0;
  private longestMs = 0;
  private shareNudgeMs = -NUDGE_PAUSE_MS;
  private monologueNudged = false;

  /**
   * @param windowMs how far back to look
   * @param shareMax percent beyond which the wearer is nudged; 0 for never
   * @param monologueMsMax nudged when talking on for so long; 0 for never
   */
  constructor(
    private readonly windowMs: number,
    private readonly shareMax: number,
    private readonly monologueMsMax: number,
  ) {
    const places = Math.ceil(windowMs / PLACE_MS);
    this.near = zeros(places);
    this.far = zeros(places);
  }

  /** Somebody has spoken. @param endMs when the turn ended, ms since boot */
  turn(talker: Talker, durationMs: number, endMs: number): void {
    this.forget(endMs);
    const place = this.minute % this.near.length;
    if (talker === Talker.Near) {
      this.near[place] += durationMs;
      this.monologueMs += durationMs;
      this.longestMs = Math.max(this.longestMs, this.monologueMs);
    } else if (talker === Talker.Far) {
      this.far[place] += durationMs;
      this.monologueMs = 0;
      this.monologueNudged = false;
    }
  }

  /** @returns who talked how long within the window */
  times(nowMs: number): TalkTimes {
    this.forget(nowMs);
    let nearMs = 0;
    let farMs = 0;
    for (const ms of this.near) nearMs += ms;
    for (const ms of this.far) farMs += ms;
    return { windowMs: this.windowMs, nearMs, farMs, longestMs: this.longestMs };
  }

  /** True once when the wearer's share has passed the limit, and again after some minutes. */
  shareIsOver(nowMs: number): boolean {
    if (this.shareMax === 0 || nowMs - this.shareNudgeMs < NUDGE_PAUSE_MS) return false;
    const { nearMs, farMs } = this.times(nowMs);
    const talkMs = nearMs + farMs;
    if (talkMs < TALK_MS_MIN || nearMs * 100 <= talkMs * this.shareMax) return false;
    this.shareNudgeMs = nowMs;
    return true;
  }

  /** True once for each time that the wearer talks on for too long. */
  monologueIsOver(): boolean {
    if (this.monologueMsMax === 0 || this.monologueNudged || this.monologueMs < this.monologueMsMax)
      return false;
    this.monologueNudged = true;
    return true;
  }

  /** A conversation is over: the next one has its own longest stretch. */
  end(): void {
    this.monologueMs = 0;
    this.longestMs = 0;
    this.monologueNudged = false;
  }

  private forget(nowMs: number): void {
    const minute = Math.floor(nowMs / PLACE_MS);
    const places = this.near.length;
    if (minute - this.minute > places) this.minute = minute - places;
    while (this.minute < minute) {
      this.minute++;
      this.near[this.minute % places] = 0;
      this.far[this.minute % places] = 0;
    }
  }
}
