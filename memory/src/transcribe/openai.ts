// Recogniser behind an OpenAI-compatible `/v1/audio/transcriptions`: OpenAI, faster-whisper-server (speaches), LocalAI, vLLM and others.
import { readAnswer } from "./answer";
import { type Endpoint, post } from "./post";
import type { AudioFile, AudioFormat, Recogniser } from "./transcriber";

/** What the server is asked for: times of words, times of segments, or the text alone. */
export const TIMES = ["word", "segment", "none"] as const;
export type Times = (typeof TIMES)[number];

export interface OpenAiOptions {
  endpoint: Endpoint;
  model: string;
  format: AudioFormat;
  times: Times;
  /** ISO 639-1, such as `en`; none lets the server find out. */
  language?: string;
  /** Words that are likely to be said, such as names of products. */
  prompt?: string;
}

/** Media types of the containers. */
const TYPES: Record<AudioFormat, string> = { wav: "audio/wav", ogg: "audio/ogg" };

/** @returns the recogniser; it is called `openai/MODEL` */
export function openAiRecogniser(options: OpenAiOptions): Recogniser {
  const { endpoint, model, format } = options;
  return {
    name: `openai/${model}`,
    format,
    async recognise(audio, signal) {
      return readAnswer(await post(endpoint, formOf(audio, options), signal), audio.durationMs);
    },
  };
}

function formOf(audio: AudioFile, { model, times, language, prompt }: OpenAiOptions): FormData {
  const form = new FormData();
  form.set("file", fileOf(audio), `audio.${audio.format}`);
  form.set("model", model);
  form.set("temperature", "0");
  form.set("response_format", times === "none" ? "json" : "verbose_json");
  if (times === "word") form.append("timestamp_granularities[]", "word");
  if (times !== "none") form.append("timestamp_granularities[]", "segment");
  if (language !== undefined) form.set("language", language);
  if (prompt !== undefined) form.set("prompt", prompt);
  return form;
}

/** @returns an audio file as a part of a form */
export function fileOf({ bytes, format }: AudioFile): Blob {
  return new Blob([new Uint8Array(bytes)], { type: TYPES[format] });
}
