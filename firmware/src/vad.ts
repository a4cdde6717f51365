// Voice activity, in integers: the energy above a noise floor in each of the front end's 24 mel bands, fused with the log odds of
// speech from the front end's network. The floor falls fast and rises slowly; both parts attack fast and release slowly.
// The network looks ahead, so the two meet when its word on a frame has come (LookAhead). About 350 simple operations a frame.
import { frameSeq, LOOK_AHEAD_FRAMES, OFFSET_SPEECH } from "./front-end-frame";

/** Number of bands of a frame. */
export const BANDS = 24;

const LOW_BANDS = 6; // 100 Hz to about 600 Hz: voicing
const HIGH_FROM = 12; // from about 1800 Hz: fricatives. The bands between did not help to tell speech from noise.
const ABOVE_FLOOR_MAX = 64; // 24 dB: a slammed door counts no more than a loud voice
const FLOOR_START_MAX = 60 << 8; // a badge that starts amid speech must not take it for the room
const FLOOR_RISE_MAX_IN_SPEECH = 154; // 0.6 units a frame
const LOUD_ENERGY = 25 << 4;

/** Energy above the noise floor, frame after frame. */
export class BandEnergy {
  /** Smoothed, in sixteenths of a band unit (0.376 dB). */
  smoothed = 0;

  private floors: number[] = []; // band units, 8 fraction bits

  /**
   * Takes the next frame.
   * @param frame bytes with the 24 bands (u8, 8 units an octave of power) from `offset`
   * @returns `smoothed`
   */
  update(frame: Buffer, offset: number): number {
    if (this.floors.length === 0)
      for (let band = 0; band < BANDS; band++)
        this.floors.push(Math.min(frame[offset + band] << 8, FLOOR_START_MAX));
    const change = this.aboveFloor(frame, offset) - this.smoothed;
    this.smoothed += change > 0 ? change >> 1 : change >> 3;
    return this.smoothed;
  }

  private aboveFloor(frame: Buffer, offset: number): number {
    const floors = this.floors;
    const riseMax = this.smoothed > LOUD_ENERGY ? FLOOR_RISE_MAX_IN_SPEECH : 255;
    let low = 0;
    let high = 0;
    for (let band = 0; band < BANDS; band++) {
      const level = frame[offset + band] << 8;
      let above = level - floors[band];
      if (above < 0) {
        floors[band] += above >> 4;
        continue;
      }
      let rise = above >> 8;
      if (rise > riseMax) rise = riseMax;
      floors[band] += rise;
      above >>= 8;
      if (above > ABOVE_FLOOR_MAX) above = ABOVE_FLOOR_MAX;
      if (band < LOW_BANDS) low += above;
      else if (band >= HIGH_FROM) high += above;
    }
    return (36 * low + 5 * high) >> 5; // sixteenths: a band's share is 36/512 of a unit below, 5/512 above
  }
}

/** The network's byte for even odds. */
const EVEN_ODDS = 128;
/** Share of the energy in the fused score: 13/64 of a nat for each band unit. */
const ENERGY_WEIGHT = 13;
const ENERGY_SHIFT = 6;

/** Speech or not, from both, for frames in order. */
export class VoiceActivity {
  /** True while speech is going on. */
  speech = false;
  /** Fused score, in sixteenths of a nat. */
  score = 0;

  private odds = 0;

  /**
   * @param onsetScore score from which speech begins
   * @param releaseScore score below which it ends
   */
  constructor(
    private readonly onsetScore: number,
    private readonly releaseScore: number,
  ) {}

  /**
   * Decides on the next frame.
   * @param energy its smoothed energy
   * @param speechByte the network's log odds for it; 0 when they are not known
   * @returns `speech`
   */
  update(energy: number, speechByte: number): boolean {
    if (speechByte > 0) {
      const change = speechByte - EVEN_ODDS - this.odds;
      this.odds += change > 0 ? change : (change * 5) >> 4;
    }
    this.score = this.odds + ((energy * ENERGY_WEIGHT) >> ENERGY_SHIFT);
    this.speech = this.score >= (this.speech ? this.releaseScore : this.onsetScore);
    return this.speech;
  }
}

/** Holds frames back until the network, which looks ahead, has said what it thinks of them. */
export class LookAhead {
  private held: Buffer[] = [];

  /**
   * Takes the next frame, and what it says about the one LOOK_AHEAD_FRAMES before it over to that one: from then on the byte at
   * OFFSET_SPEECH is about the frame itself, and 0 where the frame that would have told is lost.
   */
  push(frame: Buffer): void {
    const about = frameSeq(frame) - LOOK_AHEAD_FRAMES;
    const speechByte = frame[OFFSET_SPEECH];
    frame[OFFSET_SPEECH] = 0;
    for (const one of this.held) {
      const seq = frameSeq(one);
      if (seq === about) one[OFFSET_SPEECH] = speechByte;
      if (seq >= about) break;
    }
    this.held.push(frame);
  }

  /** @returns the next frame that has waited long enough when frame `newestSeq` is here; undefined when there is none */
  next(newestSeq: number): Buffer | undefined {
    if (this.held.length === 0 || frameSeq(this.held[0]) > newestSeq - LOOK_AHEAD_FRAMES) return undefined;
    return this.held.shift();
  }

  /** @returns all that is held, in order, and holds nothing any more */
  flush(): Buffer[] {
    const rest = this.held;
    this.held = [];
    return rest;
  }
}
