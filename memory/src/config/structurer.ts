// The one setting that says who makes tags and insights: `local`, or a chat endpoint with its options.
import { readPrivate } from "@salestag/protocol/service";
import { chatStructurer } from "../chat";
import type { Structurer } from "../model/structure";
import { localStructurer } from "../tagger";

const FORMS = "local, or openai+https://HOST/v1?model=NAME&key-file=FILE";
const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;
const OPTIONS = ["model", "key-file", "timeout", "plain"];
const TIMEOUT_S_MAX = 3600;

/**
 * @param setting `local`, or `openai+URL?model=NAME` with `key-file=FILE`, `timeout=` s, `plain=yes` to send over http to elsewhere
 * @throws Error that says what is wrong, without the key
 */
export function structurerOf(setting: string): Structurer {
  if (setting === "local") return localStructurer();
  const parts = /^openai\+(https?:\/\/[^?#]+)\?([^#]*)$/.exec(setting);
  if (parts === null || !URL.canParse(parts[1])) throw new Error(`is none of the known ones; write ${FORMS}`);
  const url = new URL(parts[1]);
  const options = new URLSearchParams(parts[2]);
  for (const name of options.keys())
    if (!OPTIONS.includes(name))
      throw new Error(`has the unknown option ${name}; known: ${OPTIONS.join(", ")}`);
  if (url.username !== "" || url.password !== "")
    throw new Error("holds a name or a password: name a key-file");
  if (url.protocol === "http:" && !LOOPBACK.test(url.hostname) && options.get("plain") !== "yes")
    throw new Error(
      `would send conversations to ${url.host} in the clear; use https, or add plain=yes where the network is trusted`,
    );
  const model = options.get("model") ?? "";
  if (model === "") throw new Error("has no model: add ?model=NAME");
  return chatStructurer({
    url: url.href,
    model,
    apiKey: keyOf(options.get("key-file")),
    ...timeoutOf(options),
  });
}

function timeoutOf(options: URLSearchParams): { timeoutMs?: number } {
  const text = options.get("timeout");
  if (text === null) return {};
  const seconds = /^\d{1,4}$/.test(text) ? Number(text) : 0;
  if (seconds < 1 || seconds > TIMEOUT_S_MAX)
    throw new Error(`has timeout=${text}; write 1 to ${TIMEOUT_S_MAX} s`);
  return { timeoutMs: seconds * 1000 };
}

function keyOf(file: string | null): string | undefined {
  if (file === null) return undefined;
  const key = readPrivate(file);
  if (typeof key === "string") throw new Error(`has the key-file ${file}, which ${key}`);
  return key.toString("utf8");
}
