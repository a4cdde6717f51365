// Puts together what was said and who spoke: a transcriber's words and the badge's turns become a transcript.
import type { Speaker, Transcript, Turn, Word } from "../model/transcript";
import type { Heard } from "./transcriber";
import { type BadgeTurn, SPEAKER_OF, settled } from "./turns";

/** A pause as long ends a turn. */
export const TURN_PAUSE_MS = 1500;
/** A word without any turn of the badge goes to one that is as near. */
const NEAR_TURN_MS = 500;
/** A single word between two of another speaker is theirs, where no pause as long is around it and the badge was not sure of it. */
const FLICKER_PAUSE_MS = 400;
/** A turn as short the badge may have misjudged. */
const FLICKER_TURN_MS = 300;

/** A word, who said it, and whether the badge's turns leave a doubt. */
interface Spoken {
  word: Word;
  speaker: Speaker;
  doubtful: boolean;
}

/**
 * @param heard words in order
 * @param turns of the badge, in any order
 * @param source what the transcriber calls itself
 */
export function transcriptOf(
  heard: Heard,
  turns: readonly BadgeTurn[],
  source: string,
  durationMs: number,
): Transcript {
  const known = settled(turns);
  const spoken = steady(heard.words.map((word) => spokenBy(word, known)));
  return { source, language: heard.language, durationMs, turns: turnsOf(spoken) };
}

/** @returns speaker of the turn that shares the most time with the word, else of the nearest one within reach */
function spokenBy({ text, startMs, endMs }: Word, turns: readonly BadgeTurn[]): Spoken {
  const word = { text, startMs, endMs };
  const shared = (turn: BadgeTurn) => Math.min(endMs, turn.endMs) - Math.max(startMs, turn.startMs);
  let best: BadgeTurn | undefined;
  // Less than nothing shared is the distance.
  let bestMs = -NEAR_TURN_MS - 1;
  for (const turn of turns) {
    if (turn.startMs > endMs + NEAR_TURN_MS) break;
    if (shared(turn) > bestMs) [best, bestMs] = [turn, shared(turn)];
  }
  if (best === undefined) return { word, speaker: "unsure", doubtful: true };
  const doubtful = bestMs < (endMs - startMs) / 2 || best.endMs - best.startMs < FLICKER_TURN_MS;
  return { word, speaker: SPEAKER_OF[best.talker], doubtful: doubtful || best.talker === "unsure" };
}

/** Single words that seem to be somebody else's, amid another's speech, without a pause and in doubt, are the other's. */
function steady(spoken: Spoken[]): Spoken[] {
  const result = [...spoken];
  for (let at = 1; at + 1 < result.length; at++) {
    const [before, here, after] = [result[at - 1], result[at], result[at + 1]];
    if (!here.doubtful || before.speaker !== after.speaker || here.speaker === before.speaker) continue;
    const pauseMs = Math.min(here.word.startMs - before.word.endMs, after.word.startMs - here.word.endMs);
    if (pauseMs < FLICKER_PAUSE_MS) result[at] = { ...here, speaker: before.speaker };
  }
  return result;
}

function turnsOf(spoken: Spoken[]): Turn[] {
  const turns: Turn[] = [];
  for (const { word, speaker } of spoken) {
    const last = turns.at(-1);
    if (last !== undefined && last.speaker === speaker && word.startMs - last.endMs < TURN_PAUSE_MS) {
      last.words.push(word);
      last.endMs = Math.max(last.endMs, word.endMs);
    } else turns.push({ speaker, startMs: word.startMs, endMs: word.endMs, text: "", words: [word] });
  }
  for (const turn of turns) turn.text = turn.words.map(({ text }) => text).join(" ");
  return turns;
}
