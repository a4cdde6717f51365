// Finds key phrases in the front end's phone posteriors by token passing, in integers (docs/phrases.md, "The decoder"). The
// badge runs it, and the tools run it to find thresholds: one source, equal scores.
import { zeros } from "./bytes";
import { phoneClassAt } from "./phones";
import type { Phrase } from "./phrases";

/** Time of a tick: one posterior vector for every two hops. */
export const TICK_MS = 40;

/** Longest stay in one phone, in ticks. */
const AGE_MAX = 9;
/** Added to every tick of a path, 1/4 nat: keeps it from rushing through its phones. */
const PATH_BONUS = 14;
/** A path whose total falls below this, 1/4 nat, is given up. */
const TOTAL_MIN = -16;
/** Posterior byte of 0 nat. */
const POSTERIOR_ZERO = 8;
/** 256 / age, rounded: a sum in 1/4 nat times this is a mean in 1/1024 nat. */
const MEAN_FACTORS = [0, 256, 128, 85, 64, 51, 43, 37, 32, 28];

// A live state is two integers, because the badge's heap holds 8 bytes for each number whatever its size.
// Place: age in 4 bits, start in 12, total + 32 in 14; 0 is a dead state. Score: sum of the phone + 256 in 10 bits, sum of the means of
// the phones before + 2^18 in 19.
const AGE_MASK = 15;
const START_SHIFT = 4;
const START_MASK = 4095;
const TOTAL_SHIFT = 16;
const TOTAL_ZERO = 32;
const SUM_MASK = 1023;
const SUM_ZERO = 256;
const DONE_SHIFT = 10;
const DONE_ZERO = 1 << 18;
/** A tick of age. */
const AGE_ONE = 1;
const START_BITS = START_MASK << START_SHIFT;
/** The lowest live place; above 0, because -16 + 32 is. */
const PLACE_MIN = (TOTAL_MIN + TOTAL_ZERO) << TOTAL_SHIFT;

/**
 * The best path through the phones of each of some pronunciations. All of them share a few arrays: an object for each would take
 * more of the badge's heap than its path.
 */
export class PronunciationPaths {
  /** Where each pronunciation begins in the arrays, and where the last one ends. */
  private readonly starts: number[] = [0];
  private readonly phones: Buffer;
  private readonly places: number[];
  private readonly scores: number[];
  /** Of each pronunciation: its highest live state, or its first one. */
  private readonly tops: number[] = [];

  /** @param pronunciations one character for each phone */
  constructor(pronunciations: string[]) {
    let count = 0;
    for (const pronunciation of pronunciations) {
      this.tops.push(count);
      count += pronunciation.length;
      this.starts.push(count);
    }
    this.phones = Buffer.alloc(count);
    let at = 0;
    for (const pronunciation of pronunciations)
      for (let i = 0; i < pronunciation.length; i++) this.phones[at++] = phoneClassAt(pronunciation, i);
    this.places = zeros(count);
    this.scores = zeros(count);
  }

  /** Forgets every path. */
  reset(): void {
    for (let j = 0; j < this.places.length; j++) this.places[j] = 0;
  }

  /**
   * Takes the next vector for one pronunciation.
   * @param p its number
   * @param vector bytes with the 40 posteriors from `offset`
   * @param tick number of the vector
   * @returns true when a path has reached the last phone
   */
  step(p: number, vector: Buffer, offset: number, tick: number): boolean {
    const phones = this.phones;
    const places = this.places;
    const scores = this.scores;
    const first = this.starts[p];
    const last = this.starts[p + 1] - 1;
    // Everything above the highest live state is dead, and only the next one can come to life. Written out without calls: this loop is
    // most of what hearing costs the badge.
    let top = this.tops[p];
    let j = top < last ? top + 1 : last;
    top = first;
    let here = places[j];
    while (j > first) {
      const before = places[j - 1];
      if (here !== 0 || before !== 0) {
        const score = POSTERIOR_ZERO - vector[offset + phones[j]];
        const age = here & AGE_MASK;
        const total = age === AGE_MAX ? 0 : here >> TOTAL_SHIFT; // none to stay in: 0, like a dead one, below every live one's
        const totalBefore = before >> TOTAL_SHIFT;
        let place = 0;
        if (total >= totalBefore) {
          if (total > 0) {
            place = here + AGE_ONE + ((score + PATH_BONUS) << TOTAL_SHIFT);
            scores[j] += score;
          }
        } else {
          place = ((totalBefore + score + PATH_BONUS) << TOTAL_SHIFT) | (before & START_BITS) | AGE_ONE;
          const scoreBefore = scores[j - 1];
          const mean = ((scoreBefore & SUM_MASK) - SUM_ZERO) * MEAN_FACTORS[before & AGE_MASK];
          scores[j] = (((scoreBefore >> DONE_SHIFT) + mean) << DONE_SHIFT) | (score + SUM_ZERO);
        }
        if (place < PLACE_MIN) place = 0;
        else if (top === first) top = j;
        places[j] = place;
      }
      here = before;
      j--;
    }
    this.tops[p] = top;
    this.enter(first, POSTERIOR_ZERO - vector[offset + phones[first]], tick);
    return places[last] !== 0;
  }

  /** The first phone: a path may begin at any tick. */
  private enter(first: number, score: number, tick: number): void {
    const here = this.places[first];
    const total = (here & AGE_MASK) === AGE_MAX ? 0 : here >> TOTAL_SHIFT;
    let place: number;
    if (total >= TOTAL_ZERO) {
      place = here + AGE_ONE + ((score + PATH_BONUS) << TOTAL_SHIFT);
      this.scores[first] += score;
    } else {
      place =
        ((TOTAL_ZERO + score + PATH_BONUS) << TOTAL_SHIFT) | ((tick & START_MASK) << START_SHIFT) | AGE_ONE;
      this.scores[first] = (DONE_ZERO << DONE_SHIFT) | (score + SUM_ZERO);
    }
    this.places[first] = place < PLACE_MIN ? 0 : place;
  }

  /** Score of the path that reached the last phone, times the number of phones, 1/1024 nat; only after `step` said true. */
  scoreTimesPhones(p: number): number {
    const last = this.starts[p + 1] - 1;
    return (this.scores[last] >> DONE_SHIFT) - DONE_ZERO + meanOf(this.places[last], this.scores[last]);
  }

  /** Score of that path: the mean over phones of each phone's mean, 1/1024 nat. */
  score(p: number): number {
    return (this.scoreTimesPhones(p) / (this.starts[p + 1] - this.starts[p])) | 0; // towards zero
  }

  /** Tick at which that path began. @param tick the present one */
  startTick(p: number, tick: number): number {
    const start = (this.places[this.starts[p + 1] - 1] >> START_SHIFT) & START_MASK;
    return tick - ((tick - start) & START_MASK);
  }
}

/** Mean score of a live state's phone, 1/1024 nat. */
function meanOf(place: number, score: number): number {
  return ((score & SUM_MASK) - SUM_ZERO) * MEAN_FACTORS[place & AGE_MASK];
}

/** A phrase that was heard. */
export interface PhraseHit {
  /** Its number among the phrases. */
  phrase: number;
  /** Ticks of its first and its last vector. */
  startTick: number;
  endTick: number;
  /** 1/1024 nat. */
  score: number;
}

/** A hit is reported when it has not been beaten for so many ticks. */
const SETTLE_TICKS = 3;
/** The same phrase is not heard again for so many ticks after its end. */
const REFRACTORY_TICKS = 25;

/** Listens for several phrases at once. Keeps nothing of them but phones and thresholds. */
export class PhraseDecoder {
  private readonly paths: PronunciationPaths;
  private readonly thresholds: number[] = [];
  /** Of each pronunciation: the number of its phrase, and the threshold times phones, compared before anything is divided. */
  private readonly phraseOf: number[] = [];
  private readonly scoresMin: number[] = [];
  private best: PhraseHit | undefined = undefined;
  private bestMargin = 0;
  private lastHit: PhraseHit | undefined = undefined;

  constructor(phrases: Phrase[]) {
    const pronunciations: string[] = [];
    for (const phrase of phrases) {
      for (const pronunciation of phrase.pronunciations) {
        pronunciations.push(pronunciation);
        this.phraseOf.push(this.thresholds.length);
        this.scoresMin.push(phrase.threshold * pronunciation.length);
      }
      this.thresholds.push(phrase.threshold);
    }
    this.paths = new PronunciationPaths(pronunciations);
  }

  /** Forgets every path and what was about to be reported; the next vector may have any number. */
  reset(): void {
    this.paths.reset();
    this.best = undefined;
    this.lastHit = undefined;
  }

  /**
   * Takes the next vector.
   * @param vector bytes with the 40 posteriors from `offset`
   * @param tick its number, one more than the last one's
   * @returns a phrase that was heard, 3 ticks after its end
   */
  tick(vector: Buffer, offset: number, tick: number): PhraseHit | undefined {
    const paths = this.paths;
    for (let p = 0; p < this.phraseOf.length; p++)
      if (paths.step(p, vector, offset, tick) && paths.scoreTimesPhones(p) > this.scoresMin[p])
        this.consider(p, tick);
    const best = this.best;
    if (best === undefined || tick - best.endTick < SETTLE_TICKS) return undefined;
    this.best = undefined;
    this.lastHit = best;
    return best;
  }

  private consider(p: number, tick: number): void {
    const phrase = this.phraseOf[p];
    const score = this.paths.score(p);
    const margin = score - this.thresholds[phrase];
    if (this.best !== undefined && margin <= this.bestMargin) return;
    const startTick = this.paths.startTick(p, tick);
    const lastHit = this.lastHit;
    if (lastHit !== undefined) {
      if (startTick <= lastHit.endTick) return; // what was heard is not heard twice
      if (phrase === lastHit.phrase && tick - lastHit.endTick < REFRACTORY_TICKS) return;
    }
    this.best = { phrase, startTick, endTick: tick, score };
    this.bestMargin = margin;
  }
}
