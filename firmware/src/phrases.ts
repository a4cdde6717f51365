// Key phrases on the badge: reads the team's phrases from the settings (docs/phrases.md) and runs the decoder on the front end's
// posteriors while somebody speaks.
import {
  PHRASE_PHONES_TOTAL_MAX,
  PHRASES_MAX,
  type Phrase,
  PhraseDecoder,
  readPhrase,
} from "@salestag/protocol";
import { hasPosteriors, LOOK_AHEAD_FRAMES, OFFSET_POSTERIORS, OFFSET_SPEECH } from "./front-end-frame";

/** A phrase that fell. */
export interface HeardPhrase {
  /** Its place among the badge's phrases. */
  number: number;
  text: string;
  /** First frame, and the first one after it. */
  fromSeq: number;
  toSeq: number;
  /** 1/1024 nat. */
  score: number;
  threshold: number;
}

/** Speech byte from which the decoder runs: odds of 1 to 7, so that no onset of a phrase is missed. */
const LISTEN_BYTE = 96;
/** It goes on for so many vectors after the last such one: 0.6 s. */
const LISTEN_TICKS = 15;

/** Runs the decoder, one vector for every two frames. */
export class Phrases {
  private readonly decoder: PhraseDecoder;
  private readonly texts: string[] = [];
  private readonly thresholds: number[] = [];
  private listenTicks = 0;

  constructor(phrases: Phrase[]) {
    this.decoder = new PhraseDecoder(phrases);
    for (const phrase of phrases) {
      this.texts.push(phrase.text);
      this.thresholds.push(phrase.threshold);
    }
  }

  /** Takes the front end's next frame. @returns a phrase that fell, up to 0.3 s after its end and the front end's look-ahead */
  frame(frame: Buffer, seq: number): HeardPhrase | undefined {
    if (this.texts.length === 0 || !hasPosteriors(frame)) return undefined;
    if (frame[OFFSET_SPEECH] >= LISTEN_BYTE) this.listenTicks = LISTEN_TICKS;
    else if (this.listenTicks > 0) {
      this.listenTicks--;
      if (this.listenTicks === 0) this.decoder.reset();
    }
    if (this.listenTicks === 0) return undefined;
    const tick = (seq - LOOK_AHEAD_FRAMES) >> 1;
    const hit = this.decoder.tick(frame, OFFSET_POSTERIORS, tick);
    if (hit === undefined) return undefined;
    return {
      number: hit.phrase,
      text: this.texts[hit.phrase],
      fromSeq: hit.startTick * 2,
      toSeq: hit.endTick * 2 + 2,
      score: hit.score,
      threshold: this.thresholds[hit.phrase],
    };
  }

  /** Forgets what it is listening to: the front end started again. */
  reset(): void {
    this.decoder.reset();
    this.listenTicks = 0;
  }
}

/**
 * @param read returns a setting's value, null when there is none
 * @param complain told, in a sentence, of every setting that cannot be used
 */
export async function loadPhrases(
  read: (key: string) => Promise<unknown>,
  complain: (sentence: string) => void,
): Promise<Phrase[]> {
  const phrases: Phrase[] = [];
  let phones = 0;
  for (let number = 0; number < PHRASES_MAX; number++) {
    const value = await read(`phrase${number}`);
    if (value === null || value === undefined) break;
    try {
      const phrase = readPhrase(value);
      for (const pronunciation of phrase.pronunciations) phones += pronunciation.length;
      if (phones > PHRASE_PHONES_TOTAL_MAX) {
        complain(
          `phrase${number} and those after it are left out: more than ${PHRASE_PHONES_TOTAL_MAX} phones in all`,
        );
        break;
      }
      phrases.push(phrase);
    } catch (error) {
      complain(`phrase${number} is left out: ${(error as Error).message}`);
    }
  }
  return phrases;
}
