// The one setting that says who transcribes (docs/transcribers.md): read, checked, and made a transcriber.
import { basename } from "node:path";
import { readPrivate } from "@salestag/protocol/service";
import { ExitCode, ToolError } from "@salestag/protocol/team";
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
const KEY = /^[\x21-\x7e]{1,4096}$/;
const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;

/**
 * @param setting one of FORMS, with its options
 * @param nowMs Unix time
 * @throws ToolError
 */
export function transcriberOf(setting: string, nowMs: () => number): Transcriber {
  const { kind, rest, options } = split(setting);
  const asked = new Options(options);
  const language = asked.language();
  const partMsMax = asked.whole("part", 1, PART_MINUTES_MAX, CUT_DEFAULTS.partMsMax / 60_000) * 60_000;
  const timeoutMs = asked.whole("timeout", 1, TIMEOUT_S_MAX, TIMEOUT_S_DEFAULT) * 1000;
  const recogniser =
    kind === "command"
      ? commandRecogniser({ ...commandOf(rest), timeoutMs })
      : behind(kind, asked, endpointOf(rest, asked, timeoutMs, nowMs), language);
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

function behind(kind: string, asked: Options, endpoint: Endpoint, language: string | undefined): Recogniser {
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

function endpointOf(address: string, asked: Options, timeoutMs: number, nowMs: () => number): Endpoint {
  let url: URL;
  try {
    url = new URL(address);
  } catch {
    throw wrong("the transcriber's address is no URL: write https://HOST:PORT/PATH");
  }
  if (url.username !== "" || url.password !== "")
    throw wrong(
      "the transcriber's address has a name or a password in it: put the key into a file, and name it with key-file",
    );
  const plain = asked.oneOf("plain", ["no", "yes"]) === "yes";
  if (url.protocol === "http:" && !plain && !LOOPBACK.test(url.hostname))
    throw wrong(
      `conversations would travel to ${url.host} in the clear: use https, or add plain=yes where the network is trusted`,
    );
  const keyFile = asked.text("key-file", 4096);
  return { url, timeoutMs, nowMs, key: keyFile === undefined ? undefined : keyOf(keyFile) };
}

function keyOf(file: string): string {
  const key = readPrivate(file);
  if (typeof key === "string") throw wrong(`the transcriber's key-file ${file} ${key}`);
  if (!KEY.test(key.toString("utf8")))
    throw wrong(
      `the transcriber's key-file ${file} holds no key: write one line of printable characters into it`,
    );
  return key.toString("utf8");
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

/** The options behind the `?`, each of which is read once. */
class Options {
  readonly #unread: Map<string, string>;

  constructor(options: URLSearchParams) {
    this.#unread = new Map(options);
    if (this.#unread.size !== [...options].length)
      throw wrong("the transcriber's setting has an option twice");
  }

  /** @returns undefined where it is not there */
  text(name: string, charactersMax: number): string | undefined {
    const value = this.#unread.get(name);
    this.#unread.delete(name);
    if (value === undefined) return undefined;
    if (value === "" || value.length > charactersMax)
      throw wrong(
        `the transcriber's ${name} must have 1 to ${charactersMax} characters, not ${value.length}`,
      );
    return value;
  }

  whole(name: string, min: number, max: number, otherwise: number): number {
    const text = this.text(name, 20);
    if (text === undefined) return otherwise;
    const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
    if (!(value >= min && value <= max))
      throw wrong(
        `the transcriber's ${name} is ${JSON.stringify(text)}; write a whole number from ${min} to ${max}`,
      );
    return value;
  }

  /** @returns the first where it is not there */
  oneOf<T extends string>(name: string, values: readonly T[]): T {
    const text = this.text(name, 100);
    const value = text === undefined ? values[0] : values.find((candidate) => candidate === text);
    if (value === undefined)
      throw wrong(`the transcriber's ${name} is ${JSON.stringify(text)}; write ${values.join(" or ")}`);
    return value;
  }

  language(): string | undefined {
    const text = this.text("language", 40);
    if (text === undefined) return undefined;
    const tag = languageTagOf(text);
    if (tag === UNKNOWN_LANGUAGE)
      throw wrong(`the transcriber's language is ${JSON.stringify(text)}; write a code such as en`);
    return tag;
  }

  /** @throws ToolError for an option that nobody knows here */
  end(): void {
    const [name] = this.#unread.keys();
    if (name !== undefined)
      throw wrong(
        `the transcriber's setting has the option ${JSON.stringify(name)}, which is not known here`,
      );
  }
}
