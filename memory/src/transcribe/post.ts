// Posts a form with audio to a recogniser's server, and takes its answer: bounded in size and time, and where it is no answer, with what to do about it.
// On node:http, as `fetch` gives up after 300 s without a word, which a slow server may well need, and follows redirections with what is meant for one place.
import {
  type ClientRequest,
  type IncomingMessage,
  type RequestOptions,
  request as requestHttp,
} from "node:http";
import { request as requestHttps } from "node:https";
import { messageOf } from "@salestag/protocol/service";
import { TranscriptionError } from "./transcriber";

/** Where a recogniser is, and how long it may take. */
export interface Endpoint {
  url: URL;
  /** Longest wait for the whole answer, ms. */
  timeoutMs: number;
  /** Sent as `Authorization: Bearer`. */
  key?: string;
  /** Unix time, ms: for an answer that says at which time of day to come again. */
  nowMs: () => number;
}

/** Words with their times of an hour take 2 MB at most. */
export const ANSWER_BYTES_MAX = 8 * 1024 * 1024;
/** Of what a server says about an error so many characters are told. */
const TOLD_CHARACTERS_MAX = 200;
/** No server is believed that wants to be left alone for longer. */
const RETRY_AFTER_MS_MAX = 24 * 3600 * 1000;

/**
 * @returns the body of an answer with status 200, as text
 * @throws TranscriptionError; the signal's reason when it is aborted
 */
export async function post(endpoint: Endpoint, form: FormData, signal: AbortSignal): Promise<string> {
  const { url, timeoutMs } = endpoint;
  const timeout = AbortSignal.timeout(timeoutMs);
  try {
    const answer = await send(endpoint, form, AbortSignal.any([signal, timeout]));
    const body = await readAll(answer);
    if (answer.statusCode === 200) return body;
    throw refusal(endpoint, answer, body);
  } catch (cause) {
    if (signal.aborted) throw signal.reason;
    if (cause instanceof TranscriptionError) throw cause;
    if (timeout.aborted)
      throw new TranscriptionError(
        `the transcriber at ${nameOf(url)} did not answer within ${timeoutMs / 1000} s: is it slower than real time? Raise timeout, or lower part`,
        "later",
      );
    throw new TranscriptionError(
      `the transcriber at ${nameOf(url)} cannot be reached: ${reasonOf(cause)}`,
      "later",
      undefined,
      {
        cause,
      },
    );
  }
}

/** @returns an address as it may be told: without name, password and query */
export function nameOf({ origin, pathname }: URL): string {
  return origin + pathname;
}

async function send({ url, key }: Endpoint, form: FormData, signal: AbortSignal): Promise<IncomingMessage> {
  const encoded = new Response(form);
  const body = Buffer.from(await encoded.arrayBuffer());
  const headers: Record<string, string> = {
    "content-type": encoded.headers.get("content-type") ?? "",
    "content-length": String(body.length),
    accept: "application/json",
  };
  if (key !== undefined) headers.authorization = `Bearer ${key}`;
  const request: (url: URL, options: RequestOptions) => ClientRequest =
    url.protocol === "https:" ? requestHttps : requestHttp;
  return await new Promise((resolve, reject) => {
    const sent = request(url, { method: "POST", headers, signal, agent: false });
    sent.on("response", resolve);
    sent.on("error", reject);
    sent.end(body);
  });
}

async function readAll(answer: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of answer as AsyncIterable<Buffer>) {
    length += part.length;
    if (length > ANSWER_BYTES_MAX)
      throw new TranscriptionError(
        `the transcriber's answer is larger than ${ANSWER_BYTES_MAX} bytes`,
        "later",
      );
    parts.push(part);
  }
  return Buffer.concat(parts).toString("utf8");
}

/** What an answer that is not 200 means, and what to do. */
function refusal(endpoint: Endpoint, answer: IncomingMessage, body: string): TranscriptionError {
  const status = answer.statusCode ?? 0;
  const told = toldOf(body, endpoint.key);
  const said = `the transcriber at ${nameOf(endpoint.url)} answered ${status}${told === "" ? "" : `: ${told}`}`;
  const [advice, retry] = adviceOn(status, told);
  return new TranscriptionError(`${said}. ${advice}`, retry, retryAfterMs(answer, endpoint.nowMs()));
}

function adviceOn(status: number, told: string): [string, "later" | "never"] {
  if (status >= 300 && status < 400) return ["Redirections are not followed: name the place itself", "later"];
  if (status === 401 || status === 403) return ["Check the key in key-file", "later"];
  if (status === 404 || status === 405) return ["Check the path of the address, and the model", "later"];
  if (status === 413) return ["It takes less at once: lower part, or use audio=ogg", "never"];
  if (status === 429) return ["It has too much to do, or the account is used up", "later"];
  if (status === 400 && /granularit|response_format|verbose_json/i.test(told))
    return ["It has no word times: set times=segment or times=none", "later"];
  if (status === 400 && /model|api.?key/i.test(told)) return ["Check the setting", "later"];
  if (status === 400 || status === 415 || status === 422) return ["It does not take this audio", "never"];
  return ["It is tried again later", "later"];
}

/** @returns what a server says about an error, in short, without control characters and without the key, should it repeat it */
function toldOf(body: string, key: string | undefined): string {
  const message = /"message"\s*:\s*("(?:[^"\\]|\\.)*")/.exec(body)?.[1];
  if (message === undefined && /^\s*</.test(body)) return "an HTML page";
  const text = (message ?? body).replace(/\p{Cc}+/gu, " ").trim();
  return (key === undefined ? text : text.replaceAll(key, "(the key)")).slice(0, TOLD_CHARACTERS_MAX);
}

function retryAfterMs({ headers }: IncomingMessage, nowMs: number): number | undefined {
  const header = headers["retry-after"]?.trim();
  if (header === undefined || header === "") return undefined;
  const waitMs = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - nowMs;
  return Number.isNaN(waitMs) ? undefined : Math.min(Math.max(0, waitMs), RETRY_AFTER_MS_MAX);
}

/** An error of several addresses of one name has its words in its parts. */
function reasonOf(cause: unknown): string {
  if (cause instanceof AggregateError && cause.errors.length > 0) return messageOf(cause.errors[0]);
  return messageOf(cause);
}
