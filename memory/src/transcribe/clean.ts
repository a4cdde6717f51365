// Makes sound words of what a recogniser answered: one word each, in order, inside the audio, without sounds in brackets and without loops.
import { lettersOf } from "./answer";
import { type HeardWord, type RawText, TranscriptionError } from "./transcriber";

/** Nobody speaks faster: what has more words is no transcript. */
const WORDS_PER_S_MAX = 15;
const WORDS_ALLOWED_ALWAYS = 50;
const WORD_CHARACTERS_MAX = 100;
/** Whisper's audio is filled up to 30 s: it may place a last word a little behind the end. */
const BEYOND_END_MS = 1000;
/** Longest group of words that is looked for in a loop. */
const LOOP_WORDS_MAX = 12;
/** So often in a row nobody says a word, or a group of words. */
const LOOP_TIMES_MIN_WORD = 8;
const LOOP_TIMES_MIN_GROUP = 5;
/** Sounds in brackets have at most so many words: "[MUSIC PLAYING]". */
const SOUND_WORDS_MAX = 5;
const SOUND_ENDS: Record<string, string> = { "[": "]", "(": ")", "*": "*", "♪": "♪" };

/** Sound words, in the audio's time. */
export interface Cleaned {
  words: HeardWord[];
  /** How many of them have no times of their own. */
  spreadWords: number;
  notes: string[];
}

/** A word whose times are NaN where they are not known. */
type Timed = HeardWord & { spread: boolean };

/**
 * @param texts words or longer stretches, as they came
 * @param durationMs of the audio
 * @throws TranscriptionError for an answer that cannot be about this audio
 */
export function clean(texts: readonly RawText[], durationMs: number): Cleaned {
  const notes: string[] = [];
  const note = (count: number, words: string) => count > 0 && notes.push(`${words}: ${count}`);
  const all = texts.flatMap((text) => split(text, durationMs));
  const spoken = withoutSounds(all);
  note(all.length - spoken.length, "words left out that tell of a sound, such as [music]");
  const once = withoutLoops(spoken);
  note(spoken.length - once.length, "words left out that repeat the ones before them again and again");
  const inside = once.filter(({ startMs }) => !(startMs > durationMs + BEYOND_END_MS));
  note(once.length - inside.length, "words left out that are said to fall after the end of the audio");
  check(once.length, inside.length, durationMs);
  note(
    dropDisorder(inside),
    "words whose times were out of order, and that got times between their neighbours'",
  );
  const spreadWords = inside.filter(({ spread, startMs }) => spread || Number.isNaN(startMs)).length;
  return { words: fill(inside, durationMs), spreadWords, notes };
}

function check(count: number, inside: number, durationMs: number): void {
  if (inside < count / 2)
    throw new TranscriptionError(
      `it placed ${count - inside} of ${count} words after the end of an audio of ${durationMs} ms: are its times in seconds?`,
      "later",
    );
  if (inside > WORDS_ALLOWED_ALWAYS + (durationMs / 1000) * WORDS_PER_S_MAX)
    throw new TranscriptionError(
      `it heard ${inside} words in ${durationMs} ms, more than anybody can speak`,
      "later",
    );
}

/** One word each, without characters that no text has; several in one text share its time by their lengths. */
function split({ text, startMs, endMs }: RawText, durationMs: number): Timed[] {
  const words = text
    .replace(/[\p{Cc}\p{Cs}]/gu, " ")
    .split(/\s+/)
    .filter((word) => word !== "");
  const known = Number.isFinite(startMs) && Number.isFinite(endMs) && startMs >= -BEYOND_END_MS;
  const from = known ? Math.max(0, startMs) : Number.NaN;
  const to = known ? Math.max(from, from > durationMs ? endMs : Math.min(endMs, durationMs)) : Number.NaN;
  return spread(
    words.map((word) => word.slice(0, WORD_CHARACTERS_MAX)),
    from,
    to,
  ).map((word) => ({ ...word, spread: words.length > 1 }));
}

/** @returns the words, one after the other over the time, the longer ones longer */
export function spread(words: readonly string[], startMs: number, endMs: number): HeardWord[] {
  const total = words.reduce((sum, word) => sum + word.length, 0);
  let before = 0;
  return words.map((text) => {
    const at = (characters: number) => Math.round(startMs + ((endMs - startMs) * characters) / total);
    const word = { text, startMs: at(before), endMs: at(before + text.length) };
    before += text.length;
    return word;
  });
}

function withoutSounds(words: Timed[]): Timed[] {
  const kept: Timed[] = [];
  for (let at = 0; at < words.length; at++) {
    const end = SOUND_ENDS[words[at].text[0]];
    const length = end === undefined ? -1 : soundLength(words, at, end);
    if (length < 0) kept.push(words[at]);
    else at += length - 1;
  }
  return kept;
}

/** @returns number of words of the sound that begins here, -1 where it does not end soon */
function soundLength(words: Timed[], at: number, end: string): number {
  for (let length = 1; length <= SOUND_WORDS_MAX && at + length <= words.length; length++) {
    const { text } = words[at + length - 1];
    if (text.length > (length === 1 ? 1 : 0) && text.replace(/[.,!?]+$/, "").endsWith(end)) return length;
  }
  return words[at].text === "♪" ? 1 : -1;
}

/** Of a group of words that is said again and again the first stays. */
function withoutLoops(words: Timed[]): Timed[] {
  const letters = words.map(({ text }) => lettersOf(text));
  const repeated = new Set<number>();
  for (let group = 1; group <= LOOP_WORDS_MAX; group++) {
    const timesMin = group === 1 ? LOOP_TIMES_MIN_WORD : LOOP_TIMES_MIN_GROUP;
    let same = 0;
    for (let at = group; at <= words.length; at++) {
      if (at < words.length && letters[at] === letters[at - group] && letters[at] !== "") {
        same++;
        continue;
      }
      if (same >= (timesMin - 1) * group) for (let i = at - same; i < at; i++) repeated.add(i);
      same = 0;
    }
  }
  return words.filter((_, at) => !repeated.has(at));
}

/**
 * Words come in the order in which they were spoken; times that contradict it are forgotten, as few as possible: all but a longest run that does not go back.
 * @returns number of words that lost their times
 */
function dropDisorder(words: Timed[]): number {
  const tails: number[] = []; // place of the last word of the best run of each length
  const before: number[] = [];
  for (let at = 0; at < words.length; at++) {
    if (Number.isNaN(words[at].startMs)) continue;
    let [low, high] = [0, tails.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (words[tails[middle]].startMs <= words[at].startMs) low = middle + 1;
      else high = middle;
    }
    before[at] = low > 0 ? tails[low - 1] : -1;
    tails[low] = at;
  }
  const inOrder = new Set<number>();
  for (let at = tails.at(-1) ?? -1; at >= 0; at = before[at]) inOrder.add(at);
  const lost = words.filter((word, at) => !inOrder.has(at) && !Number.isNaN(word.startMs));
  for (const word of lost) [word.startMs, word.endMs] = [Number.NaN, Number.NaN];
  return lost.length;
}

/** Gives words without times the time between their neighbours, and ends every word where the next one starts at the latest. */
function fill(words: Timed[], durationMs: number): HeardWord[] {
  const filled: HeardWord[] = [];
  for (let at = 0; at < words.length; at++) {
    if (!Number.isNaN(words[at].startMs)) {
      filled.push(words[at]);
      continue;
    }
    const run = [words[at].text];
    while (at + 1 < words.length && Number.isNaN(words[at + 1].startMs)) run.push(words[++at].text);
    const toMs = words[at + 1]?.startMs ?? durationMs;
    filled.push(...spread(run, Math.min(filled.at(-1)?.endMs ?? 0, toMs), toMs));
  }
  return filled.map(({ text, startMs, endMs }, at) => {
    const nextMs = filled[at + 1]?.startMs ?? durationMs;
    const from = Math.min(startMs, durationMs, nextMs);
    return { text, startMs: from, endMs: Math.max(from, Math.min(endMs, nextMs, durationMs)) };
  });
}
