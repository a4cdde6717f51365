// The one setting that says who transcribes (docs/transcribers.md): read, checked, and made a transcriber.
import { basename } from "node:path";
import { ExitCode, ToolError } from "@salestag/protocol/team";
import { SettingOptions } from "../setting-options";
import { AUDIO_PLACE, commandRecogniser } from "./command";
import { CUT_DEFAULTS, inParts } from "./in-parts";
import { languageTagOf, UNKNOWN_LANGUAGE } from "./language";
import { openAiRecogniser, TIMES } from "./openai";
import type { Endpoint } from "./post";
import { AUDIO_FORMATS, type Recogniser, type Transcriber } from "./transcriber";
import { whisperCppRecogniser } from "./whisper-cpp";

const FORMS =
  "openai+https://HOST/v1?model=NAME, whisper.cpp+http://127.0.0.1:PORT or command:/usr/bin/PROGRAM {audio}";
/** 10 min of WAV are 19 MB; OpenAI takes 25 MB. */
const PART_MINUTES_MAX = 60;
const TIMEOUT_S_DEFAULT = 600;
const TIMEOUT_S_MAX = 24 * 3600;
const PROMPT_CHARACTERS_MAX = 1000;

/**
 * @param setting one of FORMS, with its options
 * @param nowMs Unix time
 * @throws ToolError
 */
export function transcriberOf(setting: string, nowMs: () => number): Transcriber {
  const { kind, rest, options } = split(setting);
  const asked = new SettingOptions("the transcriber", options);
  const language = languageOf(asked);
  const partMsMax = asked.whole("part", 1, PART_MINUTES_MAX, CUT_DEFAULTS.partMsMax / 60_000) * 60_000;
  const timeoutMs = asked.whole("timeout", 1, TIMEOUT_S_MAX, TIMEOUT_S_DEFAULT) * 1000;
  const recogniser =
    kind === "command"
      ? commandRecogniser({ ...commandOf(rest), timeoutMs })
      : behind(kind, asked, { url: asked.address(rest), timeoutMs, nowMs, key: asked.key() }, language);
  asked.end();
  return inParts(recogniser, { ...CUT_DEFAULTS, partMsMax }, language);
}

function split(setting: string): { kind: string; rest: string; options: URLSearchParams } {
  const command = /^command(?:\?([^:]*))?:(.+)$/s.exec(setting);
  if (command !== null)
    return { kind: "command", rest: command[2], options: new URLSearchParams(command[1]) };
  const server = /^(openai|whisper\.cpp)\+(https?:\/\/[^?#]+)(?:\?([^#]*))?$/.exec(setting);
  if (server !== null) return { kind: server[1], rest: server[2], options: new URLSearchParams(server[3]) };
  throw wrong(`the transcriber's setting is none of the known ones; write ${FORMS}`);
}

function behind(
  kind: string,
  asked: SettingOptions,
  endpoint: Endpoint,
  language: string | undefined,
): Recogniser {
  const { url } = endpoint;
  const common = {
    endpoint,
    language: language?.split("-")[0],
    prompt: asked.text("prompt", PROMPT_CHARACTERS_MAX),
  };
  if (kind === "whisper.cpp") {
    if (url.pathname === "/") url.pathname = "/inference";
    return whisperCppRecogniser(common);
  }
  if (!url.pathname.endsWith("/transcriptions"))
    url.pathname = `${url.pathname.replace(/\/+$/, "")}/audio/transcriptions`;
  const model = asked.text("model", 200);
  if (model === undefined)
    throw wrong("the transcriber's setting has no model: add ?model=NAME, such as model=whisper-1");
  const format = asked.oneOf("audio", AUDIO_FORMATS);
  return openAiRecogniser({ ...common, model, format, times: asked.oneOf("times", TIMES) });
}

function wrong(message: string): ToolError {
  return new ToolError(ExitCode.Usage, message);
}

/** @returns program and arguments: separated by blanks, or a JSON array where an argument has blanks in it */
function commandOf(text: string): { program: string; args: string[] } {
  const parts = text.trim().startsWith("[") ? fromJson(text) : text.trim().split(/\s+/);
  const [program, ...args] = parts;
  if (program === undefined || program === "")
    throw wrong(`the transcriber's command names no program; write command:/usr/bin/PROGRAM ${AUDIO_PLACE}`);
  if (basename(program) === "") throw wrong(`the transcriber's command ${program} is a folder`);
  return { program, args };
}

function fromJson(text: string): string[] {
  try {
    const parts: unknown = JSON.parse(text);
    if (Array.isArray(parts) && parts.every((part) => typeof part === "string")) return parts;
  } catch {
    // told below
  }
  throw wrong(
    'the transcriber\'s command begins with [ and is no JSON array of texts; write ["PROGRAM", "ARGUMENT"]',
  );
}

function languageOf(asked: SettingOptions): string | undefined {
  const text = asked.text("language", 40);
  if (text === undefined) return undefined;
  const tag = languageTagOf(text);
  if (tag === UNKNOWN_LANGUAGE)
    throw asked.wrong(`language is ${JSON.stringify(text)}; write a code such as en`);
  return tag;
}
