// What the wearer means with the one button: short is "mark", twice is "yes", long is "no" or "pause".

/** A gesture that is complete. */
export enum Gesture {
  None = 0,
  Short = 1,
  Twice = 2,
  Long = 3,
}

/** Two presses so close are one gesture. */
const TWICE_MS_MAX = 500;
/** A press that lasts so long is a long one, at once. */
const LONG_MS_MIN = 1000;

/** Makes gestures of a button's ups and downs. Times are ms since boot. */
export class Presses {
  private downMs = -1;
  private upMs = -1;
  private presses = 0;

  down(nowMs: number): void {
    this.downMs = nowMs;
  }

  up(nowMs: number): void {
    if (this.downMs < 0) return; // it was long, and is told already
    this.downMs = -1;
    this.upMs = nowMs;
    this.presses++;
  }

  /** To be called a few times a second while `isBusy`. @returns a gesture that is complete by now */
  tick(nowMs: number): Gesture {
    if (this.downMs >= 0 && nowMs - this.downMs >= LONG_MS_MIN) {
      this.downMs = -1;
      this.presses = 0;
      return Gesture.Long;
    }
    if (this.presses >= 2) {
      this.presses = 0;
      return Gesture.Twice;
    }
    if (this.presses === 1 && this.downMs < 0 && nowMs - this.upMs >= TWICE_MS_MAX) {
      this.presses = 0;
      return Gesture.Short;
    }
    return Gesture.None;
  }

  /** True while a gesture may be under way. */
  isBusy(): boolean {
    return this.downMs >= 0 || this.presses > 0;
  }
}
