// The part that all transcribers have in common: a conversation goes to the recogniser in parts, and what comes back is checked and put in its place in time.
import { decode, oggOf, wavOf } from "./audio";
import { clean } from "./clean";
import { type CutLimits, cut, PACKET_MS, type Part, placeOf } from "./cut";
import { languageTagOf, UNKNOWN_LANGUAGE } from "./language";
import {
  type AudioFile,
  type AudioFormat,
  type Heard,
  type HeardWord,
  type Recogniser,
  type Speech,
  type Transcriber,
  TranscriptionError,
} from "./transcriber";

export const CUT_DEFAULTS: CutLimits = { partMsMax: 600_000, silenceKeptMs: 500 };

/** What was heard in one part, in the conversation's time. */
interface HeardPart extends Heard {
  unreadable: number;
}

/**
 * @param language of the conversations, where it is known: BCP 47
 * @returns a transcriber that asks for one part after the other; where one fails, the whole conversation fails
 */
export function inParts(recogniser: Recogniser, limits: CutLimits, language?: string): Transcriber {
  return {
    name: recogniser.name,
    async transcribe(speech, signal) {
      const parts = cut(placed(speech), limits);
      const heard: HeardPart[] = [];
      for (const part of parts) heard.push(await hear(recogniser, part, signal));
      return together(heard, language);
    },
  };
}

/** @throws TranscriptionError for packets that are not in order: nothing is asked */
function placed({ packets }: Speech) {
  let endMs = 0;
  for (const { startMs } of packets) {
    if (!Number.isInteger(startMs) || startMs < endMs)
      throw new TranscriptionError(
        `the packet at ${startMs} ms is not in order: before it all is taken up to ${endMs} ms`,
        "never",
      );
    endMs = startMs + PACKET_MS;
  }
  return packets;
}

async function hear(recogniser: Recogniser, part: Part, signal: AbortSignal): Promise<HeardPart> {
  signal.throwIfAborted();
  const { audio, unreadable } = await audioOf(part, recogniser.format);
  const answer = await recogniser.recognise(audio, signal);
  const { words, spreadWords, notes } = clean(answer.texts, part.durationMs);
  return {
    words: words.map(({ text, ...time }) => ({ text, ...placeOf(part, time.startMs, time.endMs) })),
    language: languageTagOf(answer.language),
    spreadWords,
    notes,
    unreadable,
  };
}

async function audioOf(part: Part, format: AudioFormat): Promise<{ audio: AudioFile; unreadable: number }> {
  if (format === "ogg") return { audio: oggOf(part), unreadable: 0 };
  const { samples, unreadable } = await decode(part);
  return { audio: wavOf(samples), unreadable };
}

function together(heard: HeardPart[], language: string | undefined): Heard {
  const unreadable = heard.reduce((sum, part) => sum + part.unreadable, 0);
  return {
    words: inOrder(heard.flatMap(({ words }) => words)),
    language: language ?? mostHeard(heard),
    spreadWords: heard.reduce((sum, part) => sum + part.spreadWords, 0),
    notes: [
      ...heard.flatMap(({ notes }, at) =>
        notes.map((note) => (heard.length > 1 ? `part ${at + 1}: ${note}` : note)),
      ),
      ...(unreadable > 0 ? [`${unreadable} packets of 20 ms could not be decoded; they were silent`] : []),
    ],
  };
}

/** Words that were pushed into one piece may overlap by a little with their neighbours in the next. */
function inOrder(words: HeardWord[]): HeardWord[] {
  return words.map((word, at) => {
    const nextMs = words[at + 1]?.startMs ?? Number.POSITIVE_INFINITY;
    return { ...word, endMs: Math.max(word.startMs, Math.min(word.endMs, nextMs)) };
  });
}

/** @returns language of the part with the most words */
function mostHeard(heard: HeardPart[]): string {
  const [most] = heard
    .filter(({ language }) => language !== UNKNOWN_LANGUAGE)
    .sort((a, b) => b.words.length - a.words.length);
  return most?.language ?? UNKNOWN_LANGUAGE;
}
