// Near or far: who spoke, turn by turn, from how loud the turn is among all that this conversation has heard. The wearer is usually
// 8 to 15 dB above others; where the conversation does not fall into two groups the answer is "unsure".
//
// Speech is cut into pieces at pauses, and at 2 s. A piece's level is that of its loudest quarter. The levels of the conversation, weighted by
// time, make a histogram; it is cut where it separates best (Otsu, 1979), and what lies nearer to the louder group's mean is near, if the
// means are far enough apart and both groups have been heard long enough. Neighbouring pieces of one class become a turn. Integers throughout.
import { Talker, zeros } from "@salestag/protocol";

/** Levels come in half decibels below full scale, 0 to 255; histograms have 2 dB a place. */
const PLACE_SHIFT = 2;
const PLACES = 64;
/** A pause of so many frames ends a piece; one of PAUSE_TURN_FRAMES a turn. */
const PAUSE_PIECE_FRAMES = 8;
const PAUSE_TURN_FRAMES = 40;
const PIECE_FRAMES_MAX = 100;
/** A shorter piece says nothing by itself: it goes with what was before. */
const PIECE_FRAMES_MIN = 10;
/** Frames of speech that a group needs before it counts. */
const GROUP_FRAMES_MIN = 75;
/** Distance of the groups' means below which they are not two, in half decibels: 5 dB. */
const SEPARATION_MIN = 10;
/** A piece so close to the cut is neither, in half decibels: 1 dB. */
const MARGIN = 2;
/** The history is halved at so many frames: a minute and a half of speech. */
const HISTORY_FRAMES_MAX = 4500;

/** A stretch in which one person spoke. */
export interface Turn {
  /** First frame, and the first one after it. */
  fromSeq: number;
  toSeq: number;
  talker: Talker;
  /** Half decibels below full scale. */
  level: number;
}

/** Most frames end no turn: they share one list. Never written to. */
const NO_TURNS: Turn[] = [];

function joined(first: Turn[], second: Turn[]): Turn[] {
  const all = first.slice();
  for (const turn of second) all.push(turn);
  return all;
}

/** Levels and for how long they were heard. */
class Levels {
  readonly frames = zeros(PLACES);
  total = 0;

  add(level: number, count: number): void {
    this.frames[level >> PLACE_SHIFT] += count;
    this.total += count;
  }

  clear(): void {
    for (let place = 0; place < PLACES; place++) this.frames[place] = 0;
    this.total = 0;
  }

  halve(): void {
    this.total = 0;
    for (let place = 0; place < PLACES; place++) {
      this.frames[place] >>= 1;
      this.total += this.frames[place];
    }
  }

  /** @returns the level that a quarter of the frames are as loud as, or louder */
  loudQuarter(): number {
    let left = this.total >> 2;
    for (let place = 0; place < PLACES; place++) {
      left -= this.frames[place];
      if (left < 0) return (place << PLACE_SHIFT) + (1 << (PLACE_SHIFT - 1));
    }
    return 255;
  }
}

/** Follows who speaks in one conversation. */
export class Talkers {
  private readonly piece = new Levels();
  private readonly history = new Levels();
  private pieceFromSeq = -1;
  private lastSpeechSeq = -1;
  private turn: Turn | undefined = undefined;
  private turnFrames = 0;

  /**
   * Takes the next frame; the numbers of frames that were lost are a pause.
   * @param level half decibels below full scale
   * @returns turns that have ended, seldom any: the talker before and, after many lost frames, the one who spoke last
   */
  frame(seq: number, speech: boolean, level: number): Turn[] {
    let ended = NO_TURNS;
    const pauseFrames = seq - this.lastSpeechSeq;
    if (
      this.pieceFromSeq >= 0 &&
      (pauseFrames > PAUSE_PIECE_FRAMES || seq - this.pieceFromSeq >= PIECE_FRAMES_MAX)
    )
      ended = this.endPiece();
    if (this.turn !== undefined && this.pieceFromSeq < 0 && pauseFrames > PAUSE_TURN_FRAMES)
      ended = joined(ended, this.endTurn());
    if (!speech) return ended;
    if (this.pieceFromSeq < 0) this.pieceFromSeq = seq;
    this.piece.add(level, 1);
    this.lastSpeechSeq = seq;
    return ended;
  }

  /** The conversation is over. @returns its last turns */
  end(): Turn[] {
    const before = this.pieceFromSeq >= 0 ? this.endPiece() : NO_TURNS;
    this.history.clear();
    return joined(before, this.endTurn());
  }

  /** Ends the piece and lets it join or end the turn. @returns the turn before, if the talker has changed */
  private endPiece(): Turn[] {
    const frames = this.piece.total;
    const level = this.piece.loudQuarter();
    const piece = { fromSeq: this.pieceFromSeq, toSeq: this.lastSpeechSeq + 1, talker: Talker.Unsure, level };
    this.piece.clear();
    this.pieceFromSeq = -1;
    const turn = this.turn;
    if (frames >= PIECE_FRAMES_MIN) {
      this.history.add(level, frames);
      if (this.history.total > HISTORY_FRAMES_MAX) this.history.halve();
      piece.talker = this.classify(level);
    } else if (turn !== undefined) piece.talker = turn.talker;
    if (turn !== undefined && turn.talker === piece.talker) {
      const all = this.turnFrames + frames;
      turn.level = Math.round((turn.level * this.turnFrames + level * frames) / all);
      turn.toSeq = piece.toSeq;
      this.turnFrames = all;
      return NO_TURNS;
    }
    const before = this.endTurn();
    this.turn = piece;
    this.turnFrames = frames;
    return before;
  }

  /** @returns the turn, if there is one */
  private endTurn(): Turn[] {
    const turn = this.turn;
    this.turn = undefined;
    this.turnFrames = 0;
    return turn === undefined ? NO_TURNS : [turn];
  }

  /** Near, far or unsure: where a level lies to the best cut through the history. */
  private classify(level: number): Talker {
    const frames = this.history.frames;
    const total = this.history.total;
    let sum = 0;
    for (let place = 0; place < PLACES; place++) sum += place * frames[place];
    let nearFrames = 0;
    let nearSum = 0;
    let bestSpread = 0;
    let middle = -1;
    let separation = 0;
    for (let place = 0; place < PLACES - 1; place++) {
      nearFrames += frames[place];
      nearSum += place * frames[place];
      const farFrames = total - nearFrames;
      if (nearFrames < GROUP_FRAMES_MIN || farFrames < GROUP_FRAMES_MIN) continue;
      const near = nearSum / nearFrames;
      const far = (sum - nearSum) / farFrames;
      const apart = far - near;
      const spread = apart * apart * nearFrames * farFrames;
      if (spread <= bestSpread) continue;
      bestSpread = spread;
      middle = ((near + far + 1) * (1 << PLACE_SHIFT)) >> 1; // a place's level is that of its middle
      separation = apart * (1 << PLACE_SHIFT);
    }
    if (middle < 0 || separation < SEPARATION_MIN) return Talker.Unsure;
    if (level > middle + MARGIN) return Talker.Far;
    return level < middle - MARGIN ? Talker.Near : Talker.Unsure;
  }
}
