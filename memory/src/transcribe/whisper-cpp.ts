// Recogniser behind the server of whisper.cpp (its `examples/server`): POST /inference with a WAV file.
import { readAnswer } from "./answer";
import { fileOf } from "./openai";
import { type Endpoint, post } from "./post";
import type { AudioFile, Recogniser } from "./transcriber";

export interface WhisperCppOptions {
  endpoint: Endpoint;
  /** ISO 639-1; none lets the server find out. */
  language?: string;
  /** Words that are likely to be said. */
  prompt?: string;
}

/** @returns the recogniser; it is called `whisper.cpp`, as the server does not tell its model */
export function whisperCppRecogniser(options: WhisperCppOptions): Recogniser {
  return {
    name: "whisper.cpp",
    format: "wav",
    async recognise(audio, signal) {
      return readAnswer(await post(options.endpoint, formOf(audio, options), signal), audio.durationMs);
    },
  };
}

function formOf(audio: AudioFile, { language, prompt }: WhisperCppOptions): FormData {
  const form = new FormData();
  form.set("file", fileOf(audio), "audio.wav");
  form.set("response_format", "verbose_json");
  form.set("temperature", "0.0");
  form.set("temperature_inc", "0.2");
  form.set("token_timestamps", "true");
  // Segments end after 60 characters, which else may be within a word.
  form.set("split_on_word", "true");
  form.set("no_language_probabilities", "true");
  // Without it the server takes every language for its own default, English.
  form.set("language", language ?? "auto");
  if (prompt !== undefined) form.set("prompt", prompt);
  return form;
}
