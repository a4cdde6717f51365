// Voice activity from the front end's 24 mel bands, in integers: a noise floor for each band that falls fast and rises
// slowly, the energy above it weighted towards the lowest and the highest bands, a fast attack and a slow release.
// Works frame by frame (20 ms), without looking ahead; about 350 simple operations a frame.

/** Number of bands of a frame. */
export const BANDS = 24;

const LOW_BANDS = 6; // 100 Hz to about 600 Hz: voicing
const HIGH_FROM = 12; // from about 1800 Hz: fricatives. The bands between did not help to tell speech from noise.
const ABOVE_FLOOR_MAX = 64; // 24 dB: a slammed door counts no more than a loud voice
const FLOOR_START_MAX = 60 << 8; // a badge that starts amid speech must not take it for the room
const FLOOR_RISE_MAX_IN_SPEECH = 154; // 0.6 units a frame
const LOUD_SCORE = 25 << 4;

/** Speech or not, frame after frame. */
export class VoiceActivity {
  /** True while speech is going on. */
  speech = false;
  /** Smoothed energy above the floor, in sixteenths of a band unit (0.376 dB). */
  score = 0;

  private floors: number[] = []; // band units, 8 fraction bits

  /**
   * @param onsetScore score from which speech begins
   * @param releaseScore score below which it ends
   */
  constructor(
    private readonly onsetScore: number,
    private readonly releaseScore: number,
  ) {}

  /**
   * Takes the next frame.
   * @param frame bytes with the 24 bands (u8, 8 units an octave of power) from `offset`
   * @returns `speech`
   */
  update(frame: Buffer, offset: number): boolean {
    const energy =
      this.floors.length === 0 ? this.start(frame, offset) : this.energyAboveFloor(frame, offset);
    const change = energy - this.score;
    this.score += change > 0 ? change >> 1 : change >> 3;
    this.speech = this.score >= (this.speech ? this.releaseScore : this.onsetScore);
    return this.speech;
  }

  private start(frame: Buffer, offset: number): number {
    for (let band = 0; band < BANDS; band++)
      this.floors.push(Math.min(frame[offset + band] << 8, FLOOR_START_MAX));
    return this.energyAboveFloor(frame, offset);
  }

  private energyAboveFloor(frame: Buffer, offset: number): number {
    const floors = this.floors;
    const riseMax = this.score > LOUD_SCORE ? FLOOR_RISE_MAX_IN_SPEECH : 255;
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
