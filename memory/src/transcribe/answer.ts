// Reads what a recogniser answers. Four shapes are known, each checked as far as it is used:
//   { words: [{ word | text, start, end }] }           OpenAI's verbose_json, faster-whisper-server, local commands; seconds
//   { segments: [{ text, start, end, words? }] }       the same without words; whisper.cpp's server, whose "words" are tokens; seconds
//   { transcription: [{ text, offsets, tokens? }] }    whisper.cpp's whisper-cli --output-json(-full); ms
//   { text }                                           OpenAI's json
import { type Answer, type RawText, TranscriptionError } from "./transcriber";

type Fields = Record<string, unknown>;
/** Whisper's markers in whisper-cli's tokens, such as [_BEG_] and [_TT_150]. */
const MARKER = /^\[_[A-Z]+_(\d+\])?\]?$/;
/** These are written without blanks: each token stands for itself. */
const NO_BLANKS =
  /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Thai}\p{sc=Lao}\p{sc=Khmer}\p{sc=Myanmar}]/u;

/**
 * @param body the answer, as text
 * @param durationMs of the audio, for a text without times
 * @throws TranscriptionError for anything else; it does not quote the answer, which may hold what was said
 */
export function readAnswer(body: string, durationMs: number): Answer {
  const answer = parse(body);
  if (isFields(answer.error) || typeof answer.error === "string") throw refused(answer.error);
  const language = textOf(answer.language) || textOf((answer.result as Fields | undefined)?.language);
  const texts = textsOf(answer, durationMs);
  if (texts === undefined)
    throw new TranscriptionError(
      `it answered JSON without words, segments, transcription or text: is this the address of a transcriber? It has ${namesOf(answer)}`,
      "later",
    );
  return { texts, language };
}

function parse(body: string): Fields {
  let answer: unknown;
  try {
    answer = JSON.parse(body);
  } catch {
    const start = /^\s*<(!doctype|html)/i.test(body) ? "an HTML page" : `${body.length} characters`;
    throw new TranscriptionError(
      `it answered ${start} instead of JSON: is this the address of a transcriber?`,
      "later",
    );
  }
  if (Array.isArray(answer)) return { words: answer };
  if (isFields(answer)) return answer;
  throw new TranscriptionError(
    "it answered JSON that is no object: is this the address of a transcriber?",
    "later",
  );
}

/** Older servers of whisper.cpp tell an error with status 200. */
function refused(error: unknown): TranscriptionError {
  const told = isFields(error) ? textOf(error.message) : textOf(error);
  const retry = /audio|wav|file/i.test(told) ? "never" : "later";
  return new TranscriptionError(`it refused: ${JSON.stringify(told.slice(0, 200))}`, retry);
}

function textsOf(answer: Fields, durationMs: number): RawText[] | undefined {
  const words = listOf(answer.words);
  const segments = listOf(answer.segments);
  if (words !== undefined && (words.length > 0 || segments === undefined))
    return punctuated(words.map(wordOf), textOf(answer.text));
  if (segments !== undefined) return segments.flatMap(fromSegment);
  const transcription = listOf(answer.transcription);
  if (transcription !== undefined) return transcription.flatMap(fromTranscription);
  if (typeof answer.text !== "string") return undefined;
  return answer.text.trim() === "" ? [] : [{ text: answer.text, startMs: 0, endMs: durationMs }];
}

function wordOf(word: Fields): RawText {
  return {
    text: textOf(word.word) || textOf(word.text),
    startMs: msOf(word.start),
    endMs: msOf(word.end),
  };
}

function fromSegment(segment: Fields): RawText[] {
  const words = listOf(segment.words)?.map(wordOf) ?? [];
  if (words.length === 0 || words.every(({ startMs }) => Number.isNaN(startMs))) return [wordOf(segment)];
  return joined(words);
}

function fromTranscription(segment: Fields): RawText[] {
  const timed = ({ text, offsets }: Fields): RawText => {
    const { from, to } = isFields(offsets) ? offsets : {};
    return { text: textOf(text), startMs: numberOf(from), endMs: numberOf(to) };
  };
  const tokens = listOf(segment.tokens)
    ?.map(timed)
    .filter(({ text }) => !MARKER.test(text.trim()));
  return tokens === undefined || tokens.length === 0 ? [timed(segment)] : joined(tokens);
}

/** Tokens become words: one that begins without a blank goes on with the one before it. Words that come whole have no blanks at all. */
function joined(tokens: RawText[]): RawText[] {
  if (!tokens.some(({ text }) => /^\s/.test(text))) return tokens;
  const words: RawText[] = [];
  for (const token of tokens) {
    const last = words.at(-1);
    if (last === undefined || /^\s/.test(token.text) || NO_BLANKS.test(token.text)) words.push({ ...token });
    else {
      last.text += token.text;
      last.endMs = token.endMs;
    }
  }
  return words;
}

/** How far the text is searched for the next word. */
const LOOKED_AHEAD_MAX = 4;

/** OpenAI's words come without punctuation, its text with it: words take it from there as long as the two go together. */
function punctuated(words: RawText[], text: string): RawText[] {
  if (words.some((word) => /[.,?!]/.test(word.text))) return words;
  const written = text.split(/\s+/);
  let at = 0;
  return words.map((word) => {
    const ahead = written.slice(at, at + LOOKED_AHEAD_MAX);
    const found = ahead.findIndex((candidate) => lettersOf(candidate) === lettersOf(word.text));
    if (found < 0) return word;
    at += found + 1;
    return { ...word, text: ahead[found] };
  });
}

/** @returns letters and digits of a word, in lower case */
export function lettersOf(text: string): string {
  return text.toLowerCase().replace(/[^\p{L}\p{M}\p{N}]/gu, "");
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function listOf(value: unknown): Fields[] | undefined {
  return Array.isArray(value) ? value.filter(isFields) : undefined;
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

/** Some servers write numbers as texts. */
function numberOf(value: unknown): number {
  if (typeof value === "string" && value.trim() !== "") return Number(value);
  return typeof value === "number" ? value : Number.NaN;
}

function msOf(seconds: unknown): number {
  return Math.round(numberOf(seconds) * 1000);
}

function namesOf(answer: Fields): string {
  const names = Object.keys(answer).slice(0, 10);
  return names.length === 0 ? "no fields" : `the fields ${JSON.stringify(names).slice(1, 200)}`;
}
