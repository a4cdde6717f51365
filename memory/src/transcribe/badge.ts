// What the badge itself heard, as a transcript, where no transcriber is set: who spoke when, and the key phrases that fell, without anything between them.
import { BADGE_SOURCE, type Transcript, type Turn } from "../model/transcript";
import { spread } from "./clean";
import { type BadgeTurn, SPEAKER_OF, settled } from "./turns";

/** A key phrase that the badge heard. Times are ms after the conversation's start. */
export interface BadgePhrase {
  startMs: number;
  endMs: number;
  text: string;
  /** The further the score is above the threshold, the surer, nats. */
  scoreNats: number;
  thresholdNats: number;
}

/**
 * @param turns of the badge, in any order
 * @param phrases in any order; of two at one time the surer one counts; one that lies in no turn is a turn of somebody unsure
 * @param language of the team's phrases
 */
export function badgeTranscript(
  turns: readonly BadgeTurn[],
  phrases: readonly BadgePhrase[],
  durationMs: number,
  language: string,
): Transcript {
  const made: Turn[] = settled(turns).map(({ startMs, endMs, talker }) => ({
    speaker: SPEAKER_OF[talker],
    startMs,
    endMs,
    text: "",
    words: [],
  }));
  for (const phrase of surest(phrases)) turnOf(phrase, made).words.push(...wordsOf(phrase));
  for (const turn of made) turn.text = turn.words.map(({ text }) => text).join(" ");
  made.sort((a, b) => a.startMs - b.startMs);
  return { source: BADGE_SOURCE, language, durationMs, turns: made };
}

/** @returns phrases in order of their start, none at the time of another */
function surest(phrases: readonly BadgePhrase[]): BadgePhrase[] {
  const sure = ({ scoreNats, thresholdNats }: BadgePhrase) => scoreNats - thresholdNats;
  const kept: BadgePhrase[] = [];
  for (const phrase of phrases.toSorted((a, b) => sure(b) - sure(a)))
    if (kept.every((other) => other.endMs <= phrase.startMs || other.startMs >= phrase.endMs))
      kept.push(phrase);
  return kept.sort((a, b) => a.startMs - b.startMs);
}

/** @returns the turn that shares the most time with the phrase; a new one where none does */
function turnOf({ startMs, endMs }: BadgePhrase, turns: Turn[]): Turn {
  const shared = (turn: Turn) => Math.min(endMs, turn.endMs) - Math.max(startMs, turn.startMs);
  const best = turns.reduce<Turn | undefined>(
    (found, turn) => (shared(turn) > (found === undefined ? 0 : shared(found)) ? turn : found),
    undefined,
  );
  if (best !== undefined) return best;
  const turn: Turn = { speaker: "unsure", startMs, endMs, text: "", words: [] };
  turns.push(turn);
  return turn;
}

function wordsOf({ text, startMs, endMs }: BadgePhrase) {
  return spread(
    text.split(/\s+/).filter((word) => word !== ""),
    startMs,
    endMs,
  );
}
