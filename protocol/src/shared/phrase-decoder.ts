// Finds key phrases in the front end's phone posteriors by token passing, in integers (docs/phrases.md, "The decoder"). The
// badge runs it, and the tools run it to find thresholds: one source, equal scores.
import { phoneClassAt } from "./phones";
import type { Phrase } from "./phrases";

/** Time of a tick: one posterior vector for every two hops. */
export const TICK_MS = 40;

/** Longest stay in one phone, in ticks. */
const AGE_MAX = 9;
/** Added to every tick of a path, 1/4 nat: keeps it from rushing through its phones. */
const PATH_BONUS = 14;
/** A path whose total falls below this, 1/4 nat, is given up. */
const TOTAL_MIN = -24;
/** Posterior byte of 0 nat. */
const POSTERIOR_ZERO = 8;
/** 256 / age, rounded: a sum in 1/4 nat times this is a mean in 1/1024 nat. */
const MEAN_FACTORS = [0, 256, 128, 85, 64, 51, 43, 37, 32, 28];

// A state's age, start and sum share one integer; 0 is a dead state.
const AGE_MASK = 15;
const START_SHIFT = 4;
const START_MASK = 4095;
const SUM_SHIFT = 16;
const SUM_ZERO = 256;

/** The best path through the phones of one pronunciation. */
export class PronunciationPath {
  private readonly phones: number[] = [];
  /** Score that leads the path, 1/4 nat. */
  private readonly totals: number[] = [];
  /** Sum of the means of the phones before, 1/1024 nat. */
  private readonly done: number[] = [];
  private readonly states: number[] = [];

  /** @param pronunciation one character for each phone */
  constructor(pronunciation: string) {
    for (let i = 0; i < pronunciation.length; i++) {
      this.phones.push(phoneClassAt(pronunciation, i));
      this.totals.push(0);
      this.done.push(0);
      this.states.push(0);
    }
  }

  /** Forgets every path. */
  reset(): void {
    for (let j = 0; j < this.states.length; j++) this.states[j] = 0;
  }

  /**
   * Takes the next vector.
   * @param vector bytes with the 40 posteriors from `offset`
   * @param tick number of the vector
   * @returns true when a path has reached the last phone
   */
  step(vector: Buffer, offset: number, tick: number): boolean {
    const phones = this.phones;
    const totals = this.totals;
    const states = this.states;
    const last = phones.length - 1;
    for (let j = last; j > 0; j--) {
      const here = states[j];
      const before = states[j - 1];
      if (here === 0 && before === 0) continue;
      const score = POSTERIOR_ZERO - vector[offset + phones[j]];
      const age = here & AGE_MASK;
      const stays = age > 0 && age < AGE_MAX && (before === 0 || totals[j] >= totals[j - 1]);
      if (!stays && before === 0) {
        states[j] = 0;
        continue;
      }
      const total = (stays ? totals[j] : totals[j - 1]) + score + PATH_BONUS;
      totals[j] = total;
      if (total < TOTAL_MIN) states[j] = 0;
      else if (stays) states[j] = here + 1 + (score << SUM_SHIFT);
      else {
        this.done[j] = this.done[j - 1] + meanOf(before);
        states[j] = ((score + SUM_ZERO) << SUM_SHIFT) | (before & (START_MASK << START_SHIFT)) | 1;
      }
    }
    this.enter(POSTERIOR_ZERO - vector[offset + phones[0]], tick);
    return states[last] !== 0;
  }

  /** The first phone: a path may begin at any tick. */
  private enter(score: number, tick: number): void {
    const here = this.states[0];
    const age = here & AGE_MASK;
    const stays = age > 0 && age < AGE_MAX && this.totals[0] >= 0;
    const total = (stays ? this.totals[0] : 0) + score + PATH_BONUS;
    this.totals[0] = total;
    if (total < TOTAL_MIN) this.states[0] = 0;
    else if (stays) this.states[0] = here + 1 + (score << SUM_SHIFT);
    else this.states[0] = ((score + SUM_ZERO) << SUM_SHIFT) | ((tick & START_MASK) << START_SHIFT) | 1;
  }

  /** Score of the path that reached the last phone, times the number of phones, 1/1024 nat; only after `step` said true. */
  scoreTimesPhones(): number {
    const last = this.states.length - 1;
    return this.done[last] + meanOf(this.states[last]);
  }

  /** Score of that path: the mean over phones of each phone's mean, 1/1024 nat. */
  score(): number {
    return (this.scoreTimesPhones() / this.states.length) | 0; // towards zero
  }

  /** Tick at which that path began. @param tick the present one */
  startTick(tick: number): number {
    const start = (this.states[this.states.length - 1] >> START_SHIFT) & START_MASK;
    return tick - ((tick - start) & START_MASK);
  }
}

/** Mean score of a live state's phone, 1/1024 nat. */
function meanOf(state: number): number {
  return ((state >> SUM_SHIFT) - SUM_ZERO) * MEAN_FACTORS[state & AGE_MASK];
}

/** A phrase that was heard. */
export interface PhraseHit {
  phrase: Phrase;
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

/** A pronunciation with what its phrase says about it. */
interface Listener {
  phrase: Phrase;
  path: PronunciationPath;
  /** Threshold times phones: compared before anything is divided. */
  scoreTimesPhonesMin: number;
}

/** Listens for several phrases at once. */
export class PhraseDecoder {
  private readonly listeners: Listener[] = [];
  private best: PhraseHit | undefined = undefined;
  private bestMargin = 0;
  private lastHit: PhraseHit | undefined = undefined;

  constructor(phrases: Phrase[]) {
    for (const phrase of phrases)
      for (const pronunciation of phrase.pronunciations)
        this.listeners.push({
          phrase,
          path: new PronunciationPath(pronunciation),
          scoreTimesPhonesMin: phrase.threshold * pronunciation.length,
        });
  }

  /** Forgets every path and what was about to be reported; the next vector may have any number. */
  reset(): void {
    for (const listener of this.listeners) listener.path.reset();
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
    for (const listener of this.listeners)
      if (
        listener.path.step(vector, offset, tick) &&
        listener.path.scoreTimesPhones() > listener.scoreTimesPhonesMin
      )
        this.consider(listener, tick);
    const best = this.best;
    if (best === undefined || tick - best.endTick < SETTLE_TICKS) return undefined;
    this.best = undefined;
    this.lastHit = best;
    return best;
  }

  private consider(listener: Listener, tick: number): void {
    const phrase = listener.phrase;
    const score = listener.path.score();
    const margin = score - phrase.threshold;
    if (this.best !== undefined && margin <= this.bestMargin) return;
    const startTick = listener.path.startTick(tick);
    const lastHit = this.lastHit;
    if (lastHit !== undefined) {
      if (startTick <= lastHit.endTick) return; // what was heard is not heard twice
      if (phrase === lastHit.phrase && tick - lastHit.endTick < REFRACTORY_TICKS) return;
    }
    this.best = { phrase, startTick, endTick: tick, score };
    this.bestMargin = margin;
  }
}
