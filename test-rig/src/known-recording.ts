// A recording with the words that are known to be said in it, as the stand-in for a Whisper server wants it: a FLAC or WAV file, and beside it the JSON
// file that tells its turns and words (samples/README.md).
import { readFileSync } from "node:fs";
import type { KnownRecording } from "../../memory/src/testing/transcription-server";
import { readAudio } from "./audio/read-audio";

/** A word that was said, by whom. Times are ms after the recording's start. */
export interface SaidWord {
  text: string;
  startMs: number;
  endMs: number;
  speaker: "rep" | "other";
}

interface Truth {
  turns: { speaker: string; text: string; words: { word: string; startMs: number; endMs: number }[] }[];
}

/** @returns every word, with the punctuation that the turn's text has behind it */
export function saidWords(file: string): SaidWord[] {
  const { turns } = JSON.parse(readFileSync(file.replace(/\.(flac|wav)$/, ".json"), "utf8")) as Truth;
  return turns.flatMap(({ speaker, text, words }) => {
    const written = text.split(" ");
    return words.map(({ word, startMs, endMs }, at) => ({
      text: written.length === words.length ? written[at] : word,
      startMs,
      endMs,
      speaker: speaker === "rep" ? "rep" : "other",
    }));
  });
}

/** @param file of the audio. @throws AudioFileError when it cannot be used */
export async function knownRecording(file: string): Promise<KnownRecording> {
  const { samples } = await readAudio(file);
  const words = saidWords(file).map(({ text, startMs, endMs }) => ({ text, startMs, endMs }));
  return { samples, words, language: "english" };
}
