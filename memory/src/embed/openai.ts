// Embedder behind an OpenAI-compatible `/v1/embeddings`: OpenAI, vLLM, text-embeddings-inference, llama.cpp's server and others.
import { messageOf } from "@salestag/protocol/service";
import { DIMS_MAX, type Embedder, EmbeddingError, unit } from "./embedder";

export interface EmbeddingEndpoint {
  /** Of the endpoint itself, such as `https://HOST/v1/embeddings`. */
  url: URL;
  model: string;
  /** Numbers in a vector of this model, 1 to DIMS_MAX. */
  dims: number;
  /** Whether the model is asked for so many: some can give fewer than they have. */
  askDims?: boolean;
  /** Sent as `Authorization: Bearer`. */
  key?: string;
  /** Longest wait for an answer, ms. */
  timeoutMs: number;
  /** Of a text so many characters are sent. */
  charactersMax: number;
}

export const ENDPOINT_DEFAULTS = { timeoutMs: 30_000, charactersMax: 8_000 };

const TEXTS_AT_ONCE = 64;
/** 64 vectors of 2,000 numbers of 20 digits. */
const ANSWER_BYTES_MAX = 4 * 1024 * 1024;
const TOLD_CHARACTERS_MAX = 200;

/** @returns the embedder `openai/MODEL/DIMS` */
export function openAiEmbedder(endpoint: EmbeddingEndpoint): Embedder {
  const { model, dims } = endpoint;
  return {
    name: `openai/${model}/${dims}`,
    dims,
    weight: 1,
    async embed(texts, signal) {
      const vectors: Float32Array[] = texts.map(() => new Float32Array(dims));
      // Servers refuse empty texts: those stay zeros.
      const said = texts
        .map((text, place) => ({ text: text.trim(), place }))
        .filter(({ text }) => text !== "");
      for (let at = 0; at < said.length; at += TEXTS_AT_ONCE) {
        const part = said.slice(at, at + TEXTS_AT_ONCE);
        const body = await ask(
          endpoint,
          part.map(({ text }) => cut(text, endpoint.charactersMax)),
          signal,
        );
        for (const [index, vector] of readVectors(body, part.length, endpoint).entries())
          vectors[part[index].place] = unit(vector);
      }
      return vectors;
    },
  };
}

/** No half of a surrogate pair is left. */
function cut(text: string, charactersMax: number): string {
  return text.slice(0, charactersMax).replace(/[\ud800-\udbff]$/, "");
}

async function ask(endpoint: EmbeddingEndpoint, input: string[], signal: AbortSignal): Promise<string> {
  const { url, model, dims, askDims, key, timeoutMs } = endpoint;
  const timeout = AbortSignal.timeout(timeoutMs);
  const headers: Record<string, string> = { "content-type": "application/json", accept: "application/json" };
  if (key !== undefined) headers.authorization = `Bearer ${key}`;
  const asked = { model, input, encoding_format: "float", ...(askDims === true && { dimensions: dims }) };
  try {
    const answer = await fetch(url, {
      method: "POST",
      headers,
      body: JSON.stringify(asked),
      redirect: "manual",
      signal: AbortSignal.any([signal, timeout]),
    });
    const body = await readBody(answer, url);
    if (answer.status === 200) return body;
    throw refusal(answer.status, body, endpoint);
  } catch (cause) {
    if (signal.aborted) throw signal.reason;
    if (cause instanceof EmbeddingError) throw cause;
    if (timeout.aborted)
      throw new EmbeddingError(
        `${nameOf(url)} did not answer within ${timeoutMs / 1000} s; raise its timeout, or see whether it is overloaded.`,
      );
    const reason = cause instanceof TypeError && cause.cause !== undefined ? cause.cause : cause;
    throw new EmbeddingError(
      `${nameOf(url)} cannot be reached: ${messageOf(reason)}; check address and network.`,
      { cause },
    );
  }
}

async function readBody(answer: Response, url: URL): Promise<string> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of answer.body ?? []) {
    length += part.length;
    if (length > ANSWER_BYTES_MAX)
      throw new EmbeddingError(
        `${nameOf(url)} answered with more than ${ANSWER_BYTES_MAX} bytes: it is no embeddings endpoint.`,
      );
    parts.push(part);
  }
  return Buffer.concat(parts).toString("utf8");
}

function refusal(status: number, body: string, { url, key }: EmbeddingEndpoint): EmbeddingError {
  const text = (key === undefined ? body : body.replaceAll(key, "(the key)"))
    .replace(/\p{Cc}+/gu, " ")
    .trim();
  const told = text === "" ? "" : `: ${text.slice(0, TOLD_CHARACTERS_MAX)}`;
  return new EmbeddingError(`${nameOf(url)} answered ${status}${told}; ${adviceOn(status)}.`);
}

function adviceOn(status: number): string {
  if (status >= 300 && status < 400) return "redirections are not followed, name the place itself";
  if (status === 401 || status === 403) return "check its key";
  if (status === 404 || status === 405) return "check the path of its address, and the model";
  if (status === 429) return "it has too much to do, or the account is used up";
  return status >= 500 ? "it is tried again later" : "check model and dims";
}

/** @returns the vectors in the order of the texts */
function readVectors(body: string, count: number, endpoint: EmbeddingEndpoint): Float32Array[] {
  const wrong = (what: string) => new EmbeddingError(`${nameOf(endpoint.url)} answered ${what}.`);
  let data: unknown;
  try {
    data = (JSON.parse(body) as { data?: unknown } | null)?.data;
  } catch {
    throw wrong("with something that is no JSON; check its address");
  }
  if (!Array.isArray(data)) throw wrong('with JSON that has no "data"; check its address');
  if (data.length !== count) throw wrong(`with ${data.length} vectors for ${count} texts`);
  const vectors: Float32Array[] = [];
  for (const item of data as unknown[]) {
    const { index, embedding } = (item ?? {}) as { index?: unknown; embedding?: unknown };
    if (typeof index !== "number" || !Number.isInteger(index) || index < 0 || index >= count)
      throw wrong(`with the index ${JSON.stringify(index)} for ${count} texts`);
    if (vectors[index] !== undefined) throw wrong(`with the index ${index} twice`);
    vectors[index] = readVector(embedding, endpoint.dims, wrong);
  }
  return vectors;
}

function readVector(embedding: unknown, dims: number, wrong: (what: string) => EmbeddingError): Float32Array {
  if (!Array.isArray(embedding)) throw wrong("with a vector that is no list of numbers");
  if (embedding.length !== dims)
    throw wrong(
      `with a vector of ${embedding.length} numbers where ${dims} are set; set dims=${embedding.length}`,
    );
  const vector = Float32Array.from(embedding as number[]);
  if (!embedding.every((value) => typeof value === "number") || !vector.every(Number.isFinite))
    throw wrong("with a vector that has something other than numbers in it");
  return vector;
}

/** An address as it may be told: without name, password and query. */
function nameOf({ origin, pathname }: URL): string {
  return `The embeddings endpoint ${origin}${pathname}`;
}

/** @throws EmbeddingError where the options are out of range */
export function checkEndpoint({ url, dims, model }: EmbeddingEndpoint): void {
  if (!Number.isInteger(dims) || dims < 1 || dims > DIMS_MAX)
    throw new EmbeddingError(`A model with ${dims} dimensions cannot be indexed: 1 to ${DIMS_MAX} can.`);
  if (model === "" || model.length > 200)
    throw new EmbeddingError("The embeddings' model has no name, or one of over 200 characters.");
  if (url.username !== "" || url.password !== "")
    throw new EmbeddingError(
      "The embeddings' address has a name or a password in it; put the key into a file.",
    );
}
