// What a field tech may set of a badge's hearing, of its conversations, of its coaching and of when it sends. The setting `tuning` holds any of these fields as a JSON
// object (docs/provisioning.md); what it leaves out keeps its default.
import { FormatError } from "./errors";

/** All of it. */
export interface Tuning {
  /** Frames of 20 ms kept from before the first frame of speech. */
  preRollFrames: number;
  /** Frames kept after the last frame of speech. */
  hangoverFrames: number;
  /** Speech score, in sixteenths of a nat, from which a frame is speech: lower hears more, and more that is none. */
  onsetScore: number;
  /** Speech score below which speech ends; not above the other one. */
  releaseScore: number;
  /** Time without speech that ends a conversation. */
  conversationGapMs: number;
  /** Longest conversation. */
  conversationMsMax: number;
  /** 1: a full outbox gives up what is oldest; 0: it takes no more. */
  dropOldest: number;
  /** The badge looks back so far for who talked how long. */
  talkWindowMs: number;
  /** Share of the talk, in percent, beyond which the wearer is nudged; 0 for never. */
  talkShareMax: number;
  /** The wearer is nudged when talking on for so long; 0 for never. */
  monologueMsMax: number;
  /**
   * The badge connects to the relay so often, sends all that waits and leaves again; 0: it stays connected. A key phrase, a check and an outbox that is
   * half full do not wait.
   */
  uploadEveryMs: number;
}

export const TUNING_DEFAULT: Tuning = {
  preRollFrames: 20,
  hangoverFrames: 20,
  onsetScore: 36,
  releaseScore: 24,
  conversationGapMs: 30000,
  conversationMsMax: 2 * 3600 * 1000,
  dropOldest: 0,
  talkWindowMs: 600000,
  talkShareMax: 0,
  monologueMsMax: 0,
  uploadEveryMs: 0,
};

/**
 * @param set some of the fields, as a setting or a command line gives them
 * @returns all of them
 * @throws FormatError with a sentence when a field is unknown, or out of its range
 */
export function tuningWith(set: Partial<Tuning>): Tuning {
  const names = Object.keys(TUNING_DEFAULT);
  for (const name of Object.keys(set))
    if (names.indexOf(name) < 0) throw new FormatError(`there is nothing to tune that is called '${name}'`);
  const tuning = { ...TUNING_DEFAULT, ...set };
  within("preRollFrames", tuning.preRollFrames, 0, 30);
  within("hangoverFrames", tuning.hangoverFrames, 0, 250);
  within("onsetScore", tuning.onsetScore, -64, 160);
  within("releaseScore", tuning.releaseScore, -64, tuning.onsetScore);
  within("conversationGapMs", tuning.conversationGapMs, 1000, 600000);
  within("conversationMsMax", tuning.conversationMsMax, 10000, 8 * 3600 * 1000);
  within("dropOldest", tuning.dropOldest, 0, 1);
  within("talkWindowMs", tuning.talkWindowMs, 60000, 3600000);
  within("talkShareMax", tuning.talkShareMax, 0, 100);
  within("monologueMsMax", tuning.monologueMsMax, 0, 3600000);
  within("uploadEveryMs", tuning.uploadEveryMs, 0, 3600000);
  return tuning;
}

function within(name: string, value: number, min: number, max: number): void {
  if (typeof value !== "number" || value !== Math.floor(value) || value < min || value > max)
    throw new FormatError(`${name} must be a whole number from ${min} to ${max}, got ${value}`);
}
