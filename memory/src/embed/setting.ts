// The one setting that says who makes vectors: `local`, or an endpoint with its options.
import { readPrivate } from "@salestag/protocol/service";
import { type Embedder, EmbeddingError } from "./embedder";
import { localEmbedder } from "./local";
import { checkEndpoint, type EmbeddingEndpoint, ENDPOINT_DEFAULTS, openAiEmbedder } from "./openai";

const FORMS = "local, or openai+https://HOST/v1?model=NAME&dims=NUMBER";
const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;
const OPTIONS = ["model", "dims", "ask-dims", "key-file", "timeout", "characters", "plain"];
const KEY = /^[\x21-\x7e]{1,4096}$/;

/**
 * @param setting `local`, or `openai+URL?model=NAME&dims=NUMBER` with `key-file=FILE`, `timeout=` s, `characters=` most of a text, `ask-dims=yes` where the
 * model can give fewer dimensions than it has, `plain=yes` to send over http to elsewhere
 * @throws EmbeddingError
 */
export function embedderOf(setting: string): Embedder {
  if (setting === "local") return localEmbedder();
  const parts = /^openai\+(https?:\/\/[^?#]+)\?([^#]*)$/.exec(setting);
  if (parts === null || !URL.canParse(parts[1]))
    throw new EmbeddingError(`The embedder's setting is none of the known ones; write ${FORMS}.`);
  const endpoint = endpointOf(new URL(parts[1]), new URLSearchParams(parts[2]));
  checkEndpoint(endpoint);
  return openAiEmbedder(endpoint);
}

function endpointOf(url: URL, options: URLSearchParams): EmbeddingEndpoint {
  for (const name of options.keys())
    if (!OPTIONS.includes(name))
      throw new EmbeddingError(
        `The embedder's setting has the unknown option ${name}; known: ${OPTIONS.join(", ")}.`,
      );
  if (!url.pathname.endsWith("/embeddings")) url.pathname = `${url.pathname.replace(/\/+$/, "")}/embeddings`;
  if (url.protocol === "http:" && !LOOPBACK.test(url.hostname) && options.get("plain") !== "yes")
    throw new EmbeddingError(
      `Conversations would travel to ${url.host} in the clear; use https, or add plain=yes where the network is trusted.`,
    );
  const keyFile = options.get("key-file");
  return {
    url,
    model: options.get("model") ?? "",
    dims: wholeOf(options, "dims", 1, 100_000) ?? Number.NaN,
    askDims: options.get("ask-dims") === "yes",
    key: keyFile === null ? undefined : keyOf(keyFile),
    timeoutMs: (wholeOf(options, "timeout", 1, 3600) ?? ENDPOINT_DEFAULTS.timeoutMs / 1000) * 1000,
    charactersMax: wholeOf(options, "characters", 100, 1_000_000) ?? ENDPOINT_DEFAULTS.charactersMax,
  };
}

function wholeOf(options: URLSearchParams, name: string, min: number, max: number): number | undefined {
  const text = options.get(name);
  if (text === null) return undefined;
  const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= min && value <= max))
    throw new EmbeddingError(`The embedder's ${name}=${text} is no whole number from ${min} to ${max}.`);
  return value;
}

function keyOf(file: string): string {
  const key = readPrivate(file);
  if (typeof key === "string") throw new EmbeddingError(`The embedder's key-file ${file} ${key}.`);
  const text = key.toString("utf8");
  if (!KEY.test(text))
    throw new EmbeddingError(
      `The embedder's key-file ${file} holds no key; write one line of printable characters into it.`,
    );
  return text;
}
